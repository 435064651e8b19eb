"""Reads a JSON body strictly: an object, each name once, only numbers that JSON has."""

import json
from collections.abc import Callable
from typing import Any, NoReturn

from starlette.requests import Request

from app.errors import InvalidInput


async def read_object(request: Request) -> dict[str, Any]:
    """The body as a dict.

    Raises:
        InvalidInput: see `parse_object`.
    """
    return parse_object(await request.body())


def parse_object(body: bytes, number: Callable[[str], Any] | None = None) -> dict[str, Any]:
    """A JSON object as a dict; `number` makes something else of the characters of each number.

    Raises:
        InvalidInput: `json.malformed`, `json.not-object`, `json.duplicate-name` or `json.constant`.
    """
    try:
        document = json.loads(
            body,
            parse_float=number,
            parse_int=number,
            parse_constant=_refuse_constant,
            object_pairs_hook=_unique_names,
        )
        # Half a character, `"\ud800"`, passes the parser, and then no answer and no record could hold it.
        json.dumps(document, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        # ValueError covers bad UTF-8, bad syntax, and integers of more digits than Python reads.
        raise InvalidInput("json.malformed") from error
    if not isinstance(document, dict):
        raise InvalidInput("json.not-object")
    return document


def _refuse_constant(name: str) -> NoReturn:
    raise InvalidInput("json.constant", name=name)


def _unique_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise InvalidInput("json.duplicate-name")
    return document

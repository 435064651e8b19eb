"""JSON as a hostile header may be given it: no duplicate keys, floats, huge numbers, deep nesting or lone surrogates.

The standard parser does the work; a linear scan before it refuses what would make it slow, deep or large.
"""

import json
import re
from collections import Counter
from collections.abc import Callable
from typing import Any, NoReturn

from app.errors import WeightFileError

MAX_DEPTH = 8
MAX_DIGITS = 20
MAX_ARRAY_BYTES = 1 << 16
MAX_TOKENS = 2_000_000
"""Strings, brackets and flat arrays together; a tensor's entry has ten."""
MAX_STRINGS = 520_000
"""Of which strings, since each becomes an object: five in a tensor's entry."""

# A string to its end (or, unterminated, to the end of the text, so that the scan stays linear), a flat array, a
# bracket, or a number that is too long.
_LONG_NUMBER = re.compile(rb"[0-9]{%d,}+" % (MAX_DIGITS + 1))
_TOKEN = re.compile(
    rb'"(?:[^"\\]++|\\.)*+"?|\[[^"\[\]{}]*+\]|[\[\]{}]|' + _LONG_NUMBER.pattern,
    re.DOTALL,
)
_PIECE = 1 << 16
_QUOTE = ord('"')
_OPENING = b"[{"
_CLOSING = b"]}"


def parse_strict(
    text: bytearray,
    *,
    max_objects: int,
    too_many: Callable[[], WeightFileError],
    fractions: bool = False,
    slim: Callable[[dict[str, Any]], Any] = lambda built: built,
) -> Any:
    """The value of a JSON text; positions in errors are byte offsets into it, or characters once it was decoded.

    The bytes are emptied on the way: a header of the largest size is in memory twice at most.
    With `fractions`, numbers with a point or an exponent are allowed, and become floats. `slim` may turn each object
    into something that takes less memory, as soon as it has been read.

    Raises:
        WeightFileError: `header.*`, or what `too_many` makes when there are more than `max_objects` objects.
    """
    _scan(text)
    try:
        decoded = text.decode("utf-8")
    except UnicodeDecodeError as error:
        raise WeightFileError("header.utf8", position=error.start) from None
    text.clear()
    seen = 0

    def build(pairs: list[tuple[str, Any]]) -> Any:
        nonlocal seen
        seen += 1
        if seen > max_objects:
            raise too_many()
        return slim(_object(pairs))

    try:
        return json.loads(
            decoded,
            object_pairs_hook=build,
            parse_float=float if fractions else _no_number,
            parse_constant=_no_number,
            parse_int=_integer,
        )
    except json.JSONDecodeError as error:
        raise WeightFileError("header.syntax", position=error.pos) from None


def _scan(text: bytearray) -> None:
    depth = strings = 0
    for count, token in enumerate(_TOKEN.finditer(text)):
        if count == MAX_TOKENS:
            raise WeightFileError("header.too-many-values", limit=MAX_TOKENS)
        begin, end = token.span()
        first = text[begin]
        if first == _QUOTE:
            strings += 1
            if strings > MAX_STRINGS:
                raise WeightFileError("header.too-many-values", limit=MAX_STRINGS)
            continue
        if first in _OPENING and end - begin == 1:
            depth += 1
            if depth > MAX_DEPTH:
                raise WeightFileError("header.depth", position=begin, limit=MAX_DEPTH)
        elif first in _CLOSING:
            depth -= 1
        elif first in _OPENING:
            _check_array(text[begin:end], begin)
        else:
            raise WeightFileError("header.number", number=text[begin : begin + 24].decode() + "…")


def _check_array(array: bytearray, begin: int) -> None:
    if len(array) > MAX_ARRAY_BYTES:
        raise WeightFileError("header.array", position=begin, limit=MAX_ARRAY_BYTES)
    number = _LONG_NUMBER.search(array)
    if number is not None:
        raise WeightFileError("header.number", number=number[0][:24].decode() + "…")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    built = dict(pairs)
    for key, value in pairs:
        _check_unicode(key)
        if isinstance(value, str):
            _check_unicode(value)
    if len(built) < len(pairs):
        (twice, _), *_others = Counter(key for key, _ in pairs).most_common(1)
        raise WeightFileError("header.duplicate", key=shown(twice))
    return built


def _check_unicode(text: str) -> None:
    if text.isascii():  # without making a copy
        return
    try:
        for begin in range(0, len(text), _PIECE):
            text[begin : begin + _PIECE].encode("utf-8")
    except UnicodeEncodeError:
        raise WeightFileError("header.surrogate", text=shown(text)) from None


def _integer(text: str) -> int:
    if text == "-0":
        _no_number(text)
    return int(text)


def _no_number(text: str) -> NoReturn:
    raise WeightFileError("header.number", number=text[:24])


def shown(text: str, limit: int = 80) -> str:
    """Text from a file as a sentence may quote it: cut, and everything invisible or misleading escaped."""
    cut = text if len(text) <= limit else text[: limit - 1] + "…"
    return "".join(character if character.isprintable() else _escape(character) for character in cut)


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")

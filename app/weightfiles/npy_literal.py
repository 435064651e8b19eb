"""The header of an .npy file, which is the text of a Python dictionary, read by a tokenizer of our own: no eval."""

import re
from dataclasses import dataclass
from typing import NoReturn

from app.errors import WeightFileError

MAX_HEADER_CHARACTERS = 10_000
_MAX_RANK = 64
_SPACE = r"[ \t]*"
_KEY = re.compile(rf"(['\"])(descr|fortran_order|shape)\1{_SPACE}:{_SPACE}")
_TEXT = re.compile(r"(['\"])([^'\"\\\n]{0,64})\1")
_BOOLEAN = re.compile(r"True|False")
_NUMBER = re.compile(rf"(0|[1-9][0-9]{{0,18}})L?{_SPACE}")
_COMMA = re.compile(rf",{_SPACE}")
_BLANK = re.compile(_SPACE)
_END = re.compile(r"\}[ \t]*\n?")


@dataclass(frozen=True, slots=True)
class NpyFields:
    """What the header says, word for word."""

    dtype: str
    is_fortran: bool
    shape: tuple[int, ...]


def parse_fields(text: str) -> NpyFields:
    """The three fields, in any order.

    Raises:
        WeightFileError: `npy.header` with the position, `npy.structured`.
    """
    if not text.startswith("{"):
        _refuse(0)
    found: dict[str, object] = {}
    at = _skip(_BLANK, text, 1)
    while len(found) < 3:
        key = _KEY.match(text, at)
        if key is None or key[2] in found:
            _refuse(at)
        found[key[2]], at = _value(key[2], text, key.end())
        at = _skip(_BLANK, text, at)
        comma = _COMMA.match(text, at)
        if comma is None:
            break
        at = comma.end()
    match found.get("descr"), found.get("fortran_order"), found.get("shape"):
        case (str(dtype), bool(is_fortran), tuple(shape)):
            pass
        case _:
            _refuse(at)
    end = _END.fullmatch(text, at)
    if end is None:
        _refuse(at)
    return NpyFields(dtype, is_fortran, shape)


def _value(key: str, text: str, at: int) -> tuple[object, int]:
    if key == "shape":
        return _shape(text, at)
    pattern = _TEXT if key == "descr" else _BOOLEAN
    found = pattern.match(text, at)
    if found is None:
        if key == "descr" and text.startswith("[", at):
            raise WeightFileError("npy.structured")
        _refuse(at)
    return (found[2] if key == "descr" else found[0] == "True"), found.end()


def _shape(text: str, at: int) -> tuple[tuple[int, ...], int]:
    if not text.startswith("(", at):
        _refuse(at)
    at = _skip(_BLANK, text, at + 1)
    shape: list[int] = []
    is_tuple = True
    while not text.startswith(")", at):
        number = _NUMBER.match(text, at)
        if number is None or (not is_tuple and shape) or len(shape) == _MAX_RANK:
            _refuse(at)
        shape.append(int(number[1]))
        at = number.end()
        comma = _COMMA.match(text, at)
        is_tuple = comma is not None
        at = comma.end() if comma else at
    if len(shape) == 1 and not is_tuple:
        _refuse(at)
    return tuple(shape), at + 1


def _skip(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at


def _refuse(position: int) -> NoReturn:
    raise WeightFileError("npy.header", position=position)

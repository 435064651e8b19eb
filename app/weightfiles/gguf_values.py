"""The values of a GGUF file's metadata: short ones are kept as JSON has them, long ones told of by their beginning."""

import math
import struct
from dataclasses import dataclass
from functools import cache
from typing import Any

from app.errors import WeightFileError
from app.weightfiles.gguf_bytes import UINT32, UINT64, HeaderBytes
from app.weightfiles.strict_json import shown

MAX_STRING_BYTES = 16 << 20
MAX_ARRAY = 1 << 24
MAX_LISTED_STRINGS = 1 << 22
"""Strings in all arrays together: the largest tokenizers have about a million tokens and merges."""
WHOLE_STRING_BYTES = 1 << 16
WHOLE_ARRAY = 64
"""Longer values are told of by their beginning."""
KEPT_COST = 4 << 20
"""All that is kept of values, in bytes or so; of what comes after, its type alone."""

STRING, ARRAY = 8, 9
_FIRST_ELEMENTS = 8
_FIRST_BYTES = 256
_VALUE_COST, _NUMBER_COST = 64, 32
"""Of any object, and of each number in a list, in bytes of memory."""


@dataclass(frozen=True, slots=True)
class ScalarType:
    """A type of numbers in metadata."""

    name: str
    code: str
    """Of `struct`."""
    layout: struct.Struct


def _scalar(name: str, code: str) -> ScalarType:
    return ScalarType(name, code, struct.Struct(f"<{code}"))


SCALARS: dict[int, ScalarType] = {
    0: _scalar("uint8", "B"),
    1: _scalar("int8", "b"),
    2: _scalar("uint16", "H"),
    3: _scalar("int16", "h"),
    4: _scalar("uint32", "I"),
    5: _scalar("int32", "i"),
    6: _scalar("float32", "f"),
    7: _scalar("bool", "B"),
    10: _scalar("uint64", "Q"),
    11: _scalar("int64", "q"),
    12: _scalar("float64", "d"),
}
"""gguf.h, `enum gguf_type`."""


class ValueReader:
    """Reads the values of one file, and remembers what it has kept of them altogether."""

    def __init__(self, source: HeaderBytes) -> None:
        self._source = source
        self._kept = 0
        self._listed_strings = 0

    def read(self, key: str, value_type: int) -> Any:
        """The value that comes next: a number, a text, a list, or for a long one its type, length and beginning.

        Raises:
            WeightFileError: `gguf.*`, naming the key.
        """
        if value_type == STRING:
            return self._string(key)
        if value_type == ARRAY:
            return self._array(key)
        kind = SCALARS.get(value_type)
        if kind is None:
            raise WeightFileError("gguf.value-type", key=shown(key), type=value_type)
        found = self._source.unpack(kind.layout)
        return _shown(key, kind, found)[0]

    def _string(self, key: str) -> Any:
        length = self._length(key)
        if length <= WHOLE_STRING_BYTES and self._keep(length):
            return _text(self._source.take(length))
        if not self._keep(_FIRST_BYTES):
            self._source.skip(length)
            return _omitted("string")
        first = self._source.take(min(length, _FIRST_BYTES))
        self._source.skip(length - len(first))
        return {"type": "string", "bytes": length, "first": _text(first)}

    def _length(self, key: str) -> int:
        length = self._source.number(UINT64)
        if length > MAX_STRING_BYTES:
            raise WeightFileError("gguf.string-length", key=shown(key), length=length, limit=MAX_STRING_BYTES)
        if length > self._source.left:
            raise WeightFileError("gguf.value-past-end", key=shown(key), needed=length, left=self._source.left)
        return length

    def _array(self, key: str) -> Any:
        element_type = self._source.number(UINT32)
        count = self._source.number(UINT64)
        if element_type == ARRAY:
            raise WeightFileError("gguf.array-of-arrays", key=shown(key))
        kind = SCALARS.get(element_type)
        if kind is None and element_type != STRING:
            raise WeightFileError("gguf.value-type", key=shown(key), type=element_type)
        if count > MAX_ARRAY:
            raise WeightFileError("gguf.array-length", key=shown(key), count=count, limit=MAX_ARRAY)
        needed = count * (kind.layout.size if kind else UINT64.size)
        if needed > self._source.left:
            raise WeightFileError("gguf.value-past-end", key=shown(key), needed=needed, left=self._source.left)
        return self._scalar_array(key, kind, count) if kind else self._string_array(key, count)

    def _scalar_array(self, key: str, kind: ScalarType, count: int) -> Any:
        first = self._first(count, _NUMBER_COST)
        values = self._scalars(key, kind, first)
        self._source.skip((count - first) * kind.layout.size)
        return _listed(kind.name, count, values)

    def _string_array(self, key: str, count: int) -> Any:
        self._listed_strings += count
        if self._listed_strings > MAX_LISTED_STRINGS:
            raise WeightFileError("gguf.too-many-strings", limit=MAX_LISTED_STRINGS)
        first = self._first(count, _FIRST_BYTES)
        texts = [self._beginning(key) for _ in range(first)]
        if not self._source.skip_strings(count - first, MAX_STRING_BYTES):
            self._length(key)  # refuses
        return _listed("string", count, texts)

    def _beginning(self, key: str) -> str:
        length = self._length(key)
        first = self._source.take(min(length, _FIRST_BYTES))
        self._source.skip(length - len(first))
        return _text(first) + ("…" if length > len(first) else "")

    def _first(self, count: int, size: int) -> int:
        """How many elements are kept: all, a few or none."""
        few = count if count <= WHOLE_ARRAY else _FIRST_ELEMENTS
        return few if self._keep(few * size) else 0

    def _keep(self, size: int) -> bool:
        self._kept += size + _VALUE_COST
        return self._kept <= KEPT_COST

    def _scalars(self, key: str, kind: ScalarType, count: int) -> list[Any]:
        return _shown(key, kind, struct.unpack(f"<{count}{kind.code}", self._source.take(count * kind.layout.size)))


def _shown(key: str, kind: ScalarType, found: tuple[Any, ...]) -> list[Any]:
    if kind.name == "bool":
        return [_truth(key, byte) for byte in found]
    return [_real(value, kind.layout.size) for value in found] if kind.code in "fd" else list(found)


def _text(found: bytes) -> str:
    """UTF-8; what is none stands as `\\xff`, for tokens may be any bytes."""
    return found.decode("utf-8", "backslashreplace")


def _truth(key: str, byte: int) -> bool:
    if byte > 1:
        raise WeightFileError("gguf.bool", key=shown(key), byte=byte)
    return byte == 1


def _real(value: float, size: int) -> float | str:
    """As JSON can have it: NaN and infinities as text; a float32 by its shortest decimal."""
    if not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    if size == 4:
        for digits in range(6, 9):
            short = float(f"{value:.{digits}g}")
            if abs(short) < 3.4e38 and struct.unpack("<f", struct.pack("<f", short))[0] == value:
                return short
    return value


def _listed(name: str, count: int, first: list[Any]) -> Any:
    if len(first) == count:
        return first
    return {"type": name, "count": count, "first": first} if first else _omitted(name)


@cache
def _omitted(name: str) -> dict[str, Any]:
    return {"type": name, "omitted": True}

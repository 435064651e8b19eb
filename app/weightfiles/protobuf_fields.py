"""The fields of a protobuf message, read forward by ranges: nothing is built, long values are stepped over.

The wire format (protobuf.dev/programming-guides/encoding): each field is a varint `number << 3 | wire type`, then a
varint (0), eight bytes (1), a length and so many bytes (2), or four bytes (5). Groups (3, 4) are not used any more.
"""

from collections.abc import Iterator
from typing import NamedTuple

from app.errors import WeightFileError
from app.weightfiles.byte_ranges import ByteRanges, read_exactly

VARINT, FIXED64, LENGTH_DELIMITED, FIXED32 = 0, 1, 2, 5
MAX_VARINT_BYTES = 10
MAX_FIELDS = 1_000_000
"""Of one file, nested ones together; a large graph of nodes has some hundred thousand."""
CHUNK_BYTES = 1 << 15
FIRST_TAG = 1 << 3
_FIXED_BYTES = {FIXED64: 8, FIXED32: 4}
_WIRES = {VARINT, LENGTH_DELIMITED, *_FIXED_BYTES}


class Field(NamedTuple):
    """One field where it stands: its value if it is a varint, else where its bytes lie."""

    number: int
    wire: int
    value: int
    begin: int
    end: int

    @property
    def bytes(self) -> int:
        return self.end - self.begin


class FieldReader:
    """Reads the fields of messages of one file, within one budget for the whole of it."""

    def __init__(self, ranges: ByteRanges) -> None:
        self._ranges = ranges
        self.left = MAX_FIELDS
        """How many more fields may be read."""
        self._chunk = b""
        self._chunk_begin = 0

    def fields(self, begin: int, end: int) -> Iterator[Field]:
        """The fields of the message in those bytes, one after the other.

        Raises:
            WeightFileError: `onnx.cut`, `onnx.varint`, `onnx.wire-type`, `onnx.too-many-fields`.
        """
        position = begin
        while position < end:
            self.left -= 1
            if self.left < 0:
                raise WeightFileError("onnx.too-many-fields", limit=MAX_FIELDS)
            tag, position = self._varint(position, end)
            wire = tag & 7
            value = size = 0
            if wire == LENGTH_DELIMITED:
                size, position = self._varint(position, end)
            elif wire == VARINT:
                value, position = self._varint(position, end)
            else:
                size = _FIXED_BYTES.get(wire, 0)
            if tag < FIRST_TAG or wire not in _WIRES:
                raise WeightFileError("onnx.wire-type", position=position)
            if size > end - position:
                raise WeightFileError("onnx.cut", position=position, missing=size - (end - position))
            yield Field(tag >> 3, wire, value, position, position + size)
            position += size

    def contents(self, field: Field) -> bytes:
        """The bytes of a field; the caller has bounded them."""
        at = field.begin - self._chunk_begin
        if at >= 0 and at + field.bytes <= len(self._chunk):
            return self._chunk[at : at + field.bytes]
        return read_exactly(self._ranges, field.begin, field.bytes)

    def _varint(self, position: int, end: int) -> tuple[int, int]:
        """An unsigned number of up to 64 bits, seven bits a byte with the lowest first, and where it ends."""
        at = position - self._chunk_begin
        if not 0 <= at <= len(self._chunk) - MAX_VARINT_BYTES:
            at = self._fill(position)
        chunk = self._chunk
        if position < end and chunk[at] < 0x80:  # most have one byte
            return chunk[at], position + 1
        limit = min(at + MAX_VARINT_BYTES, at + end - position, len(chunk))
        value = shift = 0
        for index in range(at, limit):
            byte = chunk[index]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:  # the last byte of a varint has no continuation bit
                if value >> 64:
                    break
                return value, position + index - at + 1
            shift += 7
        raise WeightFileError("onnx.varint", position=position)

    def _fill(self, position: int) -> int:
        """Reads the bytes around a position, unless they are those at the end and here already."""
        count = min(CHUNK_BYTES, self._ranges.size - position)
        if not (self._chunk_begin <= position and position + count <= self._chunk_begin + len(self._chunk)):
            self._chunk = read_exactly(self._ranges, position, count)
            self._chunk_begin = position
        return position - self._chunk_begin


def signed(value: int, bits: int = 64) -> int:
    """A varint of an int64 field as the number it stands for, in two's complement; cut to so many bits."""
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value

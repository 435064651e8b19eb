"""Codes that lie one after the other from the low bits up, rows not beginning at whole bytes, as ONNX stores them."""

from dataclasses import dataclass

import torch
from torch import Tensor

from app.layouts.bit_streams import unpack_stream
from app.layouts.rectangles import read_rectangle
from app.layouts.small_floats import e2m1
from app.schemes.matrix_blocks import Piece
from app.weightfiles.file_header import TensorEntry
from app.weightfiles.tensor_reader import TensorReader

_WHOLE_BYTES = frozenset(
    {"int8", "uint8", "int16", "uint16", "int32", "float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2", "float8_e5m2fnuz"}
)
_NARROW = {"int4": 4, "uint4": 4, "int2": 2, "uint2": 2, "float4_e2m1fn": 4}


def code_bits(entry: TensorEntry) -> int | None:
    """The bits of an element that stands for a code; None if it is of another type."""
    return entry.type.bits if entry.type.format in _WHOLE_BYTES else _NARROW.get(entry.type.format)


@dataclass(frozen=True, slots=True)
class FlatCodes:
    """A matrix of codes of `columns` to a row."""

    entry: TensorEntry
    columns: int

    def part(self, reader: TensorReader, part: Piece) -> Tensor:
        """Whole numbers or floats `[rows, columns]` of whole rows, or of a part of one."""
        bits = _NARROW.get(self.entry.type.format)
        if bits is None:
            return read_rectangle(reader, self.entry, self.columns, part)
        first = part.row * self.columns + part.column
        begin, end = first * bits // 8, -(-(first + part.elements) * bits // 8)
        stream = torch.empty(end - begin, dtype=torch.uint8)
        for at in range(begin, end, reader.chunk_bytes):
            view = reader.bytes(self.entry, at, min(reader.chunk_bytes, end - at))
            stream[at - begin : at - begin + len(view)] = torch.frombuffer(view, dtype=torch.uint8)
        skipped = first - begin * 8 // bits
        # `unpack_stream` takes eight codes at a time.
        padded = torch.nn.functional.pad(stream, (0, -len(stream) % bits))
        codes = unpack_stream(padded.view(1, -1), bits).view(-1)[skipped : skipped + part.elements]
        return self._numbers(codes, bits).view(part.rows, part.columns)

    def _numbers(self, codes: Tensor, bits: int) -> Tensor:
        name = self.entry.type.format
        if name == "float4_e2m1fn":
            return e2m1(codes, torch.float32)
        if name.startswith("u"):
            return codes
        half = 1 << (bits - 1)
        return (codes ^ half).to(torch.int8) - half

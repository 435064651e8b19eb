"""Codes of 2 or 4 bits that follow each other without gaps through a whole tensor, rows and all."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from app.layouts.rectangles import read_run
from app.schemes.matrix_blocks import Piece
from app.weightfiles.file_header import TensorEntry
from app.weightfiles.storage_types import BY_FORMAT
from app.weightfiles.tensor_reader import TensorReader

_BYTE = 8


@dataclass(frozen=True, slots=True)
class FlatCodes:
    """Codes of a stored tensor, the first of each byte in its low bits."""

    entry: TensorEntry
    width: int
    """Elements of a row of the matrix that it is seen as."""
    is_signed: bool

    def part(self, reader: TensorReader, part: Piece) -> Tensor:
        """float32 `[rows, columns]`; see `PartOfMatrix`."""
        if part.columns == self.width or part.rows == 1:
            first = part.row * self.width + part.column
            return self._run(reader, first, part.elements).view(part.rows, part.columns)
        starts = range(part.row * self.width + part.column, part.row_end * self.width, self.width)
        return torch.stack([self._run(reader, first, part.columns) for first in starts])

    def _run(self, reader: TensorReader, first: int, count: int) -> Tensor:
        bits = self.entry.type.bits
        begin, end = first * bits // _BYTE, -(-(first + count) * bits // _BYTE)
        stored = replace(self.entry, type=BY_FORMAT["uint8"], shape=(self.entry.bytes,))
        packed = read_run(reader, stored, begin, end - begin)
        codes = torch.stack([(packed >> place) & ((1 << bits) - 1) for place in range(0, _BYTE, bits)], dim=1)
        skipped = first - begin * _BYTE // bits
        found = codes.view(-1)[skipped : skipped + count]
        if not self.is_signed:
            return found.to(torch.float32)
        sign = 1 << (bits - 1)
        return (found ^ sign).to(torch.float32) - sign

"""Codes times scales, perhaps less zero points, in the dtype that a layout's owner computes in."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from app.layouts.checked_parts import odd_contents
from app.layouts.rectangles import PartOfMatrix, read_run
from app.layouts.scale_grids import Grid
from app.schemes.matrix_blocks import Piece
from app.weightfiles.file_header import TensorEntry
from app.weightfiles.tensor_reader import TensorReader


class Spread(Protocol):
    """Numbers for a part of a matrix, of a shape that is broadcast to it."""

    def over(self, reader: TensorReader, part: Piece) -> Tensor:
        """See `Grid`."""
        ...


@dataclass(frozen=True, slots=True)
class ScaledCodes:
    """(code - zero) * scale, each step rounded to `dtype`. Codes and zeros are whole numbers below 256, or floats."""

    codes: PartOfMatrix
    scales: Spread
    dtype: torch.dtype
    zeros: Spread | None = None
    offset: int = 0
    """What is subtracted where there are no zero points."""

    def __call__(self, reader: TensorReader, part: Piece) -> Tensor:
        """See `PartOfMatrix`."""
        numbers = self.codes(reader, part).to(self.dtype)
        if self.zeros is not None:
            numbers = numbers - self.zeros.over(reader, part).to(self.dtype)
        elif self.offset:
            numbers = numbers - self.offset
        return numbers * self.scales.over(reader, part).to(self.dtype)


@dataclass(frozen=True, slots=True)
class IndexedGrid:
    """Groups of columns in any order: for each column of the matrix its group's number (`g_idx`, activation order)."""

    weight: str
    grid: Grid
    """With a column for each group, and one row or a row for each of the matrix."""
    index: TensorEntry

    def over(self, reader: TensorReader, part: Piece) -> Tensor:
        """See `Grid`.

        Raises:
            WeightFileError: `layout.part-contents`, a group that there is not.
        """
        index = read_run(reader, self.index, part.column, part.columns).to(torch.int64)
        if bool(((index < 0) | (index >= self.grid.columns)).any()):
            raise odd_contents(self.weight, self.index)
        rows = (part.row, part.row_end) if self.grid.rows > 1 else (0, 1)
        return self.grid.read(reader, Piece(*rows, 0, self.grid.columns)).index_select(1, index)


def converted(part: PartOfMatrix, convert: Callable[[Tensor], Tensor]) -> PartOfMatrix:
    """Codes as the numbers that they stand for."""
    return lambda reader, piece: convert(part(reader, piece))

"""Rectangles of a matrix out of stored tensors, read by ranges: what the decoders of layouts are made of."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor

from app.schemes.matrix_blocks import Piece
from app.weightfiles.file_header import TensorEntry
from app.weightfiles.tensor_reader import TensorReader

PartOfMatrix = Callable[[TensorReader, Piece], Tensor]
"""The numbers `[rows, columns]` of a part of a matrix; what it gives is its own and not overwritten."""

_SHORT_ROW = 16 << 10
_WASTE = 8
"""Whole rows are read where a part of each is wanted, if they are short or not more than so many times as much."""
TURNED_ELEMENTS = 1 << 21
"""Of a unit of a matrix that is stored turned: each read of it passes over all stored rows."""


@dataclass(frozen=True, slots=True)
class MatrixDecoder:
    """A `Decoder` of a weight that is a matrix of rows of `columns` elements."""

    columns: int
    dtype: torch.dtype
    part: PartOfMatrix
    is_turned: bool = False
    """Whether the matrix is stored column by column."""

    @property
    def unit(self) -> int:
        """See `Decoder`."""
        return max(TURNED_ELEMENTS // self.columns, 1) * self.columns if self.is_turned else 1

    def decode(self, reader: TensorReader, first: int, count: int) -> Tensor:
        """See `Decoder`."""
        found = [self.part(reader, piece).reshape(-1) for piece in pieces(self.columns, first, count)]
        if not found:
            return torch.empty(0, dtype=self.dtype)
        return found[0] if len(found) == 1 else torch.cat(found)


def pieces(columns: int, first: int, count: int) -> Iterator[Piece]:
    """A run of elements: the end of a row, whole rows, the start of a row, as far as there are such."""
    end = first + count
    while first < end:
        row, column = divmod(first, columns)
        if column == 0 and end - first >= columns:
            rows = (end - first) // columns
            yield Piece(row, row + rows, 0, columns)
            first += rows * columns
        else:
            stop = min(columns, column + end - first)
            yield Piece(row, row + 1, column, stop)
            first += stop - column


def read_run(reader: TensorReader, entry: TensorEntry, first: int, count: int) -> Tensor:
    """A copy of `count` elements from element `first` on; the caller has bounded the count."""
    most = max(reader.chunk_elements(entry), 1)
    if count <= most:
        return reader.elements(entry, first, count).clone()
    runs = [(begin, min(most, first + count - begin)) for begin in range(first, first + count, most)]
    return torch.cat([reader.elements(entry, begin, run).clone() for begin, run in runs])


def read_rectangle(reader: TensorReader, entry: TensorEntry, width: int, part: Piece) -> Tensor:
    """A copy `[rows, columns]` of a part of a tensor whose rows have `width` elements, whatever its shape."""
    if part.columns == width or part.rows == 1:
        return read_run(reader, entry, part.row * width + part.column, part.elements).view(part.rows, part.columns)
    row_bytes = width * entry.type.bits // 8
    if row_bytes > _SHORT_ROW and width > _WASTE * part.columns:
        first = part.column
        rows = range(part.row, part.row_end)
        return torch.stack([read_run(reader, entry, row * width + first, part.columns) for row in rows])
    step = max(reader.chunk_bytes // max(row_bytes, 1), 1)
    found = []
    for row in range(part.row, part.row_end, step):
        count = min(step, part.row_end - row)
        band = read_run(reader, entry, row * width, count * width).view(count, width)
        found.append(band[:, part.column : part.column_end])
    return torch.cat(found)


def matrix_of(shape: tuple[int, ...]) -> tuple[int, int]:
    """Rows and columns of a tensor seen as a matrix: the innermost dimension makes the columns."""
    return prod(shape[:-1]), shape[-1] if shape else 1

"""Scales and zero points that each hold for a block of a matrix, spread over the elements of a part of it."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from app.layouts.rectangles import PartOfMatrix, read_rectangle
from app.schemes.matrix_blocks import Piece
from app.weightfiles.file_header import TensorEntry
from app.weightfiles.tensor_reader import TensorReader


def as_it_is(numbers: Tensor) -> Tensor:
    """The same numbers."""
    return numbers


@dataclass(frozen=True, slots=True)
class Grid:
    """Where the number of each block lies; the last blocks of rows and columns may be short."""

    rows: int
    columns: int
    block: tuple[int, int]
    """Rows and columns of the matrix that share a number."""
    read: Callable[[TensorReader, Piece], Tensor]
    """A part of the grid itself."""

    def over(self, reader: TensorReader, part: Piece) -> Tensor:
        """The numbers for a part of the matrix, of a shape that is broadcast to it."""
        height, width = self.block
        rows = _blocks(part.row, part.row_end, height, self.rows)
        columns = _blocks(part.column, part.column_end, width, self.columns)
        found = self.read(reader, Piece(rows.start, rows.stop, columns.start, columns.stop))
        found = _spread(found, 0, part.row, part.row_end, height, rows)
        return _spread(found, 1, part.column, part.column_end, width, columns)


def _blocks(first: int, end: int, block: int, count: int) -> range:
    return range(1) if count == 1 else range(first // block, -(-end // block))


def _spread(numbers: Tensor, dimension: int, first: int, end: int, block: int, blocks: range) -> Tensor:
    if len(blocks) == 1 or block == 1:
        return numbers
    places = torch.arange(first, end).div_(block, rounding_mode="floor").sub_(blocks.start)
    return numbers.index_select(dimension, places)


def stored_grid(
    entry: TensorEntry,
    rows: int,
    columns: int,
    block: tuple[int, int],
    convert: Callable[[Tensor], Tensor] = as_it_is,
) -> Grid:
    """A grid whose numbers are the elements of a stored tensor."""
    return Grid(rows, columns, block, lambda reader, part: convert(read_rectangle(reader, entry, columns, part)))


def turned_grid(part_of: PartOfMatrix, rows: int, columns: int, block: tuple[int, int]) -> Grid:
    """A grid that is stored turned: its columns are the rows of what `part_of` reads."""

    def read(reader: TensorReader, part: Piece) -> Tensor:
        return part_of(reader, Piece(part.column, part.column_end, part.row, part.row_end)).t()

    return Grid(rows, columns, block, read)


def block_of(size: int, blocks: int, hints: tuple[int, ...] = ()) -> int | None:
    """How many elements share a number where `size` elements have `blocks` numbers; None if that cannot be.

    The first hint that fits; else blocks of one size; else the usual one of 128, the last one short.
    """
    if blocks == 1:
        return max(size, 1)
    if blocks < 1 or blocks > size:
        return None
    found = next((hint for hint in hints if hint > 0 and -(-size // hint) == blocks), None)
    if found is not None:
        return found
    if size % blocks == 0:
        return size // blocks
    return 128 if -(-size // 128) == blocks else None

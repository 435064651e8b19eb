"""Scales in the order in which tensor cores read them: tiles of 128 rows and 4 columns, 512 numbers each.

In a tile the number of row r and column c stands at (r % 32) * 16 + r // 32 * 4 + c; tiles lie row after row.
https://docs.nvidia.com/cuda/cublas/index.html#d-block-scaling-factors-layout
"""

from collections.abc import Callable

import torch
from torch import Tensor

from app.layouts.rectangles import read_run
from app.layouts.scale_grids import Grid
from app.schemes.matrix_blocks import Piece
from app.weightfiles.file_header import TensorEntry
from app.weightfiles.tensor_reader import TensorReader

_ROWS, _COLUMNS, _TILE = 128, 4, 512


def swizzled_elements(rows: int, columns: int) -> int:
    """How many numbers are stored, those that fill the last tiles too."""
    return -(-rows // _ROWS) * -(-columns // _COLUMNS) * _TILE


def swizzled_grid(entry: TensorEntry, rows: int, columns: int, group: int, convert: Callable[[Tensor], Tensor]) -> Grid:
    """A grid of numbers of groups along rows."""
    across = -(-columns // _COLUMNS)

    def read(reader: TensorReader, part: Piece) -> Tensor:
        first, end = part.column // _COLUMNS, -(-part.column_end // _COLUMNS)
        bands = range(part.row // _ROWS, -(-part.row_end // _ROWS))
        found = [read_run(reader, entry, (band * across + first) * _TILE, (end - first) * _TILE) for band in bands]
        tiles = torch.stack(found).view(torch.uint8).view(len(bands), end - first, 32, 4, _COLUMNS)
        # [band, tile, r % 32, r // 32, column] to [band, r // 32, r % 32, tile, column].
        ordered = tiles.permute(0, 3, 2, 1, 4).reshape(len(bands) * _ROWS, -1)
        top, left = bands.start * _ROWS, first * _COLUMNS
        cut = ordered[part.row - top : part.row_end - top, part.column - left : part.column_end - left]
        return convert(cut.contiguous().view(torch.uint8).view(_dtype(entry)))

    return Grid(rows, columns, (1, group), read)


def _dtype(entry: TensorEntry) -> torch.dtype:
    return {"float8_e4m3fn": torch.float8_e4m3fn, "float8_e8m0fnu": torch.float8_e8m0fnu}.get(
        entry.type.format, torch.uint8
    )

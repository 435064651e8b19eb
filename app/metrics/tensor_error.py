"""The error of a tensor and where it is largest, block by block in float64, without a second copy of the tensor.

NaN and infinity as in `app.metrics.error_sums`: a pair of the same ones is left out, any other makes the error
infinite.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from app.metrics.blocks import BLOCK_ELEMENTS, SMALLEST_SQUARES, blocks
from app.metrics.error_sums import ErrorFigures, ErrorSums, PairSums


@dataclass(frozen=True, slots=True)
class TensorError:
    """`ErrorFigures` and what takes the places of numbers to tell."""

    figures: ErrorFigures
    max_place: int | None
    """The flat index of the largest error, the first of equal ones; None without error."""
    relative_frobenius: float | None
    """sqrt(sum (x - y)^2 / sum x^2): 0 without error, infinite where only zeros were and no longer are."""


def tensor_error(original: Tensor, restored: Tensor) -> TensorError:
    """The error of two contiguous tensors of as many elements."""
    return error_of(pair_sums(original, restored))


def error_of(sums: PairSums) -> TensorError:
    """The error that sums tell."""
    figures = sums.figures()
    return TensorError(figures, sums.max_place, _relative(figures))


def pair_sums(original: Tensor, restored: Tensor) -> PairSums:
    """The sums over two contiguous tensors of as many elements."""
    sums = ErrorSums()
    largest, place = 0.0, None
    for index, (x, y) in enumerate(zip(blocks(original), blocks(restored), strict=True)):
        sums.add(x, y)
        here, at = _largest(x, y)
        if here > largest:
            largest, place = here, index * BLOCK_ELEMENTS + at
    return replace(sums.sums(), elements=original.numel(), max_place=place)


def _largest(x: Tensor, y: Tensor) -> tuple[float, int]:
    x, y = x.to(torch.float64), y.to(torch.float64)
    same = (x == y) | (torch.isnan(x) & torch.isnan(y))
    differences = torch.where(same, 0.0, (y - x).abs()).nan_to_num(math.inf, posinf=math.inf)
    at = int(differences.argmax())
    return float(differences[at]), at


def _relative(figures: ErrorFigures) -> float | None:
    """From the SQNR: the same two sums."""
    if figures.sqnr_db is None:
        return None
    if math.isinf(figures.sqnr_db):
        return 0.0 if figures.sqnr_db > 0 else math.inf
    return float(10 ** (-figures.sqnr_db / 20))


def row_sqnr(original: Tensor, restored: Tensor, group: int | None = None) -> Tensor:
    """The SQNR in dB of every row of two matrices, or of every group of columns in it: float64 `[rows, groups]`.

    Infinite without error, minus infinity where zeros became something else. NaN where a sum of squares is beyond
    float64, or too small for it.
    """
    rows, columns = original.shape
    size = group or columns
    squares, errors = torch.zeros(2, rows, -(-columns // size), dtype=torch.float64)
    for first, last in _pieces(columns, size):
        groups = slice(first // size, -(-last // size))
        step = max(1, BLOCK_ELEMENTS // (last - first))
        for start in range(0, rows, step):
            part = slice(start, start + step), slice(first, last)
            x = original[part].to(torch.float64)
            error = restored[part].to(torch.float64) - x
            squares[part[0], groups] += _grouped(x, size)
            errors[part[0], groups] += _grouped(error, size)
    return _decibels(squares, errors)


def _pieces(columns: int, size: int) -> Iterator[tuple[int, int]]:
    """Runs of columns no longer than a block: of whole groups, or parts of one."""
    whole = BLOCK_ELEMENTS // size * size
    for start in range(0, columns, whole or size):
        end = min(start + (whole or size), columns)
        for first in range(start, end, BLOCK_ELEMENTS):
            yield first, min(first + BLOCK_ELEMENTS, end)


def _grouped(values: Tensor, size: int) -> Tensor:
    """The sums of squares of groups, the last one of what is left; of a part of one group, its only sum."""
    if values.shape[1] <= size:
        return values.square().sum(dim=1, keepdim=True)
    filled = torch.nn.functional.pad(values, (0, -values.shape[1] % size))
    return filled.view(values.shape[0], -1, size).square().sum(dim=2)


def _decibels(squares: Tensor, error: Tensor) -> Tensor:
    found = 10 * (torch.log10(squares) - torch.log10(error))
    found = torch.where(torch.isfinite(error) & ((error == 0) | (error >= SMALLEST_SQUARES)), found, torch.nan)
    return torch.where((error == 0) & (squares == 0), torch.inf, found)


def clipped_count(values: Tensor, lows: Tensor, highs: Tensor) -> int:
    """How many numbers lie beyond the ends of what they could be stored as; all of one shape."""
    total = 0
    for value, low, high in zip(blocks(values), blocks(lows), blocks(highs), strict=True):
        total += int(torch.count_nonzero((value < low) | (value > high)))
    return total

"""The range of each channel of a tensor, which is a row of its outermost dimension, and its largest magnitudes."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from app.metrics.blocks import WORTH_COMPILING
from app.metrics.code_counts import values_of_codes, words_of

MOST_BINS = 512
LARGEST = 8
"""How many of the largest magnitudes are kept with their places."""
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ChannelRanges:
    """Ranges of the finite elements, in float64; None where a bin has none."""

    channels: int
    per_bin: int
    """Neighbouring channels that share a bin; the last bin may have fewer."""
    low: tuple[float | None, ...]
    high: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Extreme:
    """An element of large magnitude; `index` counts in row-major order."""

    index: int
    value: float


class ChannelPass:
    """Fed the elements in order, chunk by chunk. Channels beyond the bins share one with their neighbours."""

    def __init__(self, shape: tuple[int, ...], dtype: torch.dtype, most_bins: int = MOST_BINS) -> None:
        elements = int(np.prod(shape, dtype=object)) if shape else 1
        channels = shape[0] if len(shape) > 1 else 1
        self._columns = max(elements // channels if channels else 0, 1)
        self._channels = channels if elements else 0
        self._per_bin = max(-(-self._channels // max(most_bins, 1)), 1)
        bins = -(-self._channels // self._per_bin)
        self._low, self._high = np.full(bins, np.inf), np.full(bins, -np.inf)
        self._dtype = dtype
        self._table = _table(dtype) if dtype.itemsize <= 2 else None
        self._largest: list[Extreme] = []

    def add(self, first: int, values: Tensor) -> None:
        """Elements from element `first` on."""
        flat = values.view(-1)
        for start, rows, width in _rectangles(first, flat.numel(), self._columns):
            piece = flat[start : start + rows * width]
            low, high = np.full(rows, np.inf), np.full(rows, -np.inf)
            self._widen(piece, rows, low, high)
            place = first + start
            bins = (place // self._columns + np.arange(rows)) // self._per_bin
            np.minimum.at(self._low, bins, low)
            np.maximum.at(self._high, bins, high)
            self._note_largest(place, piece, width, np.maximum(-low, high))

    def ranges(self) -> ChannelRanges:
        """What was found."""
        return ChannelRanges(self._channels, self._per_bin, _known(self._low), _known(self._high))

    def largest(self) -> tuple[Extreme, ...]:
        """The largest magnitudes, the largest first; of equal ones the first in the tensor."""
        return tuple(self._largest)

    def _widen(self, piece: Tensor, rows: int, low: Floats, high: Floats) -> None:
        if piece.numel() < WORTH_COMPILING:
            values = _numbers(piece).reshape(rows, -1)
            is_finite = np.isfinite(values)
            low[:] = np.where(is_finite, values, np.inf).min(axis=1)
            high[:] = np.where(is_finite, values, -np.inf).max(axis=1)
            return
        from app.metrics.kernels import row_ranges  # noqa: PLC0415 - numba is imported on first use only

        if self._table is None:
            row_ranges.row_range_kernel()(piece.numpy().reshape(rows, -1), low, high)
        else:
            row_ranges.coded_row_range_kernel()(words_of(piece).reshape(rows, -1), self._table, low, high)

    def _note_largest(self, place: int, piece: Tensor, width: int, magnitudes: Floats) -> None:
        # Eight elements of the whole lie in the eight rows of largest magnitude, of equal rows the first.
        smallest_kept = abs(self._largest[-1].value) if len(self._largest) == LARGEST else -1.0
        rows = np.flatnonzero(magnitudes > smallest_kept)
        for row in np.sort(rows[np.argsort(-magnitudes[rows], kind="stable")[:LARGEST]]):
            values = _numbers(piece[row * width : (row + 1) * width])
            found = [Extreme(int(place + row * width + i), float(values[i])) for i in _largest_places(values)]
            both = sorted([*self._largest, *found], key=lambda each: (-abs(each.value), each.index))
            self._largest = both[:LARGEST]


def _rectangles(first: int, count: int, columns: int) -> Iterator[tuple[int, int, int]]:
    """A run of elements cut into whole rows, and parts of rows before and behind: start in the run, rows, width."""
    start = 0
    while start < count:
        column = (first + start) % columns
        left = count - start
        if column == 0 and left >= columns:
            rows, width = left // columns, columns
        else:
            rows, width = 1, min(columns - column, left)
        yield start, rows, width
        start += rows * width


@lru_cache(maxsize=16)
def _table(dtype: torch.dtype) -> Floats:
    values = values_of_codes(dtype)
    return np.where(np.isfinite(values), values, np.nan)


def _numbers(piece: Tensor) -> Floats:
    seen = piece.view(torch.uint8) if piece.dtype is torch.bool else piece
    return seen.to(torch.float64).numpy()


def _largest_places(values: Floats) -> list[int]:
    magnitudes = np.where(np.isfinite(values), np.abs(values), -1.0)
    if magnitudes.size > LARGEST:
        least = np.partition(magnitudes, -LARGEST)[-LARGEST]
        above = np.flatnonzero(magnitudes > least)
        equal = np.flatnonzero(magnitudes == least)[: LARGEST - above.size]
        places = np.concatenate([above, equal])
    else:
        places = np.arange(magnitudes.size)
    return [int(place) for place in places if magnitudes[place] >= 0]


def _known(bounds: Floats) -> tuple[float | None, ...]:
    return tuple(float(bound) if np.isfinite(bound) else None for bound in bounds)

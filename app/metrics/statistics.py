"""What a tensor's numbers look like: range, mean, spread, zeros, NaN, infinities, and a histogram."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from app.metrics.blocks import SMALLEST_SQUARES, block_buffer, blocks

BINS = 64
Number = float | int

# torch cannot order these: they are looked at as the signed type of the same width.
_UNSIGNED = {torch.uint16: (torch.int16, 16), torch.uint32: (torch.int32, 32), torch.uint64: (torch.int64, 64)}


@dataclass(frozen=True, slots=True)
class Statistics:
    """Of the finite elements: exact `min` and `max`, `mean` and population `std`; None where there are none."""

    min: Number | None
    max: Number | None
    mean: float | None
    std: float | None
    zeros: int
    nans: int
    infinities: int


@dataclass(frozen=True, slots=True)
class Histogram:
    """Counts of the finite elements in bins of equal width from `low` to `high`; the last bin holds `high` too."""

    low: Number
    high: Number
    counts: tuple[int, ...]


class StatisticsPass:
    """Gathers statistics block by block; means and spreads are merged pairwise (Chan, Golub and LeVeque, 1983)."""

    def __init__(self) -> None:
        self._buffer = block_buffer()
        self._zeros = self._nans = self._infinities = self._finite = 0
        self._min: Number | None = None
        self._max: Number | None = None
        self._mean = 0.0
        self._squares = 0.0

    def add(self, values: Tensor) -> None:
        """Counts a contiguous tensor of a real dtype."""
        for block in blocks(values):
            floats = to_float64(block, self._buffer)
            if block.dtype.is_floating_point:
                low, high = map(float, torch.aminmax(floats))
                if not (math.isfinite(low) and math.isfinite(high)):
                    floats = self._leave_out_others(floats)
                    if not floats.numel():
                        continue
                    low, high = map(float, torch.aminmax(floats))
                self._widen(low, high)
            else:
                self._widen(*_integer_range(block))
            self._zeros += floats.numel() - int(torch.count_nonzero(floats))
            self._merge(floats)

    def _leave_out_others(self, floats: Tensor) -> Tensor:
        nans = int(torch.isnan(floats).sum())
        finite = floats[torch.isfinite(floats)]
        self._nans += nans
        self._infinities += floats.numel() - finite.numel() - nans
        return finite

    def _widen(self, low: Number, high: Number) -> None:
        self._min = low if self._min is None else min(self._min, low)
        self._max = high if self._max is None else max(self._max, high)

    def _merge(self, floats: Tensor) -> None:
        count = floats.numel()
        mean = float(floats.sum()) / count
        floats.sub_(mean)
        squares = float(torch.dot(floats, floats))
        total = self._finite + count
        shift = mean - self._mean
        self._mean += shift * (count / total)
        self._squares += squares + shift * shift * (self._finite * (count / total))
        self._finite = total

    def statistics(self) -> Statistics:
        """The statistics of all that was added."""
        mean = std = None
        if self._finite:
            # Out of float64's range, for numbers near either end: unknown rather than infinite or zero.
            mean = self._mean if math.isfinite(self._mean) else None
            is_known = self._squares >= SMALLEST_SQUARES or self._min == self._max
            spread = math.sqrt(self._squares / self._finite) if is_known else math.nan
            std = spread if mean is not None and math.isfinite(spread) else None
        return Statistics(self._min, self._max, mean, std, self._zeros, self._nans, self._infinities)


def histogram_pass(chunks: Iterable[Tensor], low: Number, high: Number) -> Histogram:
    """The histogram of chunks whose finite elements lie between `low` and `high`, both among them."""
    counts = torch.zeros(BINS, dtype=torch.int64)
    if low == high:
        counts[0] = sum(_finite_count(chunk) for chunk in chunks)
        return Histogram(low, high, tuple(counts.tolist()))
    factor = _scaling(float(low), float(high))
    first, last = float(low) * factor, float(high) * factor
    if first == last:
        # 64-bit integers closer together than float64 tells: all one bin.
        last = math.nextafter(first, math.inf)
    for floats in _finite_blocks(chunks):
        counts += torch.histc(floats.mul_(factor), BINS, first, last).to(torch.int64)
    return Histogram(low, high, tuple(counts.tolist()))


def _scaling(low: float, high: float) -> float:
    """A power of two that brings the range near 1, so that its width neither overflows nor vanishes."""
    exponent = math.frexp(max(abs(low), abs(high)))[1]
    return math.ldexp(1.0, max(-1000, min(1000, -exponent)))


def _finite_blocks(chunks: Iterable[Tensor]) -> Iterator[Tensor]:
    buffer = block_buffer()
    for chunk in chunks:
        for block in blocks(chunk):
            floats = to_float64(block, buffer)
            if block.dtype.is_floating_point and not math.isfinite(float(floats.sum())):
                floats = floats[torch.isfinite(floats)]
            yield floats


def _finite_count(chunk: Tensor) -> int:
    return sum(block.numel() for block in _finite_blocks([chunk]))


def to_float64(block: Tensor, buffer: Tensor) -> Tensor:
    """The block's numbers in the buffer; a boolean's byte counts as the number it holds, 2 and 255 too."""
    target = buffer[: block.numel()]
    if block.dtype is torch.bool:
        block = block.view(torch.uint8)
    return target.copy_(block)


def _integer_range(block: Tensor) -> tuple[int, int]:
    if block.dtype is torch.bool:
        block = block.view(torch.uint8)
    if block.dtype not in _UNSIGNED:
        low, high = torch.aminmax(block)
        return int(low), int(high)
    signed, bits = _UNSIGNED[block.dtype]
    top = 1 << (bits - 1)
    # Flipping the top bit maps unsigned order onto signed order.
    low, high = torch.aminmax(block.view(signed) ^ -top)
    return int(low) + top, int(high) + top

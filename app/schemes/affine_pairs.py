"""The three ways to place integers from 0 on: a scale with a minimum, with an integer zero point, with a float one.

A pair is a scale and an offset of each block, both storable, float32 `[blocks]`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from app.schemes.affine_arithmetic import last_integer, minimum_below, nearest_minimum, nearest_scale
from app.schemes.scale_formats import ScaleFormat

Pair = tuple[Tensor, Tensor]
Rounding = Callable[[Tensor], Tensor]


@dataclass(frozen=True, slots=True)
class Sums:
    """Of the elements of each block by weight: how many, and of codes and values; float64 `[blocks]`."""

    count: Tensor
    codes: Tensor
    squares: Tensor
    """Of codes."""
    values: Tensor
    products: Tensor
    """Of codes and values."""

    def line(self, scales: Tensor) -> Pair:
        """Slope and intercept with the least squared error; the slope of the scales given where no other is found."""
        determinant = self.count * self.squares - self.codes * self.codes
        slope = (self.count * self.products - self.codes * self.values) / determinant
        slope = torch.where((determinant > 0) & (slope > 0), slope, scales.to(torch.float64))
        return slope, self.intercept(slope)

    def intercept(self, slope: Tensor) -> Tensor:
        """The best one for a slope."""
        return (self.values - slope * self.codes) / torch.where(self.count > 0, self.count, 1.0)

    def slope_about(self, zero_points: Tensor, intercept: Tensor | float, otherwise: Tensor) -> Tensor:
        """The best slope of the codes less a zero point, for values less an intercept."""
        products = self.products - zero_points * self.values - intercept * (self.codes - zero_points * self.count)
        squares = self.squares - 2 * zero_points * self.codes + zero_points * zero_points * self.count
        slope = products / squares
        return torch.where((squares > 0) & (slope > 0), slope, otherwise.to(torch.float64))


class AffinePairs(Protocol):
    """What a layout stores beside the codes, and its arithmetic."""

    @property
    def bits(self) -> int:
        """Of a code."""
        ...

    def between(self, low: Tensor, high: Tensor) -> Pair:
        """The pair whose first and last integer stand for about these, float64 `[blocks]`."""
        ...

    def starts(self, low: Tensor, high: Tensor) -> list[Pair]:
        """More pairs to start from, for blocks of few different numbers."""
        ...

    def fitted(self, sums: Sums, scales: Tensor, offsets: Tensor) -> tuple[Pair, Pair]:
        """Two roundings of the least-squares line through the codes that a pair gives."""
        ...

    def shifted(self, scales: Tensor, offsets: Tensor, shift: Tensor) -> Pair:
        """The pair for values that are multiplied by powers of two."""
        ...

    def encode(self, values: Tensor, scales: Tensor, offsets: Tensor, rounding: Rounding = torch.round) -> Tensor:
        """The nearest integer for each value, as float32; scales and offsets broadcast."""
        ...

    def decode(self, codes: Tensor, scales: Tensor, offsets: Tensor) -> Tensor:
        """The numbers that readers get, float32."""
        ...

    def taken_apart(self, codes: Tensor, offsets: Tensor) -> tuple[Tensor, Tensor | None]:
        """What multiplies the scale, and what is added after."""
        ...


@dataclass(frozen=True, slots=True)
class MinimumPairs:
    """Value = integer * scale + minimum: MLX, Q4_1 and Q5_1."""

    bits: int
    scale_format: ScaleFormat
    minimum_format: ScaleFormat

    def between(self, low: Tensor, high: Tensor) -> Pair:
        """See `AffinePairs`."""
        return self._reaching(nearest_minimum(self.minimum_format, low), high)

    def _reaching(self, minima: Tensor, high: Tensor) -> Pair:
        return nearest_scale(self.scale_format, (high - minima) / last_integer(self.bits)), minima

    def starts(self, low: Tensor, high: Tensor) -> list[Pair]:
        """From a storable minimum that is not above; from zero; and with zero in the middle."""
        found = [self._reaching(minimum_below(self.minimum_format, low), high)]
        last, half = last_integer(self.bits), 1 << (self.bits - 1)
        reach = torch.maximum(-low, high)
        for index in range(min(_EXACT_STARTS, half)):
            from_zero = nearest_scale(self.scale_format, high / (last - index))
            centred = nearest_scale(self.scale_format, reach / (half - index))
            found.append((from_zero, torch.zeros_like(from_zero)))
            found.append((centred, nearest_minimum(self.minimum_format, -half * centred)))
        return found

    def fitted(self, sums: Sums, scales: Tensor, offsets: Tensor) -> tuple[Pair, Pair]:
        """The scale rounded first, or the minimum."""
        del offsets
        slope, intercept = sums.line(scales)
        first = nearest_scale(self.scale_format, slope)
        second = nearest_minimum(self.minimum_format, intercept)
        refit = sums.slope_about(torch.zeros_like(slope), second.to(torch.float64), slope)
        return (
            (first, nearest_minimum(self.minimum_format, sums.intercept(first.to(torch.float64)))),
            (nearest_scale(self.scale_format, refit), second),
        )

    def shifted(self, scales: Tensor, offsets: Tensor, shift: Tensor) -> Pair:
        """See `AffinePairs`."""
        return scales * shift, offsets * shift

    def encode(self, values: Tensor, scales: Tensor, offsets: Tensor, rounding: Rounding = torch.round) -> Tensor:
        """See `AffinePairs`."""
        return rounding((values - offsets).mul_(1 / scales)).clamp_(0, last_integer(self.bits))

    def decode(self, codes: Tensor, scales: Tensor, offsets: Tensor) -> Tensor:
        """See `AffinePairs`."""
        return codes.mul(scales).add_(offsets)

    def taken_apart(self, codes: Tensor, offsets: Tensor) -> tuple[Tensor, Tensor | None]:
        """See `AffinePairs`."""
        return codes, offsets


@dataclass(frozen=True, slots=True)
class ZeroPointPairs:
    """Value = (integer - zero point) * scale, the zero point an integer: compressed-tensors, AWQ, GPTQ, torchao."""

    bits: int
    scale_format: ScaleFormat

    def between(self, low: Tensor, high: Tensor) -> Pair:
        """Zero is always among the numbers: the ends are moved to it where they do not enclose it."""
        low, high = low.clamp(max=0), high.clamp(min=0)
        scales = nearest_scale(self.scale_format, (high - low) / last_integer(self.bits))
        return scales, self._nearest_zero(-low / scales)

    def _nearest_zero(self, zero_points: Tensor) -> Tensor:
        return torch.round(zero_points).clamp_(0, last_integer(self.bits)).to(torch.float32)

    def starts(self, low: Tensor, high: Tensor) -> list[Pair]:
        """Zero first, last or in the middle, and the number that is furthest off on one of the last integers."""
        last, half = last_integer(self.bits), 1 << (self.bits - 1)
        found = []
        for index in range(min(_EXACT_STARTS, half)):
            for zero, reach in ((0, high / (last - index)), (last, -low / (last - index))):
                scales = nearest_scale(self.scale_format, reach)
                found.append((scales, torch.full_like(scales, zero)))
            centred = nearest_scale(self.scale_format, torch.maximum(-low, high) / (half - index))
            found.append((centred, torch.full_like(centred, half)))
        return found

    def fitted(self, sums: Sums, scales: Tensor, offsets: Tensor) -> tuple[Pair, Pair]:
        """The scale for the zero point that is there, and for the one that a free line comes nearest to."""
        slope, intercept = sums.line(scales)
        nearest = self._nearest_zero(-intercept / slope)
        return self._about(sums, offsets, scales), self._about(sums, nearest, scales)

    def _about(self, sums: Sums, zero_points: Tensor, scales: Tensor) -> Pair:
        slope = sums.slope_about(zero_points.to(torch.float64), 0.0, scales)
        return nearest_scale(self.scale_format, slope), zero_points

    def shifted(self, scales: Tensor, offsets: Tensor, shift: Tensor) -> Pair:
        """See `AffinePairs`."""
        return scales * shift, offsets

    def encode(self, values: Tensor, scales: Tensor, offsets: Tensor, rounding: Rounding = torch.round) -> Tensor:
        """Rounded before the zero point is added."""
        return rounding(values * (1 / scales)).add_(offsets).clamp_(0, last_integer(self.bits))

    def decode(self, codes: Tensor, scales: Tensor, offsets: Tensor) -> Tensor:
        """See `AffinePairs`."""
        return codes.sub(offsets).mul_(scales)

    def taken_apart(self, codes: Tensor, offsets: Tensor) -> tuple[Tensor, Tensor | None]:
        """See `AffinePairs`."""
        return codes - offsets, None


@dataclass(frozen=True, slots=True)
class FloatZeroPairs:
    """Value = (integer - zero point) * scale, the zero point any storable number: HQQ."""

    bits: int
    scale_format: ScaleFormat
    zero_format: ScaleFormat

    def between(self, low: Tensor, high: Tensor) -> Pair:
        """See `AffinePairs`."""
        scales = nearest_scale(self.scale_format, (high - low) / last_integer(self.bits))
        return scales, nearest_minimum(self.zero_format, -low / scales)

    def starts(self, low: Tensor, high: Tensor) -> list[Pair]:
        """Those of integer zero points."""
        return ZeroPointPairs(self.bits, self.scale_format).starts(low, high)

    def fitted(self, sums: Sums, scales: Tensor, offsets: Tensor) -> tuple[Pair, Pair]:
        """The scale rounded first, or the zero point."""
        del offsets
        slope, intercept = sums.line(scales)
        first = nearest_scale(self.scale_format, slope)
        first_zero = -sums.intercept(first.to(torch.float64)) / first
        second = nearest_minimum(self.zero_format, -intercept / slope)
        refit = sums.slope_about(second.to(torch.float64), 0.0, slope)
        return (
            (first, nearest_minimum(self.zero_format, first_zero)),
            (nearest_scale(self.scale_format, refit), second),
        )

    def shifted(self, scales: Tensor, offsets: Tensor, shift: Tensor) -> Pair:
        """See `AffinePairs`."""
        return scales * shift, offsets

    def encode(self, values: Tensor, scales: Tensor, offsets: Tensor, rounding: Rounding = torch.round) -> Tensor:
        """See `AffinePairs`."""
        return rounding((values * (1 / scales)).add_(offsets)).clamp_(0, last_integer(self.bits))

    def decode(self, codes: Tensor, scales: Tensor, offsets: Tensor) -> Tensor:
        """See `AffinePairs`."""
        return codes.sub(offsets).mul_(scales)

    def taken_apart(self, codes: Tensor, offsets: Tensor) -> tuple[Tensor, Tensor | None]:
        """See `AffinePairs`."""
        return codes - offsets, None


_EXACT_STARTS = 8
"""How many of the last integers the largest number is tried on, for blocks that are zero but for a few."""

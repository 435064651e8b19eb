"""How many significant bits a format has at each magnitude.

At a number x with the next larger one x + gap it is 1 + log2(x / gap): a number in between is stored with an error of
at most 2^-bits of itself. Within a binade of a float that is the same everywhere, taken at its start.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

from app.formats import Format
from app.formats.bits import floor_log2, power_of_two
from app.tasks.compare_grids import Grid, NumberSet, Side, numbers_of
from app.tasks.logarithm import log2


@dataclass(frozen=True, slots=True)
class Magnitude:
    """ratio * 2^exponent, positive; the ratio is small, so that 2^-16494 costs no more than 1/2."""

    ratio: Fraction
    exponent: int
    log2: float
    """For the place on a chart."""

    @property
    def value(self) -> Fraction:
        return self.ratio * power_of_two(self.exponent)


Ends = tuple[Magnitude, Magnitude]
"""The smallest and the largest positive number."""


@dataclass(frozen=True, slots=True)
class PrecisionSegment:
    """A stretch of magnitudes where the precision stays, or grows by one bit a binade.

    `low_ratio` and `high_ratio` are x / gap at both ends; the bits are 1 + log2 of them.
    """

    low: Magnitude
    high: Magnitude
    low_ratio: Fraction
    high_ratio: Fraction
    low_bits: float
    high_bits: float
    is_flat: bool


def magnitude(value: Fraction) -> Magnitude:
    """A positive number with its power of two apart."""
    exponent = floor_log2(*value.as_integer_ratio())
    ratio = value * power_of_two(-exponent)
    return Magnitude(ratio, exponent, exponent + log2(ratio))


def _power(exponent: int) -> Magnitude:
    return Magnitude(Fraction(1), exponent, exponent)


def precision_of(number_format: Format) -> tuple[PrecisionSegment, ...]:
    """The stretches from the smallest to the largest positive number; none where there are fewer than two."""
    numbers = numbers_of(number_format)
    if numbers.listed is not None:
        positives = sorted(value for value in numbers.listed if value > 0)
        return tuple(
            _stretch(magnitude(low), magnitude(high), *2 * (low / (high - low),)) for low, high in pairwise(positives)
        )
    if numbers.positive is None:
        return ()
    return tuple(_merged(_of_side(numbers.positive)))


def bits_at(segments: tuple[PrecisionSegment, ...], exponent: float) -> float | None:
    """The significant bits at 2^exponent; None outside the range."""
    for segment in segments:
        if segment.low.log2 <= exponent < segment.high.log2:
            if segment.is_flat:
                return segment.low_bits
            return segment.low_bits + exponent - segment.low.log2
    return None


def smallest_positive(numbers: NumberSet) -> Fraction | None:
    """None where there is none."""
    if numbers.listed is not None:
        return min((value for value in numbers.listed if value > 0), default=None)
    return None if numbers.positive is None else numbers.positive.low


def _merged(segments: Iterator[PrecisionSegment]) -> Iterator[PrecisionSegment]:
    """Neighbours of the same precision as one stretch."""
    start = end = next(segments, None)
    for each in segments:
        assert start is not None
        assert end is not None
        if not (end.is_flat and each.is_flat and end.low_ratio == each.low_ratio):
            yield start if start is end else replace(start, high=end.high)
            start = each
        end = each
    if start is not None and end is not None:
        yield start if start is end else replace(start, high=end.high)


def _of_side(side: Side) -> Iterator[PrecisionSegment]:
    ends = magnitude(side.low), magnitude(side.high)
    following = [*(grid.first for grid in side.grids[1:]), None]
    for grid, next_first in zip(side.grids, following, strict=True):
        if next_first is not None and next_first > grid.last + 1:
            # One number, and the next many binades on: where an exponent is cut off.
            distance = next_first - grid.first
            ratio = Fraction(1, (1 << distance) - 1)
            yield _segment(ends, grid.first, next_first, ratio, ratio)
        else:
            yield from _of_grid(ends, grid)


def _of_grid(ends: Ends, grid: Grid) -> Iterator[PrecisionSegment]:
    """Where the unit limits the precision it grows with the magnitude; where the fraction does, it stays."""
    turn, end = grid.turn, grid.last + 1
    if grid.unit is not None and (turn is None or grid.first < turn):
        rising_end = end if turn is None else min(turn, end)
        yield _segment(
            ends, grid.first, rising_end, power_of_two(grid.first - grid.unit), power_of_two(rising_end - grid.unit)
        )
    flat_start = grid.first if turn is None else max(grid.first, turn)
    if grid.fraction_bits is not None and flat_start < end:
        ratio = power_of_two(grid.fraction_bits)
        yield _segment(ends, flat_start, end, ratio, ratio)


def _segment(ends: Ends, first: int, end: int, low_ratio: Fraction, high_ratio: Fraction) -> PrecisionSegment:
    """From 2^first to 2^end, but not beyond the smallest and largest numbers."""
    low, high = _power(first), _power(end)
    bottom, top = ends
    if first == bottom.exponent:
        if low_ratio != high_ratio:
            low_ratio *= bottom.ratio
        low = bottom
    if (end, Fraction(1)) > (top.exponent, top.ratio):
        if low_ratio != high_ratio:
            high_ratio *= top.ratio * power_of_two(top.exponent - end)
        high = top
    return _stretch(low, high, low_ratio, high_ratio)


def _stretch(low: Magnitude, high: Magnitude, low_ratio: Fraction, high_ratio: Fraction) -> PrecisionSegment:
    is_flat = low_ratio == high_ratio
    low_bits = 1 + log2(low_ratio)
    high_bits = low_bits if is_flat else 1 + log2(high_ratio)
    return PrecisionSegment(low, high, low_ratio, high_ratio, low_bits, high_bits, is_flat)

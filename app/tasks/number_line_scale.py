"""An interval of the number line and where its points are drawn: exact ends, a linear or a logarithmic scale.

Positions are shares of the width, from 0 at the low end to 1 at the high end: only they are floats.
"""

import math
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from app.exact.text import exact_text
from app.formats.bits import floor_log2, power_of_two
from app.tasks.logarithm import log2

FARTHEST_DECADE = 9_900
"""Zooming out ends at 10^9900, beyond every format (2^32767)."""
HAIR = Fraction(1, 4000)
"""Share of the width by which an end may move so that it has fewer digits: less than a pixel."""
NARROW = Fraction((1 << 16) + 1, 1 << 16)
"""Of two ends that differ by less than this factor the logarithm is a straight line, to less than a pixel."""
LONGEST_PLAIN = 18
FLOAT_BITS = 52
FARTHEST_HEIGHT = 33_000.0
"""Beyond 10^9900 and every format."""
GRID_BITS = 64
LONG_DENOMINATOR = 4096
"""Bits from which ends are shortened before they are computed with."""


class Scale(StrEnum):
    """How a position grows with its number."""

    LINEAR = "linear"
    LOG = "log"
    """By octaves: the same length for every doubling. Across zero, one octave's length from 0 to `unit` is linear."""


@dataclass(frozen=True, slots=True)
class Interval:
    """What is in view. `unit` is a positive number below which the logarithmic scale is linear, if zero is in view."""

    low: Fraction
    high: Fraction
    scale: Scale = Scale.LINEAR
    unit: Fraction = Fraction(1)

    @property
    def width(self) -> Fraction:
        return self.high - self.low

    @property
    def is_linear(self) -> bool:
        """Whether positions are in proportion to numbers."""
        if self.scale is Scale.LINEAR:
            return True
        near, far = sorted((abs(self.low), abs(self.high)))
        return far <= self.unit if self.spans_zero else far < near * NARROW

    @property
    def spans_zero(self) -> bool:
        return self.low <= 0 <= self.high

    def share_of(self, number: Fraction) -> float:
        """Where a number in view is drawn."""
        if self.is_linear:
            # Not in lowest terms: of ends as long as formats reach, that would take longest of all.
            (place, unit), (low, low_unit), (high, high_unit) = (
                each.as_integer_ratio() for each in (number, self.low, self.high)
            )
            return (place * low_unit - low * unit) * high_unit / (unit * (high * low_unit - low * high_unit))
        start, end = self._height(self.low), self._height(self.high)
        return (self._height(number) - start) / (end - start)

    def number_at(self, share: Fraction) -> Fraction:
        """The number drawn at that share of the width; shares outside 0..1 lie outside the view."""
        if self.is_linear:
            return self.low + self.width * share
        start, end = self._height(self.low), self._height(self.high)
        return self._from_height(start + (end - start) * float(share))

    def edges(self, columns: int) -> list[tuple[int, int]]:
        """The borders of so many columns of equal width, both ends included, as ratios that need not be reduced."""
        if self.is_linear:
            # Inner borders on a grid far finer than a column: their ratios stay short, however long the ends are.
            grid = power_of_two(floor_log2(*self.width.as_integer_ratio()) - GRID_BITS)
            low, width = self.low // grid, self.width // grid
            borders = [low + width * index // columns for index in range(1, columns)]
            inner = [(grid.numerator * border, grid.denominator) for border in borders]
            return [self.low.as_integer_ratio(), *inner, self.high.as_integer_ratio()]
        numbers = (self.low, *(self.number_at(Fraction(index, columns)) for index in range(1, columns)), self.high)
        return [number.as_integer_ratio() for number in numbers]

    def _height(self, number: Fraction) -> float:
        """The number on a scale of octaves: from the end nearer to zero, or through zero by way of `unit`."""
        if not self.spans_zero:
            octaves = log2(abs(number)) - log2(abs(self.low if self.low > 0 else self.high))
            return octaves if self.low > 0 else -octaves
        size = abs(number)
        height = float(size / self.unit) if size < self.unit else 1 + log2(size) - log2(self.unit)
        return -height if number < 0 else height

    def _from_height(self, height: float) -> Fraction:
        if self.low > 0:
            return exp2(log2(self.low) + height)
        if self.high < 0:
            return -exp2(log2(-self.high) - height)
        size = abs(height)
        number = self.unit * Fraction(size) if size < 1 else exp2(size - 1 + log2(self.unit))
        return -number if height < 0 else number


def exp2(height: float) -> Fraction:
    """2^height to the precision of a float; heights out of every format's reach stay at its border."""
    height = max(-FARTHEST_HEIGHT, min(height, FARTHEST_HEIGHT))
    whole = math.floor(height)
    shift = whole - FLOAT_BITS
    significand = int(2.0 ** (height - whole + FLOAT_BITS))
    # Without the odd part there is nothing to cancel, however long the numbers are.
    return Fraction(significand << shift) if shift >= 0 else significand * power_of_two(shift)


def part_of(interval: Interval, start: Fraction, end: Fraction) -> Interval:
    """The interval from one share of the width to another, its ends moved by less than a pixel to have few digits."""
    hair = (end - start) * HAIR
    near = _shortened(interval, hair)
    low, high = (_few_digits(near, share, hair) for share in (start, end))
    if low >= high:  # only where both ends stand at the limit
        return interval
    return Interval(low, high, interval.scale, interval.unit)


def _shortened(interval: Interval, hair: Fraction) -> Interval:
    """The interval with long ends cut off far below a hair, so that what is computed from them stays short."""
    longest = max(end.denominator.bit_length() for end in (interval.low, interval.high))
    if longest < LONG_DENOMINATOR or not interval.is_linear:
        return interval
    tolerance = interval.width * hair
    grid = power_of_two(floor_log2(*tolerance.as_integer_ratio()) - GRID_BITS)
    low, high = (end // grid * grid for end in (interval.low, interval.high))
    return Interval(low, high, interval.scale, interval.unit)


def _few_digits(interval: Interval, share: Fraction, hair: Fraction) -> Fraction:
    number = interval.number_at(share)
    if interval.is_linear:
        tolerance = interval.width * hair
    else:
        tolerance = (interval.number_at(share + hair) - interval.number_at(share - hair)) / 2
    number = max(-_power_of_ten(FARTHEST_DECADE), min(number, _power_of_ten(FARTHEST_DECADE)))
    if tolerance <= 0:  # out of reach, where the scale has ended
        return number
    return nearest_multiple(number, _power_of_ten(max(decade_of(tolerance), -FARTHEST_DECADE)))


def nearest_multiple(number: Fraction, step: Fraction) -> Fraction:
    """The multiple of the step that is nearest to the number."""
    return round(number / step) * step


def decade_of(number: Fraction) -> int:
    """The e with 10^e <= number < 10^(e+1), for a positive number."""
    exponent = math.floor(floor_log2(*number.as_integer_ratio()) * math.log10(2))
    while _power_of_ten(exponent) > number:
        exponent -= 1
    while _power_of_ten(exponent + 1) <= number:
        exponent += 1
    return exponent


def _power_of_ten(exponent: int) -> Fraction:
    return Fraction(10**exponent) if exponent >= 0 else Fraction(1, 10**-exponent)


def short_text(number: Fraction) -> str:
    """The shortest text that reads back as the number: decimal, scientific, in hexadecimal, or p/q."""
    plain = exact_text(number)
    if len(plain) <= LONGEST_PLAIN or "/" in plain:
        return plain
    texts = [plain, scientific_text(plain)]
    if number.denominator & (number.denominator - 1) == 0:
        numerator, exponent = abs(number.numerator), 1 - number.denominator.bit_length()
        zeros = (numerator & -numerator).bit_length() - 1
        texts.append(f"{'-' if number < 0 else ''}0x{numerator >> zeros:x}p{exponent + zeros}")
    return min(texts, key=len)


def scientific_text(plain: str) -> str:
    """A decimal as digits and a power of ten; one that is written so already stays as it is."""
    if "e" in plain:
        return plain
    sign, digits = ("-", plain[1:]) if plain.startswith("-") else ("", plain)
    whole, _, fraction = digits.partition(".")
    exponent = len(whole) - 1
    figures = whole + fraction
    leading = len(figures) - len(figures.lstrip("0"))
    figures, exponent = figures[leading:].rstrip("0"), exponent - leading
    return f"{sign}{figures[0]}{'.' if figures[1:] else ''}{figures[1:]}e{exponent}"

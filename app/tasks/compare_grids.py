"""The numbers of a format as grids: in each binade all multiples of one power of two.

Between 2^e and 2^(e+1) floats, integers, fixed point, posits and takums have evenly spaced numbers, so that counting
them and meeting two formats is arithmetic on exponents, whatever the width. Codebooks are lists.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from app.formats import (
    BooleanFormat,
    CodebookFormat,
    FixedPointFormat,
    FloatFormat,
    Format,
    IntegerFormat,
    PositFormat,
    TakumFormat,
)
from app.formats.bits import floor_log2, power_of_two

EXPONENT_FIELDS = ("exponent", "characteristic")


@dataclass(frozen=True, slots=True)
class Grid:
    """The binades from 2^first to 2^last: multiples of 2^(e - fraction_bits), and of 2^unit where there is one."""

    first: int
    last: int
    fraction_bits: int | None
    """None: as many as there is room for above the unit (integers)."""
    unit: int | None
    """None: no smallest step (posits)."""

    def step(self, exponent: int) -> int:
        """The exponent of the distance between neighbours in that binade; above `exponent` where it is empty."""
        relative = exponent - self.fraction_bits if self.fraction_bits is not None else None
        steps = [step for step in (relative, self.unit) if step is not None]
        return max(steps)

    @property
    def turn(self) -> int | None:
        """The exponent up to which the unit limits the precision, and from which on the fraction does."""
        if self.fraction_bits is None or self.unit is None:
            return None
        return self.unit + self.fraction_bits


@dataclass(frozen=True, slots=True)
class Side:
    """The positive numbers of a format, or the magnitudes of its negative ones, from `low` to `high`."""

    grids: tuple[Grid, ...]
    low: Fraction
    high: Fraction

    def grid_at(self, exponent: int) -> Grid | None:
        """The grid of a binade; None where the format has no number in it."""
        place = bisect_right(self.grids, exponent, key=lambda grid: grid.first) - 1
        return self.grids[place] if place >= 0 and exponent <= self.grids[place].last else None

    def contains(self, magnitude: Fraction) -> bool:
        """Whether the positive number is one of these."""
        if not self.low <= magnitude <= self.high:
            return False
        exponent = floor_log2(*magnitude.as_integer_ratio())
        grid = self.grid_at(exponent)
        return grid is not None and (magnitude * power_of_two(-grid.step(exponent))).denominator == 1


@dataclass(frozen=True, slots=True)
class NumberSet:
    """The different finite numbers of a format; -0 and 0 are one."""

    positive: Side | None
    negative: Side | None
    has_zero: bool
    listed: frozenset[Fraction] | None = None
    """All of them, where they follow no rule."""

    def contains(self, value: Fraction) -> bool:
        """Whether the format has exactly this number."""
        if self.listed is not None:
            return value in self.listed
        if value == 0:
            return self.has_zero
        side = self.positive if value > 0 else self.negative
        return side is not None and side.contains(abs(value))


@lru_cache(maxsize=128)
def numbers_of(number_format: Format) -> NumberSet:
    """The numbers of a format."""
    match number_format:
        case CodebookFormat():
            return NumberSet(None, None, has_zero=False, listed=frozenset(number_format.values))
        case BooleanFormat():
            return NumberSet(None, None, has_zero=False, listed=frozenset((Fraction(0), Fraction(1))))
        case IntegerFormat() | FixedPointFormat():
            return _whole_numbers(number_format)
        case FloatFormat():
            grid = Grid(
                floor_log2(*number_format.min_positive.as_integer_ratio()),
                floor_log2(*number_format.max.as_integer_ratio()),
                number_format.mantissa_bits,
                number_format.min_exponent - number_format.mantissa_bits,
            )
            side = Side((grid,), number_format.min_positive, number_format.max)
            return NumberSet(side, side if number_format.signed else None, has_zero=number_format.has_zero)
        case PositFormat() | TakumFormat():
            side = Side(tuple(_tapered_grids(number_format)), number_format.min_positive, number_format.max)
            return NumberSet(side, side, has_zero=True)


def _whole_numbers(number_format: IntegerFormat | FixedPointFormat) -> NumberSet:
    unit = -number_format.fraction_bits if isinstance(number_format, FixedPointFormat) else 0

    def side(end: Fraction) -> Side | None:
        if end <= 0:
            return None
        return Side((Grid(unit, floor_log2(*end.as_integer_ratio()), None, unit),), power_of_two(unit), end)

    return NumberSet(side(Fraction(number_format.max)), side(-Fraction(number_format.min)), has_zero=True)


def _tapered_grids(number_format: PositFormat | TakumFormat) -> Iterator[Grid]:
    """One grid for each run of codes with fields of the same widths; where the exponent is cut off, one a number."""
    ordinal, end = 1, number_format.last_ordinal
    while ordinal <= end:
        widths = dict(number_format.parts(ordinal).fields)
        fraction_bits = widths.get("fraction", 0)
        size = 1 << sum(widths.get(name, 0) for name in (*EXPONENT_FIELDS, "fraction"))
        following = (ordinal // size + 1) * size
        # Of a takum's first run zero has taken the first code.
        binades = range(ordinal, following, 1 << fraction_bits)
        first, last = (number_format.parts(each).exponent for each in (binades[0], following - 1))
        if fraction_bits or last - first == len(binades) - 1:
            yield Grid(first, last, fraction_bits, None)
        else:
            # Powers of two with others left out between them, evenly: the exponent's last bits are cut off.
            stride = (last - first) // (len(binades) - 1)
            yield from (Grid(exponent, exponent, 0, None) for exponent in range(first, last + 1, stride))
        ordinal = following

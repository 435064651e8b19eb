"""What a text stands for, exactly: a finite number whose powers are kept unexpanded, an infinity, or a NaN."""

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from app.formats.bits import REACH

# log2(10) = 3.3219280948873623478703194294893901..., between these two over 10^20.
_LOG2_10_BELOW = 332192809488736234787
_LOG2_10_SCALE = 10**20

LONGEST_EXPANSION = 140_000
"""Bits up to which a number is written out as numerator and denominator: enough for 4,096 characters wherever a format
reaches, and for the sum of the largest and the smallest number of one format."""

FARTHEST_POWER = REACH + 1_200
"""Magnitudes beyond 2^+-FARTHEST_POWER are never written as plain digits: every number of every format differs from
them by a factor of more than 2^1,200, which is more than 10^300."""


@dataclass(frozen=True, slots=True)
class Finite:
    """(-1)^negative * numerator / denominator * 10^exponent10 * 2^exponent2; a zero keeps its sign."""

    negative: bool
    numerator: int
    denominator: int = 1
    exponent10: int = 0
    exponent2: int = 0

    @property
    def is_zero(self) -> bool:
        return self.numerator == 0

    def log2_bounds(self) -> tuple[int, int]:
        """Integers `low` and `high` with 2^low <= magnitude < 2^high, found without expanding the powers."""
        tens, one_more = self.exponent10 * _LOG2_10_BELOW, self.exponent10 * (_LOG2_10_BELOW + 1)
        low10, high10 = min(tens, one_more) // _LOG2_10_SCALE, -(-max(tens, one_more) // _LOG2_10_SCALE)
        difference = self.numerator.bit_length() - self.denominator.bit_length() + self.exponent2
        return difference - 1 + low10, difference + 1 + high10

    @property
    def is_expandable(self) -> bool:
        """Whether `ratio` stays small; else only the bounds of the logarithm can be known cheaply."""
        if self.is_zero:
            return True
        size = self.numerator.bit_length() + self.denominator.bit_length()
        return size + 4 * abs(self.exponent10) + abs(self.exponent2) <= LONGEST_EXPANSION

    @property
    def is_far_away(self) -> bool:
        """Out of reach of every format, by far: only its size and its sign matter."""
        low, high = self.log2_bounds()
        return not self.is_zero and (low > FARTHEST_POWER or high < -FARTHEST_POWER)

    def ratio(self) -> tuple[int, int]:
        """Numerator and denominator of the magnitude, not reduced. Only for expandable numbers."""
        assert self.is_expandable, "a number out of every format's reach is never written out"
        if self.is_zero:
            return 0, 1
        numerator, denominator = self.numerator, self.denominator
        if self.exponent10 >= 0:
            numerator *= _power_of_ten(self.exponent10)
        else:
            denominator *= _power_of_ten(-self.exponent10)
        if self.exponent2 >= 0:
            return numerator << self.exponent2, denominator
        return numerator, denominator << -self.exponent2

    def fraction(self) -> Fraction:
        """The signed value. Only for expandable numbers."""
        numerator, denominator = self.ratio()
        return Fraction(-numerator if self.negative else numerator, denominator)


@lru_cache(maxsize=4)
def _power_of_ten(exponent: int) -> int:
    """One number is usually asked for in many formats, one after the other."""
    return 10**exponent  # type: ignore[no-any-return]  # the exponent is never negative here


@dataclass(frozen=True, slots=True)
class Infinity:
    """Larger in magnitude than every finite number."""

    negative: bool


@dataclass(frozen=True, slots=True)
class NaN:
    """Not a number. `payload` goes into the mantissa where it fits; a signalling NaN has its quiet bit clear."""

    negative: bool
    payload: int | None = None
    signalling: bool = False


Number = Finite | Infinity | NaN


def from_fraction(value: Fraction) -> Finite:
    """The number of that exact value; zero is taken as +0."""
    return Finite(value < 0, abs(value.numerator), value.denominator)

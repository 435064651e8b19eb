"""The kinds of number format: frozen dataclasses from which every other fact is derived.

A code is the integer whose binary digits are the stored bits. A float's magnitude code is the code without its sign
bit: it orders the format's non-negative values, so neighbours are one code apart.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction


class Specials(StrEnum):
    """Which codes of a float format are not finite numbers."""

    IEEE = "ieee"
    """The top exponent holds infinity (mantissa 0) and NaNs (IEEE 754-2019, 3.4)."""
    NAN_ONLY = "nan-only"
    """The all-ones magnitude is NaN, no infinity ("fn"; OCP 8-bit floating point 1.0, E4M3, and E8M0)."""
    NEGATIVE_ZERO_NAN = "negative-zero-nan"
    """The code of minus zero is the only NaN, no infinity ("fnuz")."""
    NONE = "none"
    """Every code is a finite number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a format is defined and where it is met."""

    reference: str
    used_by: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FloatFormat:
    """Sign, exponent and mantissa: (-1)^s * 2^(e-bias) * 1.m, and 2^(1-bias) * 0.m where the exponent field is 0."""

    name: str
    exponent_bits: int
    mantissa_bits: int
    bias: int
    specials: Specials = Specials.IEEE
    signed: bool = True
    has_subnormals: bool = True
    """Exponent field 0 means 0.m (zero and subnormals); where false, a binade like any other, and zero has no code."""
    origin: Origin = field(repr=False, compare=False)

    @property
    def width(self) -> int:
        return int(self.signed) + self.exponent_bits + self.mantissa_bits

    @property
    def field_widths(self) -> tuple[tuple[str, int], ...]:
        """Names and bits of the fields, from the most significant one down; fields of no bits are left out."""
        widths = (("sign", int(self.signed)), ("exponent", self.exponent_bits), ("mantissa", self.mantissa_bits))
        return tuple((name, bits) for name, bits in widths if bits)

    @property
    def precision(self) -> int:
        """Significant bits of a normal number, the hidden one included."""
        return self.mantissa_bits + 1

    @property
    def magnitude_mask(self) -> int:
        return (1 << (self.exponent_bits + self.mantissa_bits)) - 1

    @property
    def sign_mask(self) -> int:
        return self.magnitude_mask + 1 if self.signed else 0

    @property
    def min_exponent(self) -> int:
        """Exponent of the smallest normal number, and the one that all subnormals share."""
        return (1 if self.has_subnormals else 0) - self.bias

    @property
    def max_exponent(self) -> int:
        """Exponent of the largest finite number."""
        return (self.max_magnitude >> self.mantissa_bits) - self.bias

    @property
    def max_magnitude(self) -> int:
        """Magnitude code of the largest finite number."""
        match self.specials:
            case Specials.IEEE:
                return (((1 << self.exponent_bits) - 1) << self.mantissa_bits) - 1
            case Specials.NAN_ONLY:
                return self.magnitude_mask - 1
            case Specials.NEGATIVE_ZERO_NAN | Specials.NONE:
                return self.magnitude_mask

    @property
    def infinity_magnitude(self) -> int | None:
        return self.max_magnitude + 1 if self.specials is Specials.IEEE else None

    @property
    def nan_magnitude(self) -> int | None:
        """Magnitude code of the canonical NaN (quiet, no payload); None where NaN is minus zero's code or absent."""
        match self.specials:
            case Specials.IEEE:
                quiet = 1 << (self.mantissa_bits - 1)
                return (self.max_magnitude + 1) | quiet
            case Specials.NAN_ONLY:
                return self.magnitude_mask
            case Specials.NEGATIVE_ZERO_NAN | Specials.NONE:
                return None

    @property
    def has_infinity(self) -> bool:
        return self.specials is Specials.IEEE

    @property
    def has_nan(self) -> bool:
        return self.specials is not Specials.NONE

    @property
    def has_zero(self) -> bool:
        return self.has_subnormals

    @property
    def has_negative_zero(self) -> bool:
        return self.signed and self.has_zero and self.specials is not Specials.NEGATIVE_ZERO_NAN

    @property
    def max(self) -> Fraction:
        return self.finite_value(self.max_magnitude)

    @property
    def min_normal(self) -> Fraction:
        return power_of_two(self.min_exponent)

    @property
    def min_subnormal(self) -> Fraction | None:
        if not self.has_subnormals or self.mantissa_bits == 0:
            return None
        return power_of_two(self.min_exponent - self.mantissa_bits)

    @property
    def epsilon(self) -> Fraction:
        """Distance from 1 to the next larger number."""
        return power_of_two(-self.mantissa_bits)

    def finite_value(self, magnitude: int) -> Fraction:
        """The non-negative number that a finite magnitude code stands for: the format's definition."""
        exponent_field = magnitude >> self.mantissa_bits
        mantissa = magnitude & ((1 << self.mantissa_bits) - 1)
        if exponent_field == 0 and self.has_subnormals:
            return mantissa * power_of_two(self.min_exponent - self.mantissa_bits)
        significand = (1 << self.mantissa_bits) | mantissa
        return significand * power_of_two(exponent_field - self.bias - self.mantissa_bits)


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegerFormat:
    """A whole number; signed ones are two's complement, whose top bit weighs -2^(width-1)."""

    name: str
    width: int
    signed: bool
    origin: Origin = field(repr=False, compare=False)

    @property
    def min(self) -> int:
        return -(1 << (self.width - 1)) if self.signed else 0

    @property
    def max(self) -> int:
        return (1 << (self.width - 1)) - 1 if self.signed else (1 << self.width) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class BooleanFormat:
    """One bit of meaning (torch stores it in a byte): 0 is false, every other number becomes 1."""

    name: str
    origin: Origin = field(repr=False, compare=False)

    @property
    def width(self) -> int:
        return 1

    @property
    def signed(self) -> bool:
        return False

    @property
    def min(self) -> int:
        return 0

    @property
    def max(self) -> int:
        return 1


Format = FloatFormat | IntegerFormat | BooleanFormat


def power_of_two(exponent: int) -> Fraction:
    """2^exponent, exactly."""
    return Fraction(1 << exponent) if exponent >= 0 else Fraction(1, 1 << -exponent)


def code_mask(number_format: Format) -> int:
    """The largest code: all bits set."""
    return (1 << number_format.width) - 1


def hex_digits(number_format: Format) -> int:
    """How many hexadecimal digits a code of this format is written with."""
    return -(-number_format.width // 4)

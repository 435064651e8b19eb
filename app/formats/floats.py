"""Floating point: sign, exponent and mantissa, with every choice that formats in use make about the rest.

A code is the integer whose binary digits are the stored bits. A float's magnitude is its code without the sign bit
(and without float80's explicit integer bit): it orders the format's non-negative numbers, so neighbours are one apart.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction

from app.formats.bits import power_of_two
from app.formats.origin import Family, Origin


class Specials(StrEnum):
    """Which magnitudes of a float format are not finite numbers.

    Where a format has no minus zero, the code of minus zero is NaN: it then is the one NaN of `NAN_ONLY` and
    `INFINITY_NAN`, and one more NaN of `IEEE`.
    """

    IEEE = "ieee"
    """The top exponent holds infinity (mantissa 0) and NaNs (IEEE 754-2019, 3.4)."""
    INFINITY_NAN = "infinity-nan"
    """One infinity of each sign and one NaN, the largest magnitudes (IEEE P3109, extended)."""
    NAN_ONLY = "nan-only"
    """The all-ones magnitude is NaN, no infinity ("fn"; OCP 8-bit floating point 1.0, E4M3, and E8M0)."""
    NONE = "none"
    """Every code is a finite number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FloatFormat:
    """Sign, exponent and mantissa: (-1)^s * 2^(e-bias) * 1.m, and 2^(1-bias) * 0.m where the exponent field is 0."""

    name: str
    exponent_bits: int
    mantissa_bits: int
    """Bits behind the point; float80's explicit integer bit is not among them."""
    bias: int
    specials: Specials = Specials.IEEE
    signed: bool = True
    has_subnormals: bool = True
    """Exponent field 0 means 0.m; where false, it is a binade like any other, whose first code may be zero."""
    has_zero: bool = True
    """Magnitude 0 is zero; where false (E8M0), it is the smallest number of its binade."""
    allows_negative_zero: bool = True
    """Whether the code of minus zero is a zero; where false, it is NaN."""
    has_explicit_integer_bit: bool = False
    """x87: the bit before the point is stored between exponent and mantissa, and can contradict the exponent."""
    storage_bits: int | None = None
    """Bits that a number takes in memory where they are more than the code's (tfloat32: 32 for 19)."""
    origin: Origin = field(repr=False, compare=False)

    def __post_init__(self) -> None:
        assert self.exponent_bits > 0 or self.has_subnormals, "without an exponent every number is a subnormal"
        assert self.exponent_bits > 0 or self.specials is not Specials.IEEE, "the only exponent is the top one"
        assert self.has_zero or not self.has_subnormals, "zero is the first subnormal"
        assert self.specials is not Specials.NONE or not self.has_nan_at_minus_zero, "a code without meaning"
        assert self.max_magnitude >= int(self.has_zero), "no finite number but zero"

    @property
    def family(self) -> Family:
        return Family.FLOAT

    @property
    def width(self) -> int:
        return int(self.signed) + self.exponent_bits + int(self.has_explicit_integer_bit) + self.mantissa_bits

    @property
    def field_widths(self) -> tuple[tuple[str, int], ...]:
        """Names and bits of the fields, from the most significant one down; fields of no bits are left out."""
        widths = (
            ("sign", int(self.signed)),
            ("exponent", self.exponent_bits),
            ("integer", int(self.has_explicit_integer_bit)),
            ("mantissa", self.mantissa_bits),
        )
        return tuple((name, bits) for name, bits in widths if bits)

    @property
    def precision(self) -> int:
        """Significant bits of a normal number, the leading one included."""
        return self.mantissa_bits + 1

    @property
    def magnitude_mask(self) -> int:
        return (1 << (self.exponent_bits + self.mantissa_bits)) - 1

    @property
    def sign_mask(self) -> int:
        """The sign bit in a code."""
        return 1 << (self.width - 1) if self.signed else 0

    @property
    def min_exponent(self) -> int:
        """Exponent of the smallest normal number, and the one that all subnormals share."""
        first_is_taken = self.has_subnormals or (self.has_zero and self.mantissa_bits == 0)
        return int(first_is_taken) - self.bias

    @property
    def max_exponent(self) -> int:
        """Exponent of the largest finite number's binade."""
        return max((self.max_magnitude >> self.mantissa_bits) - self.bias, self.min_exponent)

    @property
    def has_nan_at_minus_zero(self) -> bool:
        """Whether the code of minus zero is a NaN, beside those of the top exponent or instead of them."""
        return self.signed and self.has_zero and not self.allows_negative_zero

    @property
    def max_magnitude(self) -> int:
        """Magnitude of the largest finite number."""
        match self.specials:
            case Specials.IEEE:
                return (((1 << self.exponent_bits) - 1) << self.mantissa_bits) - 1
            case Specials.INFINITY_NAN:
                return self.magnitude_mask - (1 if self.has_nan_at_minus_zero else 2)
            case Specials.NAN_ONLY:
                return self.magnitude_mask - (0 if self.has_nan_at_minus_zero else 1)
            case Specials.NONE:
                return self.magnitude_mask

    @property
    def infinity_magnitude(self) -> int | None:
        return self.max_magnitude + 1 if self.has_infinity else None

    @property
    def nan_magnitude(self) -> int | None:
        """Magnitude of the canonical NaN (quiet, no payload); None where NaN is minus zero's code or absent."""
        match self.specials:
            case Specials.IEEE:
                return (self.max_magnitude + 1) | self.quiet_bit if self.mantissa_bits else None
            case Specials.INFINITY_NAN | Specials.NAN_ONLY:
                return None if self.has_nan_at_minus_zero else self.magnitude_mask
            case Specials.NONE:
                return None

    @property
    def quiet_bit(self) -> int:
        """The mantissa bit that is set in quiet NaNs; the payload lies below it (IEEE 754-2019, 6.2.1)."""
        return 1 << (self.mantissa_bits - 1) if self.mantissa_bits else 0

    @property
    def has_nan_payloads(self) -> bool:
        return self.specials is Specials.IEEE and self.mantissa_bits > 1

    @property
    def has_infinity(self) -> bool:
        return self.specials in (Specials.IEEE, Specials.INFINITY_NAN)

    @property
    def has_nan(self) -> bool:
        return self.nan_code is not None

    @property
    def has_negative_zero(self) -> bool:
        return self.signed and self.has_zero and self.allows_negative_zero

    @property
    def nan_code(self) -> int | None:
        """The code of the canonical positive NaN; None where the format has no NaN."""
        if self.nan_magnitude is not None:
            return self.code_of(self.nan_magnitude)
        return self.sign_mask if self.has_nan_at_minus_zero else None

    @property
    def nan_codes(self) -> int:
        """How many codes are NaN."""
        signs = 2 if self.signed else 1
        at_minus_zero = int(self.has_nan_at_minus_zero)
        match self.specials:
            case Specials.IEEE:
                return signs * ((1 << self.mantissa_bits) - 1) + at_minus_zero
            case Specials.INFINITY_NAN | Specials.NAN_ONLY:
                return at_minus_zero or signs
            case Specials.NONE:
                return 0

    @property
    def max(self) -> Fraction:
        return self.finite_value(self.max_magnitude)

    @property
    def min(self) -> Fraction:
        """The most negative number, or the smallest where there are no negative ones."""
        return -self.max if self.signed else self.finite_value(0)

    @property
    def min_positive(self) -> Fraction:
        """The smallest number above zero."""
        return self.finite_value(1 if self.has_zero else 0)

    @property
    def min_normal(self) -> Fraction:
        """The smallest number with a leading one: what `finfo` calls `tiny`.

        Where every number is a subnormal (e0m3, e1m2), the one beyond `max` that would have the first leading one.
        """
        if self.has_subnormals:
            return power_of_two(self.min_exponent)
        return self.min_positive

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
        """The non-negative number that a finite magnitude stands for: the format's definition."""
        exponent_field = magnitude >> self.mantissa_bits
        mantissa = magnitude & ((1 << self.mantissa_bits) - 1)
        if magnitude == 0 and self.has_zero:
            return Fraction(0)
        if exponent_field == 0 and self.has_subnormals:
            return mantissa * power_of_two(self.min_exponent - self.mantissa_bits)
        significand = (1 << self.mantissa_bits) | mantissa
        return significand * power_of_two(exponent_field - self.bias - self.mantissa_bits)

    def is_negative(self, code: int) -> bool:
        """Whether the sign bit is set."""
        return bool(code & self.sign_mask)

    def magnitude_of(self, code: int) -> int | None:
        """The magnitude of a code; None where float80's integer bit contradicts the exponent.

        A pseudo-denormal (exponent 0 with the integer bit set) has the magnitude of the same number with exponent 1.
        """
        if not self.has_explicit_integer_bit:
            return code & self.magnitude_mask
        fraction = code & ((1 << self.mantissa_bits) - 1)
        integer_bit = code >> self.mantissa_bits & 1
        exponent_field = code >> (self.mantissa_bits + 1) & ((1 << self.exponent_bits) - 1)
        if exponent_field and not integer_bit:
            return None
        return (max(exponent_field, integer_bit) << self.mantissa_bits) | fraction

    def code_of(self, magnitude: int, *, negative: bool = False) -> int:
        """The code of a magnitude; the sign is taken as it is, also where it makes minus zero's code."""
        sign = self.sign_mask if negative else 0
        if not self.has_explicit_integer_bit:
            return sign | magnitude
        exponent_field = magnitude >> self.mantissa_bits
        fraction = magnitude & ((1 << self.mantissa_bits) - 1)
        return sign | (exponent_field << 1 | (exponent_field > 0)) << self.mantissa_bits | fraction

    def is_canonical(self, code: int) -> bool:
        """Whether an encoder would ever give this code: false for x87's pseudo-denormals and its invalid codes."""
        magnitude = self.magnitude_of(code)
        return magnitude is not None and self.code_of(magnitude, negative=self.is_negative(code)) == code

    def value_of(self, code: int) -> Fraction | None:
        """The number that a code stands for; None for infinities, NaNs and x87's invalid codes."""
        magnitude = self.magnitude_of(code)
        if magnitude is None or magnitude > self.max_magnitude:
            return None
        if self.has_nan_at_minus_zero and code == self.sign_mask:
            return None
        value = self.finite_value(magnitude)
        return -value if self.is_negative(code) else value

    @property
    def first_ordinal(self) -> int:
        """The ordinal of the most negative number; ordinals count the finite numbers in order, zero being 0."""
        if not self.signed:
            return 0
        return -self.max_magnitude - (not self.has_zero)

    @property
    def last_ordinal(self) -> int:
        return self.max_magnitude

    def ordinal_of(self, code: int) -> int | None:
        """The place of a code's number among the finite ones; None where it is none. Both zeros have 0."""
        if self.value_of(code) is None:
            return None
        magnitude = self.magnitude_of(code)
        assert magnitude is not None
        return -magnitude - (not self.has_zero) if self.is_negative(code) else magnitude

    def code_at(self, ordinal: int) -> int:
        """The code of the number at that place (of +0 for 0)."""
        if ordinal >= 0:
            return self.code_of(ordinal)
        return self.code_of(-ordinal - (not self.has_zero), negative=True)

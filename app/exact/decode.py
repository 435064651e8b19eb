"""Codes back to numbers: exact value, class, neighbours and ulp."""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from app.errors import InvalidInput
from app.exact.number import Finite, Infinity, NaN, Number, from_fraction
from app.formats import FloatFormat, Format, Specials
from app.formats.model import power_of_two


class Kind(StrEnum):
    """The classes of stored numbers; codes of integers and bool are always `integer`."""

    NORMAL = "normal"
    SUBNORMAL = "subnormal"
    ZERO = "zero"
    INFINITY = "infinity"
    NAN = "nan"
    INTEGER = "integer"


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a code stands for. `value` is None for infinities and NaNs; -0 is `negative` with value 0."""

    format: Format
    code: int
    kind: Kind
    negative: bool
    value: Fraction | None


@dataclass(frozen=True, slots=True)
class FloatParts:
    """The figures of a finite float: (-1)^sign * significand * 2^(exponent - mantissa_bits)."""

    exponent_field: int
    mantissa: int
    exponent: int
    """The power of two in use: for zero and subnormals that of the smallest normal number."""
    significand: int
    """The mantissa behind its leading 1, or behind a 0 for zero and subnormals."""


def decode(code: int, number_format: Format) -> Decoded:
    """The meaning of a code.

    Raises:
        InvalidInput: `code.out-of-range` for an integer that has more bits than the format.
    """
    if not 0 <= code < 1 << number_format.width:
        raise InvalidInput("code.out-of-range", format=number_format.name, width=number_format.width)
    if not isinstance(number_format, FloatFormat):
        whole = code - (1 << number_format.width) if code > number_format.max else code
        return Decoded(number_format, code, Kind.INTEGER, whole < 0, Fraction(whole))
    negative = bool(code & number_format.sign_mask)
    magnitude = code & number_format.magnitude_mask
    if magnitude > number_format.max_magnitude:
        kind = Kind.INFINITY if magnitude == number_format.infinity_magnitude else Kind.NAN
        return Decoded(number_format, code, kind, negative, None)
    if magnitude == 0 and negative and number_format.specials is Specials.NEGATIVE_ZERO_NAN:
        return Decoded(number_format, code, Kind.NAN, negative, None)
    value = number_format.finite_value(magnitude)
    kind = Kind.NORMAL
    if number_format.has_subnormals and magnitude >> number_format.mantissa_bits == 0:
        kind = Kind.SUBNORMAL if magnitude else Kind.ZERO
    return Decoded(number_format, code, kind, negative, -value if negative else value)


def float_parts(decoded: Decoded, number_format: FloatFormat) -> FloatParts:
    """The parts of a finite code of that format."""
    assert decoded.value is not None
    mantissa_bits = number_format.mantissa_bits
    exponent_field, mantissa = divmod(decoded.code & number_format.magnitude_mask, 1 << mantissa_bits)
    if decoded.kind is Kind.NORMAL:
        return FloatParts(exponent_field, mantissa, exponent_field - number_format.bias, mantissa | 1 << mantissa_bits)
    return FloatParts(exponent_field, mantissa, number_format.min_exponent, mantissa)


def to_number(decoded: Decoded) -> Number:
    """The stored number as one that can be put into another format; a NaN carries its payload along."""
    if decoded.value is not None:
        number = from_fraction(decoded.value)
        return Finite(decoded.negative, number.numerator, number.denominator)
    if decoded.kind is Kind.INFINITY:
        return Infinity(decoded.negative)
    number_format = decoded.format
    assert isinstance(number_format, FloatFormat)
    if number_format.specials is not Specials.IEEE:
        return NaN(decoded.negative and number_format.specials is not Specials.NEGATIVE_ZERO_NAN)
    quiet = 1 << (number_format.mantissa_bits - 1)
    payload = decoded.code & (quiet - 1)
    return NaN(decoded.negative, payload or None, signalling=not decoded.code & quiet)


def neighbours(code: int, number_format: Format) -> tuple[int | None, int | None]:
    """The codes of the next smaller and next larger number; None past the ends and for NaN.

    As for `math.nextafter`: both zeros have the smallest numbers of either sign beside them, the smallest negative
    number is followed by -0 where there is one, and the largest by infinity where there is one.
    """
    if not isinstance(number_format, FloatFormat):
        value = decode(code, number_format).value
        assert value is not None
        mask = (1 << number_format.width) - 1
        return (
            int(value - 1) & mask if value > number_format.min else None,
            int(value + 1) & mask if value < number_format.max else None,
        )
    decoded = decode(code, number_format)
    if decoded.kind is Kind.NAN:
        return None, None
    magnitude = code & number_format.magnitude_mask
    last = number_format.max_magnitude + number_format.has_infinity
    outward = magnitude + 1 if magnitude < last else None
    sign = number_format.sign_mask
    if magnitude == 0 and number_format.has_zero:
        return (1 | sign if number_format.signed else None), outward
    inward = magnitude - 1 if magnitude else None
    if not decoded.negative:
        return inward, outward
    sign_of_inward = 0 if inward == 0 and not number_format.has_negative_zero else sign
    return (
        None if outward is None else outward | sign,
        None if inward is None else inward | sign_of_inward,
    )


def ulp(decoded: Decoded) -> Fraction | None:
    """The weight of the last bit of the stored number; None for infinities and NaNs."""
    if decoded.value is None:
        return None
    number_format = decoded.format
    if not isinstance(number_format, FloatFormat):
        return Fraction(1)
    return power_of_two(float_parts(decoded, number_format).exponent - number_format.mantissa_bits)

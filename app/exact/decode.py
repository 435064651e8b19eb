"""Codes back to numbers: exact value, class, neighbours and ulp."""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from app.errors import InvalidInput
from app.exact.number import Finite, Infinity, NaN, Number, from_fraction
from app.formats import (
    BooleanFormat,
    CodebookFormat,
    FixedPointFormat,
    FloatFormat,
    Format,
    IntegerFormat,
    PositFormat,
    Specials,
    TakumFormat,
)
from app.formats.bits import power_of_two


class Kind(StrEnum):
    """The classes of stored numbers; codes of integers and bool are always `integer`."""

    NORMAL = "normal"
    SUBNORMAL = "subnormal"
    ZERO = "zero"
    INFINITY = "infinity"
    NAN = "nan"
    NAR = "nar"
    """Not a real: the one code of posits and takums that is no number."""
    INVALID = "invalid"
    """A code without a meaning: x87 refuses it as an operand, or it lies behind the last value of a codebook."""
    INTEGER = "integer"


class InvalidKind(StrEnum):
    """Why a code is none that an encoder gives; see `invalid_kind`."""

    PSEUDO_DENORMAL = "pseudo-denormal"
    """Exponent field 0 with the integer bit set: read as the normal number of exponent field 1, and never written."""
    UNNORMAL = "unnormal"
    """The integer bit is clear though the exponent is that of a normal number; so is the zero among them."""
    PSEUDO_INFINITY = "pseudo-infinity"
    """Infinity with the integer bit clear."""
    PSEUDO_NAN = "pseudo-nan"
    """A NaN with the integer bit clear."""
    BEHIND_LAST = "behind-last"
    """Behind the last value of a codebook."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a code stands for. `value` is None for what is no finite number; -0 is `negative` with value 0."""

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
    value = number_format.value_of(code)
    if isinstance(number_format, FloatFormat):
        return Decoded(number_format, code, _float_kind(code, number_format), number_format.is_negative(code), value)
    if value is None:
        kind = Kind.INVALID if isinstance(number_format, CodebookFormat) else Kind.NAR
        return Decoded(number_format, code, kind, negative=False, value=None)
    negative = value < 0 or code == minus_zero_code(number_format)
    kind = Kind.NORMAL if value else Kind.ZERO
    if isinstance(number_format, IntegerFormat | BooleanFormat):
        kind = Kind.INTEGER
    return Decoded(number_format, code, kind, negative, value)


def minus_zero_code(number_format: Format) -> int | None:
    """The code of minus zero; None where the format has none."""
    match number_format:
        case FloatFormat():
            return number_format.sign_mask if number_format.has_negative_zero else None
        case IntegerFormat() | CodebookFormat():
            return number_format.negative_zero
        case _:
            return None


def invalid_kind(code: int, number_format: Format) -> InvalidKind | None:
    """The name of a code without a canonical meaning; None for every other code.

    Intel 64 and IA-32 Architectures Software Developer's Manual, volume 1, 8.2.2 and table 8-3.
    """
    match number_format:
        case CodebookFormat():
            return InvalidKind.BEHIND_LAST if code >= len(number_format.values) else None
        case FloatFormat(has_explicit_integer_bit=True) if not number_format.is_canonical(code):
            fraction_bits = number_format.mantissa_bits
            exponent_field = code >> (fraction_bits + 1) & ((1 << number_format.exponent_bits) - 1)
            if exponent_field == 0:
                return InvalidKind.PSEUDO_DENORMAL
            if exponent_field < (1 << number_format.exponent_bits) - 1:
                return InvalidKind.UNNORMAL
            has_fraction = code & ((1 << fraction_bits) - 1)
            return InvalidKind.PSEUDO_NAN if has_fraction else InvalidKind.PSEUDO_INFINITY
        case _:
            return None


def _float_kind(code: int, number_format: FloatFormat) -> Kind:
    magnitude = number_format.magnitude_of(code)
    if magnitude is None:
        return Kind.INVALID
    if number_format.value_of(code) is None:
        return Kind.INFINITY if magnitude == number_format.infinity_magnitude else Kind.NAN
    if magnitude == 0 and number_format.has_zero:
        return Kind.ZERO
    is_subnormal = number_format.has_subnormals and magnitude >> number_format.mantissa_bits == 0
    return Kind.SUBNORMAL if is_subnormal else Kind.NORMAL


def float_parts(decoded: Decoded, number_format: FloatFormat) -> FloatParts:
    """The parts of a finite code of that format."""
    magnitude = number_format.magnitude_of(decoded.code)
    assert decoded.value is not None
    assert magnitude is not None
    mantissa_bits = number_format.mantissa_bits
    exponent_field, mantissa = divmod(magnitude, 1 << mantissa_bits)
    if decoded.kind is Kind.NORMAL:
        return FloatParts(exponent_field, mantissa, exponent_field - number_format.bias, mantissa | 1 << mantissa_bits)
    return FloatParts(exponent_field, mantissa, number_format.min_exponent, mantissa)


def to_number(decoded: Decoded) -> Number:
    """The stored number as one that can be put into another format; a NaN carries its payload along.

    In the same format `encode` gives the code back. The NaN at minus zero's code has an explicit payload of 0, which
    tells it from the quiet NaN without one where a format has both.
    """
    if decoded.value is not None:
        number = from_fraction(decoded.value)
        return Finite(decoded.negative, number.numerator, number.denominator)
    if decoded.kind is Kind.INFINITY:
        return Infinity(decoded.negative)
    number_format = decoded.format
    if not isinstance(number_format, FloatFormat) or decoded.kind is Kind.INVALID:
        return NaN(negative=False)
    if number_format.has_nan_at_minus_zero and decoded.code == number_format.sign_mask:
        return NaN(negative=False, payload=0 if number_format.nan_codes > 1 else None)
    if number_format.specials is not Specials.IEEE:
        return NaN(decoded.negative)
    quiet = number_format.quiet_bit
    payload = decoded.code & (quiet - 1)
    return NaN(decoded.negative, payload or None, signalling=not decoded.code & quiet)


def neighbours(code: int, number_format: Format) -> tuple[int | None, int | None]:
    """The codes of the next smaller and next larger number; None past the ends and for NaN.

    As for `math.nextafter`: both zeros have the smallest numbers of either sign beside them, the smallest negative
    number is followed by -0 where there is one, and the largest by infinity where there is one.
    """
    ordinal = number_format.ordinal_of(code)
    if ordinal is None:
        return _beside_infinity(code, number_format)
    return _code_at(ordinal - 1, number_format, rising=False), _code_at(ordinal + 1, number_format, rising=True)


def _beside_infinity(code: int, number_format: Format) -> tuple[int | None, int | None]:
    """What lies beside a code that is no number: the largest finite number beside an infinity, else nothing."""
    if not isinstance(number_format, FloatFormat) or _float_kind(code, number_format) is not Kind.INFINITY:
        return None, None
    largest = number_format.code_of(number_format.max_magnitude, negative=number_format.is_negative(code))
    return (None, largest) if number_format.is_negative(code) else (largest, None)


def _code_at(ordinal: int, number_format: Format, *, rising: bool) -> int | None:
    if number_format.first_ordinal <= ordinal <= number_format.last_ordinal:
        code = number_format.code_at(ordinal)
        minus_zero = minus_zero_code(number_format) if rising else None
        if minus_zero is not None and number_format.value_of(code) == 0:
            return minus_zero
        return code
    if not isinstance(number_format, FloatFormat) or number_format.infinity_magnitude is None:
        return None
    if ordinal < 0 and not number_format.signed:
        return None
    return number_format.code_of(number_format.infinity_magnitude, negative=ordinal < 0)


def ulp(decoded: Decoded) -> Fraction | None:
    """The weight of the last bit of the stored number; None for what is no finite number, and in a codebook.

    Of zero: the smallest positive number, which is the step away from it.
    """
    if decoded.value is None:
        return None
    number_format = decoded.format
    match number_format:
        case FloatFormat() if decoded.kind is Kind.ZERO:
            return number_format.min_positive
        case FloatFormat():
            return power_of_two(float_parts(decoded, number_format).exponent - number_format.mantissa_bits)
        case FixedPointFormat():
            return number_format.unit
        case PositFormat() | TakumFormat():
            return _tapered_ulp(decoded, number_format)
        case CodebookFormat():
            return None
        case _:
            return Fraction(1)


def _tapered_ulp(decoded: Decoded, number_format: PositFormat | TakumFormat) -> Fraction:
    """Of the fraction's last bit; where the exponent is cut off, a unit of its own size."""
    ordinal = number_format.ordinal_of(decoded.code)
    if not ordinal:
        return number_format.min_positive
    parts = number_format.parts(abs(ordinal))
    stored_bits = dict(parts.fields).get("fraction", 0)  # short takums have bits of their fraction cut off
    return power_of_two(parts.exponent - stored_bits)

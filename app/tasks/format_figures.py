"""The numbers that say what a format can do, as exact fractions: ends, steps, and where it overflows."""

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from app.exact.text import exact_text
from app.formats import CodebookFormat, FixedPointFormat, FloatFormat, Format, PositFormat, TakumFormat
from app.tasks.format_landmarks import code_of_one

LONGEST_DIFFERENCE = 10
"""Bits from which a run of ones reads better as 2^k-1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FormatFigures:
    """None where the format has no such number."""

    max: Fraction
    min: Fraction
    """The most negative number, or the smallest where there are no negative ones."""
    min_positive: Fraction
    min_normal: Fraction | None
    min_subnormal: Fraction | None
    max_subnormal: Fraction | None
    eps: Fraction | None
    """Distance from 1 to the next larger number; None where 1 or that number is missing."""
    eps_below: Fraction | None
    """Distance from 1 to the next smaller number: numpy's `epsneg`."""
    overflow_from: Fraction | None
    """Half a unit beyond the largest float: from here on, or beyond it, nearest-even gives infinity or NaN."""
    overflow_from_included: bool
    """Whether that very number overflows, or only what lies beyond it."""


@lru_cache(maxsize=512)
def figures_of(number_format: Format) -> FormatFigures:
    """The figures of a format."""
    own = number_format if isinstance(number_format, FloatFormat) else None
    return FormatFigures(
        max=Fraction(number_format.max),
        min=Fraction(number_format.min),
        min_positive=_min_positive(number_format),
        min_normal=_min_normal(own) if own else None,
        min_subnormal=own.min_subnormal if own else None,
        max_subnormal=_max_subnormal(own) if own else None,
        eps=_beside_one(number_format, 1),
        eps_below=_beside_one(number_format, -1),
        overflow_from=_overflow_from(own) if own else None,
        overflow_from_included=own is not None and own.max_magnitude % 2 == 1,
    )


def in_powers(value: Fraction) -> str:
    """An expression of powers of two with exactly this value: `2^-24`, `(2^24-1)*2^104`, `1+2^-63`, `5*2^-16`.

    Whole numbers of few digits, and what is no multiple of a power of two, stay as they are.
    """
    magnitude, sign = abs(value), "-" if value < 0 else ""
    denominator = magnitude.denominator
    if denominator & (denominator - 1) or (denominator == 1 and magnitude < 1 << 20):
        return exact_text(value)
    numerator = magnitude.numerator
    shift = (numerator & -numerator).bit_length() - 1
    odd, exponent = numerator >> shift, shift - (denominator.bit_length() - 1)
    if odd == 1:
        return f"{sign}2^{exponent}"
    bits = odd.bit_length()
    if odd == (1 << (bits - 1)) + 1 and bits > LONGEST_DIFFERENCE:
        upper, lower = _power(bits - 1 + exponent), _power(exponent)
        return f"-({upper}+{lower})" if sign else f"{upper}+{lower}"
    whole = f"(2^{bits}-1)" if odd == (1 << bits) - 1 and bits >= LONGEST_DIFFERENCE else str(odd)
    if exponent == 0:
        return sign + whole if sign else whole.strip("()")
    return f"{sign}{whole}*2^{exponent}"


def in_hexadecimal(value: Fraction) -> str:
    """A short text of a multiple of a power of two that reads back as exactly this number: `0xffffffp104`."""
    shift = (value.numerator & -value.numerator).bit_length() - 1
    exponent = shift - (value.denominator.bit_length() - 1)
    sign = "-" if value < 0 else ""
    return f"{sign}{abs(value.numerator) >> shift:#x}p{exponent}"


def _power(exponent: int) -> str:
    return f"2^{exponent}" if exponent else "1"


def _min_positive(number_format: Format) -> Fraction:
    match number_format:
        case FloatFormat() | PositFormat() | TakumFormat():
            return number_format.min_positive
        case CodebookFormat(values=values):
            return min((value for value in values if value > 0), default=max(values))
        case FixedPointFormat():
            return number_format.unit
        case _:
            return Fraction(1)


def _min_normal(number_format: FloatFormat) -> Fraction | None:
    smallest = number_format.min_normal
    return smallest if smallest <= number_format.max else None


def _max_subnormal(number_format: FloatFormat) -> Fraction | None:
    smallest = number_format.min_subnormal
    if smallest is None:
        return None
    return min((1 << number_format.mantissa_bits) - 1, number_format.max_magnitude) * smallest


def _beside_one(number_format: Format, step: int) -> Fraction | None:
    code = code_of_one(number_format)
    if code is None:
        return None
    ordinal = number_format.ordinal_of(code)
    assert ordinal is not None
    if not number_format.first_ordinal <= ordinal + step <= number_format.last_ordinal:
        return None
    beside = number_format.value_of(number_format.code_at(ordinal + step))
    assert beside is not None
    return abs(beside - 1)


def _overflow_from(number_format: FloatFormat) -> Fraction | None:
    top = number_format.max_magnitude
    if number_format.mantissa_bits == 0 or top < 2:
        return None
    step = number_format.finite_value(top) - number_format.finite_value(top - 1)
    exponent_field, mantissa = divmod(top, 1 << number_format.mantissa_bits)
    if mantissa == 0 and not (exponent_field == 1 and number_format.has_subnormals):
        step *= 2  # the first of its binade: the step below is half as long, unless it is that of the subnormals
    return number_format.max + step / 2

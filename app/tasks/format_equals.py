"""Which listed formats hold the very numbers of a format, under another name."""

from collections.abc import Hashable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from app.exact import decode
from app.formats import (
    CATALOG,
    BooleanFormat,
    CodebookFormat,
    FixedPointFormat,
    FloatFormat,
    Format,
    IntegerFormat,
    Notation,
    PositFormat,
    TakumFormat,
)

WIDEST_COMPARED_BY_VALUE = 8


@dataclass(frozen=True, slots=True)
class SameValues:
    """Another format with the same finite numbers; `same_codes`: and each of its codes means the same too."""

    format: Format
    same_codes: bool


@lru_cache(maxsize=256)
def same_values(number_format: Format) -> tuple[SameValues, ...]:
    """In the order of the table. Up to 8 bits formats are compared value by value, wider ones by what they are."""
    own = value_key(number_format)
    return tuple(
        SameValues(each, same_codes=_same_codes(number_format, each))
        for each in CATALOG
        if each.name != number_format.name and value_key(each) == own
    )


@lru_cache(maxsize=256)
def value_key(number_format: Format) -> Hashable:
    """Equal for formats with the same finite numbers."""
    if number_format.width <= WIDEST_COMPARED_BY_VALUE:
        return frozenset(number_format.value_of(code) for code in range(1 << number_format.width)) - {None}
    match number_format:
        case FloatFormat() as found:
            # The numbers below the largest follow from where binades begin and how finely they are cut.
            ends = (found.max_magnitude, found.min_exponent, found.has_subnormals, found.has_zero)
            return ("float", found.signed, found.mantissa_bits, *ends)
        case PositFormat():
            return ("posit", number_format.width, number_format.exponent_size)
        case TakumFormat():
            return ("takum", number_format.width)
        case IntegerFormat() | FixedPointFormat() | BooleanFormat():
            unit = number_format.unit if isinstance(number_format, FixedPointFormat) else Fraction(1)
            return ("multiples", unit, number_format.first_ordinal, number_format.last_ordinal)
        case CodebookFormat():
            return frozenset(number_format.values)


def _same_codes(one: Format, other: Format) -> bool:
    if one.width != other.width:
        return False
    if one.width <= WIDEST_COMPARED_BY_VALUE:
        return all(_meaning(code, one) == _meaning(code, other) for code in range(1 << one.width))
    return _code_key(one) == _code_key(other)


def _meaning(code: int, number_format: Format) -> tuple[object, ...]:
    decoded = decode(code, number_format)
    kind = decoded.kind if decoded.value is None else None
    return kind, decoded.value, decoded.negative


def _code_key(number_format: Format) -> Hashable:
    """Equal for formats with the same numbers, and each under the same code."""
    match number_format:
        case FloatFormat() as found:
            return (found.specials, found.allows_negative_zero, found.has_explicit_integer_bit)
        case IntegerFormat(signed=True, notation=notation):
            return notation
        case IntegerFormat() | FixedPointFormat():
            return Notation.TWOS_COMPLEMENT
        case CodebookFormat():
            return number_format.values
        case _:
            return number_format.family

"""The codes of a format that are worth knowing by heart: zeros, ones, ends of ranges, and everything special."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from app.exact import Kind, Outcome, decode, encode, from_fraction
from app.exact.text import value_text
from app.formats import BooleanFormat, CodebookFormat, FloatFormat, Format, IntegerFormat, PositFormat, TakumFormat
from app.formats.bits import code_mask
from app.tasks.code_text import format_hex
from app.tasks.format_fields import FieldBits, field_bits


@dataclass(frozen=True, slots=True)
class Landmark:
    """A code and what it is there for. `value` is its exact number, `inf`, `nan`, or None for a code of no meaning."""

    role: str
    code: int
    hex: str
    fields: tuple[FieldBits, ...]
    value: str | None


@lru_cache(maxsize=256)
def landmarks(number_format: Format) -> tuple[Landmark, ...]:
    """Zeros first, then by rising magnitude, then what is no number; each code once, under its first role."""
    found: dict[int, str] = {}
    for role, code in _roles(number_format):
        found.setdefault(code, role)
    return tuple(_landmark(role, code, number_format) for code, role in found.items())


def code_of_one(number_format: Format) -> int | None:
    """The code of 1; None where the format skips it."""
    encoding = encode(from_fraction(Fraction(1)), number_format)
    return encoding.code if encoding.outcome is Outcome.EXACT else None


def _landmark(role: str, code: int, number_format: Format) -> Landmark:
    decoded = decode(code, number_format)
    value = None if decoded.kind is Kind.INVALID else value_text(decoded)
    return Landmark(role, code, format_hex(code, number_format), field_bits(code, number_format), value)


def _roles(number_format: Format) -> Iterator[tuple[str, int]]:
    match number_format:
        case FloatFormat():
            yield from _float_roles(number_format)
        case PositFormat() | TakumFormat():
            yield from _tapered_roles(number_format)
        case CodebookFormat():
            yield from _codebook_roles(number_format)
        case _:
            yield from _whole_roles(number_format)


def _one(number_format: Format) -> Iterator[tuple[str, int]]:
    code = code_of_one(number_format)
    if code is None:
        return
    yield "one", code
    ordinal = number_format.ordinal_of(code)
    assert ordinal is not None
    if ordinal < number_format.last_ordinal and not isinstance(number_format, IntegerFormat | BooleanFormat):
        yield "after-one", number_format.code_at(ordinal + 1)


def _float_roles(number_format: FloatFormat) -> Iterator[tuple[str, int]]:
    if number_format.has_zero:
        yield "zero", 0
    if number_format.has_negative_zero:
        yield "negative-zero", number_format.sign_mask
    first_normal = 1 << number_format.mantissa_bits
    if number_format.has_subnormals and number_format.mantissa_bits:
        yield "smallest-subnormal", number_format.code_of(1)
        if number_format.max_magnitude >= first_normal - 1:
            yield "largest-subnormal", number_format.code_of(first_normal - 1)
    first = first_normal if number_format.has_subnormals else int(number_format.has_zero)
    if first <= number_format.max_magnitude:
        yield "smallest-normal", number_format.code_of(first)
    yield from _one(number_format)
    yield "largest", number_format.code_of(number_format.max_magnitude)
    if number_format.signed:
        yield "lowest", number_format.code_of(number_format.max_magnitude, negative=True)
    yield from _float_specials(number_format)


def _float_specials(number_format: FloatFormat) -> Iterator[tuple[str, int]]:
    infinity = number_format.infinity_magnitude
    if infinity is not None:
        yield "infinity", number_format.code_of(infinity)
        if number_format.signed:
            yield "negative-infinity", number_format.code_of(infinity, negative=True)
    if number_format.nan_code is not None:
        yield "nan", number_format.nan_code
    if infinity is not None and number_format.has_nan_payloads:
        yield "signalling-nan", number_format.code_of(infinity + 1)
    if number_format.has_explicit_integer_bit:
        yield from _contradictions(number_format)


def _contradictions(number_format: FloatFormat) -> Iterator[tuple[str, int]]:
    """x87's codes whose integer bit does not fit the exponent (Intel SDM, volume 1, table 8-3), one of each kind."""
    integer_bit = 1 << number_format.mantissa_bits
    top = ((1 << number_format.exponent_bits) - 1) << (number_format.mantissa_bits + 1)
    one = number_format.bias << (number_format.mantissa_bits + 1)
    yield "indefinite", number_format.sign_mask | top | integer_bit | integer_bit >> 1
    yield "pseudo-denormal", integer_bit
    yield "unnormal", one
    yield "pseudo-infinity", top
    yield "pseudo-not-a-number", top | 1


def _tapered_roles(number_format: PositFormat | TakumFormat) -> Iterator[tuple[str, int]]:
    yield "zero", 0
    yield "smallest-positive", 1
    yield from _one(number_format)
    yield "largest", number_format.code_at(number_format.last_ordinal)
    yield "lowest", number_format.code_at(number_format.first_ordinal)
    yield "nar", number_format.nar_code


def _codebook_roles(number_format: CodebookFormat) -> Iterator[tuple[str, int]]:
    if Fraction(0) in number_format.values:
        yield "zero", number_format.values.index(Fraction(0))
    if number_format.negative_zero is not None:
        yield "negative-zero", number_format.negative_zero
    yield "largest", number_format.code_at(number_format.last_ordinal)
    yield "lowest", number_format.code_at(0)
    if len(number_format.values) <= code_mask(number_format):
        yield "unused", len(number_format.values)


def _whole_roles(number_format: Format) -> Iterator[tuple[str, int]]:
    yield "zero", 0
    if isinstance(number_format, IntegerFormat) and number_format.negative_zero is not None:
        yield "negative-zero", number_format.negative_zero
    if number_format.last_ordinal > 0 and not isinstance(number_format, IntegerFormat | BooleanFormat):
        yield "smallest-positive", number_format.code_at(1)
    yield from _one(number_format)
    if number_format.signed and not number_format.has_negative_zero:
        yield "minus-smallest", number_format.code_at(-1)
    yield "largest", number_format.code_at(number_format.last_ordinal)
    if number_format.signed:
        yield "lowest", number_format.code_at(number_format.first_ordinal)

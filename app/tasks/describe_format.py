"""Everything about one format on a card, like `torch.finfo` and `torch.iinfo`, but exact, and for every family."""

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from app.exact import Overflow, overflows_of
from app.exact.text import exact_text
from app.formats import (
    BooleanFormat,
    CodebookFormat,
    FloatFormat,
    Format,
    IntegerFormat,
    PositFormat,
    TakumFormat,
)
from app.formats.bits import code_mask
from app.tasks.format_figures import figures_of
from app.tasks.format_landmarks import Landmark, landmarks


@dataclass(frozen=True, slots=True)
class FieldWidth:
    """One field of a code and how many bits it has."""

    name: str
    bits: int


@dataclass(frozen=True, slots=True)
class SpecialCode:
    """What is no ordinary finite number: `inf`, `-inf`, `nan`, `0`, `-0`, with its code (of the canonical NaN)."""

    value: str
    hex: str


@dataclass(frozen=True, slots=True)
class FormatCard:
    """The facts of a format; numbers are exact texts, None where the format has no such thing."""

    format: Format
    fields: tuple[FieldWidth, ...]
    """Of a posit or takum: those of 1."""
    storage_bits: int
    """Bits that a number takes in memory."""
    bias: int | None
    max: str
    min: str
    """The most negative number, or the smallest where there are no negative ones."""
    min_positive: str
    min_normal: str | None
    min_subnormal: str | None
    max_subnormal: str | None
    eps: str | None
    """Distance from 1 to the next larger number; None where 1 or that number is missing."""
    significant_bits: int | None
    """Of a normal number, the leading one included; of a posit or takum near 1, where it has the most."""
    decimal_digits: int | None
    """Decimal digits that always survive text -> format -> text: `digits10` of C."""
    round_trip_digits: int | None
    """Decimal digits that always bring a number back, format -> text -> format: `max_digits10` of C."""
    finite_values: int
    """Different finite numbers; the two zeros count once."""
    nan_codes: int
    infinities: int
    invalid_codes: int
    """Codes without a meaning: those that x87 refuses, or behind the end of a codebook."""
    overflow_from: str | None
    """Half a unit beyond `max`: from here on, or beyond it, nearest-even gives infinity or NaN."""
    overflow_from_included: bool
    """Whether that very number overflows, or only what lies beyond it."""
    overflows: tuple[Overflow, ...]
    """What the format can do beyond its range, its default first."""
    landmarks: tuple[Landmark, ...]

    @property
    def specials(self) -> tuple[SpecialCode, ...]:
        """The landmarks that are zeros, infinities, and the one canonical NaN (NaR for posits and takums)."""
        return tuple(
            SpecialCode(words, each.hex)
            for each in self.landmarks
            if (words := SPECIAL_WORDS.get(each.role)) is not None
        )


SPECIAL_WORDS = {
    "zero": "0",
    "negative-zero": "-0",
    "infinity": "inf",
    "negative-infinity": "-inf",
    "nan": "nan",
    "nar": "nan",
}


@lru_cache(maxsize=128)
def describe_format(number_format: Format) -> FormatCard:
    """The card of a format."""
    precision = _significant_bits(number_format)
    digits = None if precision is None else decimal_digits(precision)
    back = None if precision is None else round_trip_digits(precision)
    if isinstance(number_format, IntegerFormat):
        # The longest of them is the text of one end: 128 needs three digits, of which two are always free.
        digits = len(str(number_format.max + 1)) - 1
        back = len(str(max(number_format.max, -number_format.min)))
    figures = figures_of(number_format)
    return FormatCard(
        format=number_format,
        fields=tuple(FieldWidth(name, bits) for name, bits in number_format.field_widths),
        storage_bits=_storage_bits(number_format),
        bias=number_format.bias if isinstance(number_format, FloatFormat) else None,
        max=exact_text(figures.max),
        min=exact_text(figures.min),
        min_positive=exact_text(figures.min_positive),
        min_normal=_text(figures.min_normal),
        min_subnormal=_text(figures.min_subnormal),
        max_subnormal=_text(figures.max_subnormal),
        eps=_text(figures.eps),
        significant_bits=precision,
        decimal_digits=digits,
        round_trip_digits=back,
        finite_values=number_format.last_ordinal - number_format.first_ordinal + 1,
        nan_codes=_nan_codes(number_format),
        infinities=_infinities(number_format),
        invalid_codes=_invalid_codes(number_format),
        overflow_from=_text(figures.overflow_from),
        overflow_from_included=figures.overflow_from_included,
        overflows=overflows_of(number_format),
        landmarks=landmarks(number_format),
    )


def decimal_digits(precision: int) -> int:
    """The most digits d with 10^d < 2^(precision-1): floor((p-1)·log10 2), in whole numbers."""
    digits = 0
    while 10 ** (digits + 1) < 1 << (precision - 1):
        digits += 1
    return digits


def round_trip_digits(precision: int) -> int:
    """The fewest digits d with 10^(d-1) > 2^precision: ceil(1 + p·log10 2), in whole numbers."""
    digits = 1
    while 10 ** (digits - 1) <= 1 << precision:
        digits += 1
    return digits


def _text(value: Fraction | None) -> str | None:
    return None if value is None else exact_text(value)


def _significant_bits(number_format: Format) -> int | None:
    match number_format:
        case FloatFormat():
            return number_format.precision
        case PositFormat() | TakumFormat():
            return number_format.parts(1 << max(number_format.width - 2, 0)).fraction_bits + 1
        case _:
            return None


def _storage_bits(number_format: Format) -> int:
    match number_format:
        case FloatFormat():
            return number_format.storage_bits or number_format.width
        case BooleanFormat():
            return 8
        case _:
            return number_format.width


def _nan_codes(number_format: Format) -> int:
    match number_format:
        case FloatFormat():
            return number_format.nan_codes
        case PositFormat() | TakumFormat():
            return 1
        case _:
            return 0


def _infinities(number_format: Format) -> int:
    if not isinstance(number_format, FloatFormat) or not number_format.has_infinity:
        return 0
    return 2 if number_format.signed else 1


def _invalid_codes(number_format: Format) -> int:
    if isinstance(number_format, CodebookFormat):
        return code_mask(number_format) + 1 - len(number_format.values)
    if not isinstance(number_format, FloatFormat) or not number_format.has_explicit_integer_bit:
        return 0
    # Every exponent but 0 with a clear integer bit, of either sign.
    return 2 * ((1 << number_format.exponent_bits) - 1) << number_format.mantissa_bits

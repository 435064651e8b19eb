"""Everything about one format on a card, like `torch.finfo` and `torch.iinfo`, but exact."""

import math
from dataclasses import dataclass
from fractions import Fraction

from app.exact.text import exact_text
from app.formats import FloatFormat, Format
from app.tasks.code_text import format_hex


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
    bias: int | None
    max: str
    min: str
    """The most negative number, or the smallest where there are no negative ones."""
    min_normal: str | None
    min_subnormal: str | None
    eps: str | None
    """Distance from 1 to the next larger number."""
    decimal_digits: int
    """Decimal digits that always survive the way there and back."""
    specials: tuple[SpecialCode, ...]
    nan_codes: int


def describe_format(number_format: Format) -> FormatCard:
    """The card of a format."""
    if isinstance(number_format, FloatFormat):
        return _float_card(number_format)
    return FormatCard(
        format=number_format,
        fields=tuple(FieldWidth(name, bits) for name, bits in number_format.field_widths),
        bias=None,
        max=exact_text(Fraction(number_format.max)),
        min=exact_text(Fraction(number_format.min)),
        min_normal=None,
        min_subnormal=None,
        eps=None,
        decimal_digits=len(str(int(number_format.max) + 1)) - 1,
        specials=(SpecialCode("0", format_hex(0, number_format)),),
        nan_codes=0,
    )


def _float_card(number_format: FloatFormat) -> FormatCard:
    subnormal = number_format.min_subnormal
    lowest = -number_format.max if number_format.signed else number_format.min_normal
    return FormatCard(
        format=number_format,
        fields=tuple(FieldWidth(name, bits) for name, bits in number_format.field_widths),
        bias=number_format.bias,
        max=exact_text(number_format.max),
        min=exact_text(lowest),
        min_normal=exact_text(number_format.min_normal),
        min_subnormal=None if subnormal is None else exact_text(subnormal),
        eps=exact_text(number_format.epsilon),
        decimal_digits=math.floor((number_format.precision - 1) * math.log10(2)),
        specials=_specials(number_format),
        nan_codes=number_format.nan_codes,
    )


def _specials(number_format: FloatFormat) -> tuple[SpecialCode, ...]:
    sign = number_format.sign_mask
    codes: list[tuple[str, int]] = []
    if number_format.has_zero:
        codes.append(("0", 0))
    if number_format.has_negative_zero:
        codes.append(("-0", sign))
    infinity = number_format.infinity_magnitude
    if infinity is not None:
        codes.append(("inf", number_format.code_of(infinity)))
        if number_format.signed:
            codes.append(("-inf", number_format.code_of(infinity, negative=True)))
    if number_format.nan_code is not None:
        codes.append(("nan", number_format.nan_code))
    return tuple(SpecialCode(value, format_hex(code, number_format)) for value, code in codes)

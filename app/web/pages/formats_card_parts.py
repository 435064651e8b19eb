"""The parts of a format's card that are made ready number by number: figures, landmarks, examples of posits."""

from dataclasses import dataclass

from app.exact import encode, parse
from app.formats import FixedPointFormat, Format, PositFormat, TakumFormat
from app.tasks.code_text import format_hex
from app.tasks.describe_format import FieldWidth, FormatCard
from app.tasks.format_fields import FieldBits, field_widths_of
from app.tasks.format_figures import figures_of
from app.web.pages.addresses import inspect_address
from app.web.pages.formats_figures import ShownFigure, maybe_shown, shown
from app.web.pages.formats_row import LINE_BITS, LayoutPart, layout_lines
from app.wording import Language

WIDEST_WITH_BITS = 32
"""Bits up to which a picture shows each bit, and a code its binary digits."""
TAPERED_EXAMPLES = ("1", "1000", "1e6", "1e-6")


@dataclass(frozen=True, slots=True)
class LandmarkRow:
    """A code worth knowing; `figure` is None for infinities and NaNs, whose `value` says which."""

    role: str
    hex: str
    href: str
    fields: tuple[FieldBits, ...]
    value: str | None
    figure: ShownFigure | None


@dataclass(frozen=True, slots=True)
class TaperedExample:
    """How a posit or takum spends its bits on one number."""

    value: str
    hex: str
    href: str
    fields: tuple[FieldWidth, ...]
    lines: tuple[tuple[LayoutPart, ...], ...]


@dataclass(frozen=True, slots=True)
class CardFigures:
    """The figures of the card, made ready; None where the format has no such number."""

    max: ShownFigure
    min: ShownFigure
    min_positive: ShownFigure
    min_normal: ShownFigure | None
    min_subnormal: ShownFigure | None
    max_subnormal: ShownFigure | None
    eps: ShownFigure | None
    overflow_from: ShownFigure | None
    step: ShownFigure | None
    """Of a fixed-point format: the distance between neighbours."""


def card_figures(number_format: Format) -> CardFigures:
    """The figures of a format."""
    found = figures_of(number_format)
    return CardFigures(
        max=shown(found.max),
        min=shown(found.min),
        min_positive=shown(found.min_positive),
        min_normal=maybe_shown(found.min_normal),
        min_subnormal=maybe_shown(found.min_subnormal),
        max_subnormal=maybe_shown(found.max_subnormal),
        eps=maybe_shown(found.eps),
        overflow_from=maybe_shown(found.overflow_from),
        step=shown(number_format.unit) if isinstance(number_format, FixedPointFormat) else None,
    )


def landmark_rows(language: Language, card: FormatCard) -> tuple[LandmarkRow, ...]:
    """The codes worth knowing, each with its page."""
    number_format = card.format
    shows_bits = number_format.width <= WIDEST_WITH_BITS
    rows = []
    for each in card.landmarks:
        value = number_format.value_of(each.code)
        href = inspect_address(language, bits=each.hex, format=number_format.name)
        is_plain = value is not None and not (value == 0 and each.value == "-0")
        figure = shown(value) if value is not None and is_plain else None
        fields = each.fields if shows_bits else ()
        rows.append(LandmarkRow(each.role, each.hex, href, fields, each.value, figure))
    return tuple(rows)


def tapered_examples(language: Language, number_format: Format) -> tuple[TaperedExample, ...]:
    """Numbers near and far from 1; nothing for other families."""
    if not isinstance(number_format, PositFormat | TakumFormat):
        return ()
    examples: dict[int, TaperedExample] = {}
    for text in TAPERED_EXAMPLES:
        code = encode(parse(text), number_format).code
        bits = format_hex(code, number_format)
        href = inspect_address(language, bits=bits, format=number_format.name)
        widths = field_widths_of(code, number_format)
        lines = layout_lines(widths, min(number_format.width, LINE_BITS))
        fields = tuple(FieldWidth(name, count) for name, count in widths)
        examples.setdefault(code, TaperedExample(text, bits, href, fields, lines))
    return tuple(examples.values())

"""One format as a line of the table: its fields to scale, its ends, its links."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from app.formats import AnyFormat, BlockFormat, BooleanFormat, Family, FixedPointFormat, FloatFormat, IntegerFormat
from app.tasks.describe_format import FieldWidth, FormatCard, describe_format
from app.tasks.format_blocks import describe_block
from app.web.pages.addresses import format_address, inspect_address
from app.web.pages.formats_figures import short_name
from app.wording import Language

LINE_BITS = 64
LONGEST_FIGURE = 20
FIRST_VALUE, FIRST_INTEGER = "0.1", "-127"


@dataclass(frozen=True, slots=True)
class LayoutPart:
    """A field drawn to scale: where it starts and how wide it is, in bits."""

    name: str
    start: int
    width: int


@dataclass(frozen=True, slots=True)
class FormatRow:
    """One line of the table."""

    format: AnyFormat
    name: str
    fields: tuple[FieldWidth, ...]
    lines: tuple[tuple[LayoutPart, ...], ...]
    """The fields in lines of 64 bits."""
    bits: str
    """The width; of a block its bits per element, the share of the scale included."""
    largest: str
    smallest: str
    """The smallest normal float, the smallest positive posit, takum or block, the least of the others."""
    places: int | None
    """Digits to which the two are rounded for reading; None: they are shown whole."""
    card_href: str
    inspect_href: str | None


@lru_cache(maxsize=512)
def format_row(language: Language, number_format: AnyFormat) -> FormatRow:
    """The line of a format."""
    if isinstance(number_format, BlockFormat):
        block = describe_block(number_format)
        fields, largest, smallest, inspect_href = block.fields, block.max, block.min_positive, None
    else:
        card = describe_format(number_format)
        fields, largest, smallest = _fields(card), card.max, card.min
        if isinstance(number_format, FloatFormat):
            smallest = card.min_normal or card.min_positive
        elif number_format.family in (Family.POSIT, Family.TAKUM):
            smallest = card.min_positive
        inspect_href = inspect_address(language, value=example_value(number_format), format=number_format.name)
    is_whole = number_format.family in (Family.INTEGER, Family.BOOLEAN)
    is_short = is_whole and max(len(largest), len(smallest)) <= LONGEST_FIGURE
    return FormatRow(
        format=number_format,
        name=short_name(number_format.name),
        fields=fields,
        lines=layout_lines((field.name, field.bits) for field in fields),
        bits=block.bits_per_element if isinstance(number_format, BlockFormat) else str(number_format.width),
        largest=largest,
        smallest=smallest,
        places=None if is_short else 10 if number_format.family is Family.FIXED_POINT else 6,
        card_href=format_address(language, number_format.name),
        inspect_href=inspect_href,
    )


def _fields(card: FormatCard) -> tuple[FieldWidth, ...]:
    """x87's integer bit belongs to the significand; it is no integer field."""
    if not isinstance(card.format, FloatFormat):
        return card.fields
    return tuple(FieldWidth("integer-bit" if each.name == "integer" else each.name, each.bits) for each in card.fields)


def example_value(number_format: AnyFormat) -> str:
    """A number that shows something in this format."""
    if isinstance(number_format, IntegerFormat | BooleanFormat):
        return FIRST_INTEGER if number_format.signed else FIRST_INTEGER.removeprefix("-")
    if isinstance(number_format, FixedPointFormat) and number_format.fraction_bits == 0:
        return "1"
    return FIRST_VALUE


def layout_lines(fields: Iterable[tuple[str, int]], line_bits: int = LINE_BITS) -> tuple[tuple[LayoutPart, ...], ...]:
    """Fields one behind the other, broken into lines of so many bits."""
    lines: list[list[LayoutPart]] = [[]]
    start = 0
    for name, bits in fields:
        left = bits
        while left:
            if start == line_bits:
                lines.append([])
                start = 0
            width = min(left, line_bits - start)
            lines[-1].append(LayoutPart(name, start, width))
            start, left = start + width, left - width
    return tuple(map(tuple, lines))

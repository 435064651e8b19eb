"""The picture of a code: fields of nibbles of cells, each cell a link to the code with that bit flipped."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby

from app.formats import (
    BooleanFormat,
    Family,
    FixedPointFormat,
    FloatFormat,
    Format,
    IntegerFormat,
    Notation,
)
from app.tasks.format_fields import field_widths_of
from app.tasks.inspection import Inspection

WIDEST_WITH_DECIMAL_WEIGHTS = 8
WEIGHTED = (Family.INTEGER, Family.FIXED_POINT, Family.BOOLEAN)
"""Families whose bits weigh something by themselves, whatever the other bits are."""
SIZES = (8, 16, 32, 64)
"""Widths up to which cells have a size of their own; wider rows are drawn as those of 64."""
NOTATIONS = {
    Notation.TWOS_COMPLEMENT: "twos-complement",
    Notation.ONES_COMPLEMENT: "ones-complement",
    Notation.SIGN_MAGNITUDE: "magnitude",
}


@dataclass(frozen=True, slots=True)
class Cell:
    """One bit. `weight` is what it counts in its field, with a power as `2^-3`; empty where that depends on others."""

    position: int
    bit: str
    weight: str
    flip_href: str


@dataclass(frozen=True, slots=True)
class FieldGroup:
    """The cells of one field, cut at the borders of hexadecimal digits; `value` is None where there is no number."""

    name: str
    width: int
    bits: str
    value: str | None
    is_last: bool
    """The last of several fields, which may begin a line of its own."""
    nibbles: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True)
class BitRow:
    """All fields, most significant first."""

    width: int
    size: int
    """Which of `SIZES` the cells have."""
    shows_weights: bool
    fields: tuple[FieldGroup, ...]


def bit_row(inspection: Inspection, address_of_bits: Callable[[str], str]) -> BitRow:
    """The picture of an inspection; `address_of_bits` makes the address of a code."""
    width = inspection.format.width
    digits = len(inspection.hex) - 2

    def cell(position: int, weight: str) -> Cell:
        flipped = f"0x{inspection.code ^ (1 << position):0{digits}x}"
        return Cell(position, inspection.bits[width - 1 - position], weight, address_of_bits(flipped))

    values = [field.value for field in inspection.fields]
    return _row(inspection.format, layout_of(inspection.code, inspection.format), values, inspection.bits, cell)


def blank_row(number_format: Format) -> BitRow:
    """The layout of a format without a number in it; of posits and takums that of 1."""
    one = 1 << max(number_format.width - 2, 0)
    layout = layout_of(one, number_format)
    return _row(number_format, layout, [None] * len(layout), "", lambda at, weight: Cell(at, "", weight, ""))


def layout_of(code: int, number_format: Format) -> tuple[tuple[str, int], ...]:
    """Names and widths of the fields that a code has, most significant first; the names are those of the page."""
    layout = field_widths_of(code, number_format)
    match number_format:
        case IntegerFormat(signed=True, notation=notation):
            return tuple((NOTATIONS[notation] if name == "integer" else name, width) for name, width in layout)
        case IntegerFormat():
            return (("unsigned", number_format.width),)
        case BooleanFormat():
            return (("truth", 1),)
        case FloatFormat(has_explicit_integer_bit=True):
            return tuple(("integer-bit" if name == "integer" else name, width) for name, width in layout)
        case _:
            return layout


def _row(
    number_format: Format,
    layout: tuple[tuple[str, int], ...],
    values: list[str] | list[None],
    bits: str,
    cell: Callable[[int, str], Cell],
) -> BitRow:
    groups, top, width = [], number_format.width, number_format.width
    for index, ((name, size), value) in enumerate(zip(layout, values, strict=True)):
        cells = [
            cell(position, _weight(number_format, name, position, top - 1 - position))
            for position in range(top - 1, top - 1 - size, -1)
        ]
        nibbles = tuple(tuple(group) for _, group in groupby(cells, key=lambda each: each.position // 4))
        part = bits[width - top : width - top + size]
        groups.append(FieldGroup(name, size, part, value, 0 < index == len(layout) - 1, nibbles))
        top -= size
    size = next((each for each in SIZES if width <= each), SIZES[-1])
    return BitRow(width, size, number_format.family in WEIGHTED, tuple(groups))


def _weight(number_format: Format, field: str, position: int, place: int) -> str:
    """What a bit counts; `place` is its distance from the field's most significant bit."""
    if not isinstance(number_format, FloatFormat):
        return weight_text(number_format, position)
    match field:
        case "sign":
            return "-1"
        case "exponent":
            lower = number_format.mantissa_bits + number_format.has_explicit_integer_bit
            return f"2^{position - lower}"
        case "integer-bit":
            return "2^0"
        case _:
            return f"2^{-(place + 1)}"


def weight_text(number_format: Format, position: int) -> str:
    """What a bit of an integer or fixed-point number counts: short numbers in decimal, long ones as powers.

    Empty for other families; the sign of sign-magnitude weighs nothing itself, and says so.
    """
    if number_format.family not in WEIGHTED:
        return ""
    top = number_format.signed and position == number_format.width - 1
    if isinstance(number_format, FixedPointFormat):
        return f"{'-' if top else ''}2^{position - number_format.fraction_bits}"
    notation = number_format.notation if isinstance(number_format, IntegerFormat) else Notation.TWOS_COMPLEMENT
    if top and notation is Notation.SIGN_MAGNITUDE:
        return "±"
    is_short = number_format.width <= WIDEST_WITH_DECIMAL_WEIGHTS
    if top and notation is Notation.ONES_COMPLEMENT:
        return f"{1 - (1 << position)}" if is_short else f"1-2^{position}"
    return f"{'-' if top else ''}{1 << position if is_short else f'2^{position}'}"

"""The picture of a code: fields of nibbles of cells, each cell a link to the code with that bit flipped."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby

from app.formats import BooleanFormat, FloatFormat, Format
from app.tasks.inspection import Inspection

WIDEST_WITH_DECIMAL_WEIGHTS = 8


@dataclass(frozen=True, slots=True)
class Cell:
    """One bit. `weight` is what it counts in its field, with a power as `2^-3`."""

    position: int
    bit: str
    weight: str
    flip_href: str


@dataclass(frozen=True, slots=True)
class FieldGroup:
    """The cells of one field, cut at the borders of hexadecimal digits; `value` is None where there is no number."""

    name: str
    width: int
    value: str | None
    nibbles: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True)
class BitRow:
    """All fields, most significant first."""

    width: int
    shows_weights: bool
    fields: tuple[FieldGroup, ...]


def bit_row(inspection: Inspection, address_of_bits: Callable[[str], str]) -> BitRow:
    """The picture of an inspection; `address_of_bits` makes the address of a code."""
    width = inspection.format.width
    digits = len(inspection.hex) - 2

    def cell(position: int, weight: str) -> Cell:
        flipped = f"0x{inspection.code ^ (1 << position):0{digits}x}"
        return Cell(position, inspection.bits[width - 1 - position], weight, address_of_bits(flipped))

    groups, top = [], width
    for (name, size), part in zip(layout_of(inspection.format), inspection.fields, strict=True):
        groups.append(_group(inspection.format, name, top, size, part.value, cell))
        top -= size
    return BitRow(width, not isinstance(inspection.format, FloatFormat), tuple(groups))


def blank_row(number_format: Format) -> BitRow:
    """The layout of a format without a number in it."""
    groups, top = [], number_format.width
    for name, width in layout_of(number_format):
        groups.append(_group(number_format, name, top, width, None, lambda at, weight: Cell(at, "", weight, "")))
        top -= width
    return BitRow(number_format.width, not isinstance(number_format, FloatFormat), tuple(groups))


def layout_of(number_format: Format) -> tuple[tuple[str, int], ...]:
    """Names and widths of the fields that a format has, most significant first."""
    if not isinstance(number_format, FloatFormat):
        return (("twos-complement" if number_format.signed else "unsigned", number_format.width),)
    widths = (int(number_format.signed), number_format.exponent_bits, number_format.mantissa_bits)
    return tuple((name, width) for name, width in zip(("sign", "exponent", "mantissa"), widths, strict=True) if width)


def _group(
    number_format: Format, name: str, top: int, width: int, value: str | None, cell: Callable[[int, str], Cell]
) -> FieldGroup:
    cells = [
        cell(position, _weight(number_format, name, position, top - 1 - position))
        for position in range(top - 1, top - 1 - width, -1)
    ]
    nibbles = tuple(tuple(group) for _, group in groupby(cells, key=lambda each: each.position // 4))
    return FieldGroup(name, width, value, nibbles)


def _weight(number_format: Format, field: str, position: int, place: int) -> str:
    """What a bit counts; `place` is its distance from the field's most significant bit."""
    if isinstance(number_format, FloatFormat):
        match field:
            case "sign":
                return "-1"
            case "exponent":
                return f"2^{position - number_format.mantissa_bits}"
            case _:
                return f"2^{-(place + 1)}"
    return weight_text(number_format, position)


def weight_text(number_format: Format, position: int) -> str:
    """What a bit of an integer counts: short numbers in decimal, long ones as powers."""
    if isinstance(number_format, BooleanFormat):
        return "1"
    sign = "-" if number_format.signed and position == number_format.width - 1 else ""
    if number_format.width <= WIDEST_WITH_DECIMAL_WEIGHTS:
        return f"{sign}{1 << position}"
    return f"{sign}2^{position}"

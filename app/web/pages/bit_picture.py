"""The bit row as a picture to take away: where every cell, bracket and label stands in an SVG of its own."""

from collections.abc import Iterator
from dataclasses import dataclass

from app.tasks.inspection import Inspection
from app.web.pages.bit_row import BitRow, Cell, FieldGroup

WIDTH, MARGIN = 1200, 48
TOP = 152
FIELD_GAP, NIBBLE_GAP, LINE_GAP = 20, 8, 24
LABEL_HEIGHT, NUMBER_HEIGHT = 32, 20
WIDE_CELLS, NARROW_CELLS = (60, 64), (30, 40)
WIDEST_WITH_WIDE_CELLS = 16


@dataclass(frozen=True, slots=True)
class PictureCell:
    """One bit: its corner on the canvas, its number below it."""

    x: int
    y: int
    bit: str
    position: int


@dataclass(frozen=True, slots=True)
class PictureField:
    """A field with its bracket from `x` over `width`, and its cells."""

    name: str
    bits: int
    x: int
    y: int
    width: int
    cells: tuple[PictureCell, ...]


@dataclass(frozen=True, slots=True)
class BitPicture:
    """The view of `bit_picture.svg`."""

    inspection: Inspection
    typed: str
    width: int
    height: int
    margin: int
    cell_width: int
    cell_height: int
    fields: tuple[PictureField, ...]
    bottom: int
    """Where the cells end."""


def bit_picture(inspection: Inspection, row: BitRow) -> BitPicture:
    """The picture of an inspection; wide formats break by field, then by line."""
    cell_width, cell_height = WIDE_CELLS if row.width <= WIDEST_WITH_WIDE_CELLS else NARROW_CELLS
    fields: list[PictureField] = []
    x, y = MARGIN, TOP
    for group in row.fields:
        if x > MARGIN and x + _extent(group, cell_width) > WIDTH - MARGIN:
            x, y = MARGIN, y + LABEL_HEIGHT + cell_height + NUMBER_HEIGHT + LINE_GAP
        cells = tuple(_placed(group, x, y + LABEL_HEIGHT, cell_width, cell_height))
        right = max(cell.x for cell in cells) + cell_width
        fields.append(PictureField(group.name, group.width, x, y, right - x, cells))
        x, y = right + FIELD_GAP, cells[-1].y - LABEL_HEIGHT
    bottom = y + LABEL_HEIGHT + cell_height + NUMBER_HEIGHT
    typed = "" if inspection.by_bits else inspection.input
    return BitPicture(inspection, typed, WIDTH, bottom + 176, MARGIN, cell_width, cell_height, tuple(fields), bottom)


def _extent(group: FieldGroup, cell_width: int) -> int:
    return group.width * cell_width + (len(group.nibbles) - 1) * NIBBLE_GAP


def _placed(group: FieldGroup, left: int, top: int, width: int, height: int) -> Iterator[PictureCell]:
    x, y = left, top
    for nibble in group.nibbles:
        if x + len(nibble) * width > WIDTH - MARGIN:
            x, y = left, y + height + NUMBER_HEIGHT + NIBBLE_GAP
        for cell in nibble:
            yield _at(cell, x, y)
            x += width
        x += NIBBLE_GAP


def _at(cell: Cell, x: int, y: int) -> PictureCell:
    return PictureCell(x, y, cell.bit, cell.position)

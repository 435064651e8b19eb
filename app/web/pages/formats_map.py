"""`/{language}/formats/{name}/map`: every value of a narrow format on one page; a wider one by powers of two."""

import math
from dataclasses import dataclass
from fractions import Fraction
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from app.errors import InvalidInput
from app.exact.text import exact_text
from app.formats import FloatFormat, Format
from app.tasks.format_binades import Binade, BinadeRun, binade_runs, binades, count_binades, place_of_one
from app.tasks.format_codes import refuse_wide
from app.tasks.format_map import MOST_COLUMNS, WIDEST_MAP, FormatMap, MapCell, MapRow, format_map
from app.web.pages.addresses import format_address, format_part_address
from app.web.pages.formats_codes import scalar_or_refuse
from app.web.pages.formats_figures import ShownFigure, short_name, shown
from app.web.parameters import read_parameters
from app.web.rendering import render
from app.wording import Language

router = APIRouter(include_in_schema=False)
PAGE_BINADES = 64
CHART_WIDTH, CHART_HEIGHT = 1120, 160
NARROWEST_GAPPED = 12
"""Bars that are narrower touch: gaps would shimmer on a phone."""


@dataclass(frozen=True, slots=True)
class DrawnCell:
    """A value and its page, or a gap; `figure` is None for gaps, zeros, infinities and NaNs."""

    cell: MapCell
    figure: ShownFigure | None
    shows_powers: bool
    """The powers of two are the shorter text."""
    href: str


@dataclass(frozen=True, slots=True)
class DrawnRow:
    """A row of the map and the exponent bits that its codes share."""

    row: MapRow
    bits: str
    cells: tuple[DrawnCell, ...]


@dataclass(frozen=True, slots=True)
class DrawnPart:
    """The positive numbers, the negative ones, or what is neither."""

    name: str
    rows: tuple[DrawnRow, ...]


@dataclass(frozen=True, slots=True)
class BinadeLine:
    """A line of the table of binades."""

    binade: Binade
    step: ShownFigure | None
    href: str


@dataclass(frozen=True, slots=True)
class BinadeChart:
    """Significant bits over the power of two: a bar a binade, in a picture of CHART_WIDTH by CHART_HEIGHT."""

    path: str
    subnormal_path: str
    one_at: float | None
    lowest: int
    highest: int
    most_bits: int
    width: int = CHART_WIDTH
    height: int = CHART_HEIGHT


@dataclass(frozen=True, slots=True)
class MapPage:
    """The view of `format_map.html`: cells for 8 bits or fewer, binades above."""

    name: str
    card_href: str
    codes_href: str
    columns: int
    by_binade: bool
    headings: tuple[str, ...]
    """Of the columns: how many times the power of two, or the last digit of the code."""
    parts: tuple[DrawnPart, ...]
    chart: BinadeChart | None
    lines: tuple[BinadeLine, ...]
    page: int
    pages: int
    previous_href: str | None
    next_href: str | None


@router.get("/{language}/formats/{name}/map")
def show_map(language: Language, name: str, request: Request) -> HTMLResponse:
    """Cells for formats of up to 8 bits, a chart and a table of binades for up to 16."""
    given = read_parameters(request, "page")
    number_format = scalar_or_refuse(name)
    refuse_wide(number_format)
    if number_format.width <= WIDEST_MAP:
        return render(request, "format_map.html", map_cells(language, number_format))
    return render(request, "format_map.html", _binades(language, number_format, given.get("page", "")))


def map_cells(language: Language, number_format: Format) -> MapPage:
    """The map of a format of 8 bits or fewer."""
    found, name = format_map(number_format), number_format.name
    suffix = urlencode({"format": name})

    def drawn(row: MapRow) -> DrawnRow:
        cells = tuple(
            _drawn(cell, f"/{language}/inspect?bits={cell.hex}&{suffix}", found.columns) for cell in row.cells
        )
        return DrawnRow(row, _exponent_bits(row, number_format), cells)

    return MapPage(
        name=short_name(name),
        card_href=format_address(language, name),
        codes_href=format_part_address(language, name, "codes"),
        columns=found.columns,
        by_binade=found.by_binade,
        headings=_headings(found),
        parts=tuple(DrawnPart(part.name, tuple(map(drawn, part.rows))) for part in found.parts),
        chart=None,
        lines=(),
        page=1,
        pages=1,
        previous_href=None,
        next_href=None,
    )


def _drawn(cell: MapCell, href: str, columns: int) -> DrawnCell:
    """The value as exactly as its cell has room for."""
    longest, longest_powers = (9, 10) if columns == MOST_COLUMNS else (13, 14)
    if not cell.value:
        return DrawnCell(cell, None, shows_powers=False, href=href)
    figure = shown(cell.value, longest)
    shows_powers = len(cell.text) > longest and len(figure.powers or "") in range(1, longest_powers + 1)
    return DrawnCell(cell, figure, shows_powers, href)


def _headings(found: FormatMap) -> tuple[str, ...]:
    if found.by_binade:
        return tuple("×" + exact_text(1 + Fraction(place, found.columns)) for place in range(found.columns))
    if found.columns == MOST_COLUMNS:
        return tuple(f"…{place:x}" for place in range(found.columns))
    return tuple(f"+{place}" for place in range(found.columns))


def _exponent_bits(row: MapRow, number_format: Format) -> str:
    if not isinstance(number_format, FloatFormat) or row.role not in ("binade", "subnormal") or row.exponent is None:
        return ""
    code = next(cell.code for cell in row.cells if cell.code is not None)
    field = (code & number_format.magnitude_mask) >> number_format.mantissa_bits
    return f"{field:0{number_format.exponent_bits}b}" if number_format.exponent_bits else ""


def _binades(language: Language, number_format: Format, page_text: str) -> MapPage:
    name, pages = number_format.name, -(-count_binades(number_format) // PAGE_BINADES)
    page = _page(page_text, pages, name) if page_text else place_of_one(number_format) // PAGE_BINADES + 1

    def page_href(number: int) -> str:
        return format_part_address(language, name, "map", page=str(number))

    return MapPage(
        name=short_name(name),
        card_href=format_address(language, name),
        codes_href=format_part_address(language, name, "codes"),
        columns=0,
        by_binade=True,
        headings=(),
        parts=(),
        chart=_chart(binade_runs(number_format)),
        lines=tuple(
            BinadeLine(
                each,
                shown(each.step) if each.step else None,
                format_part_address(language, name, "codes", at=each.first_hex) + "#at",
            )
            for each in binades(number_format, (page - 1) * PAGE_BINADES, page * PAGE_BINADES)
        ),
        page=page,
        pages=pages,
        previous_href=page_href(page - 1) if page > 1 else None,
        next_href=page_href(page + 1) if page < pages else None,
    )


def _page(text: str, pages: int, name: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= pages):
        raise InvalidInput("codes.page", page=text[:20], pages=pages, format=name[:40])
    return int(text)


def _chart(found: tuple[BinadeRun, ...]) -> BinadeChart:
    lowest, highest = found[0].exponent, found[-1].last_exponent
    column = CHART_WIDTH / (highest - lowest + 1)
    most_bits = max(each.numbers.bit_length() for each in found)
    is_gapped = column > NARROWEST_GAPPED
    paths: dict[bool, list[str]] = {False: [], True: []}
    for each in found:
        height = (math.log2(each.numbers) + 1) / most_bits * CHART_HEIGHT
        # Bars that touch are drawn as one: a format can have more binades than the picture has columns.
        bars, width = (each.binades, column - 1) if is_gapped else (1, column * each.binades)
        for index in range(bars):
            left = (each.exponent - lowest + index) * column
            box = f"M{left:.2f} {CHART_HEIGHT}V{CHART_HEIGHT - height:.2f}H{left + width:.2f}V{CHART_HEIGHT}Z"
            paths[each.is_subnormal].append(box)
    one_at = -lowest * column if lowest <= 0 <= highest else None
    return BinadeChart("".join(paths[False]), "".join(paths[True]), one_at, lowest, highest, most_bits)

"""The card of a designed format: its fields, its figures beside a known float, its links, its constants."""

from dataclasses import dataclass, replace
from urllib.parse import urlencode

from app.formats import FloatFormat, Format
from app.tasks.compare_formats import compare_formats
from app.tasks.describe_format import FormatCard, describe_format
from app.tasks.format_equals import same_values
from app.tasks.format_figures import FormatFigures, figures_of
from app.tasks.format_map import WIDEST_MAP
from app.tasks.number_line_scale import short_text
from app.web.pages.addresses import format_address, format_path, inspect_address
from app.web.pages.compare_chart import Window, default_window
from app.web.pages.compare_tables import FormatsAnswer, WindowLinks, formats_answer
from app.web.pages.formats_figures import ShownFigure, maybe_shown
from app.web.pages.formats_map import MapPage, map_cells
from app.web.pages.formats_row import LayoutPart, layout_lines
from app.wording import Language
from app.wording.design_documents import c_header, constants_name, python_module

FARTHEST = 280
"""Powers of two up to which the chart of precision reaches."""
FIGURES = ("max", "min_normal", "max_subnormal", "min_subnormal", "min_positive", "eps")


@dataclass(frozen=True, slots=True)
class FigureRow:
    """One number of both formats; None where a format has none. The template has the words of `name`."""

    name: str
    here: ShownFigure | None
    beside: ShownFigure | None
    is_same: bool


@dataclass(frozen=True, slots=True)
class CountRow:
    """One whole number of both formats."""

    name: str
    here: str
    beside: str

    @property
    def is_same(self) -> bool:
        return self.here == self.beside


@dataclass(frozen=True, slots=True)
class KnownLink:
    """A listed format with the same numbers."""

    name: str
    href: str
    same_codes: bool


@dataclass(frozen=True, slots=True)
class DesignCard:
    """Everything below the controls."""

    name: str
    width: int
    beside: str
    beside_href: str
    lines: tuple[tuple[LayoutPart, ...], ...]
    line_bits: int
    fields: tuple[LayoutPart, ...]
    same: tuple[KnownLink, ...]
    figures: tuple[FigureRow, ...]
    counts: tuple[CountRow, ...]
    c_text: str
    python_text: str
    c_href: str
    python_href: str
    c_file: str
    python_file: str
    json_href: str
    card_href: str
    inspect_href: str
    line_href: str
    compare_href: str


def design_card(language: Language, number_format: FloatFormat, beside: FloatFormat) -> DesignCard:
    """The card of a format beside another."""
    name, file = number_format.name, constants_name(number_format)
    both = urlencode({"formats": f"{name} {beside.name}"})
    reach = short_text(number_format.max)
    low = f"-{reach}" if number_format.signed else "0"
    query = urlencode({"format": name})
    line_bits = min(number_format.width, 64)
    return DesignCard(
        name=name,
        width=number_format.width,
        beside=beside.name,
        beside_href=format_address(language, beside.name),
        lines=layout_lines(number_format.field_widths, line_bits),
        line_bits=line_bits,
        fields=tuple(LayoutPart(field, 0, bits) for field, bits in number_format.field_widths),
        same=tuple(
            KnownLink(each.format.name, format_address(language, each.format.name), each.same_codes)
            for each in same_values(number_format)
        ),
        figures=_figure_rows(figures_of(number_format), figures_of(beside)),
        counts=_count_rows(describe_format(number_format), describe_format(beside)),
        c_text=c_header(number_format),
        python_text=python_module(number_format),
        c_href=f"/{language}/designer.h?{query}",
        python_href=f"/{language}/designer.py?{query}",
        c_file=f"{file}.h",
        python_file=f"{file}.py",
        json_href=f"/api/v1/formats/{format_path(name)}",
        card_href=format_address(language, name),
        inspect_href=inspect_address(language, value="0.1", format=name),
        line_href=f"/{language}/numberline?{both}&{urlencode({'from': low, 'to': reach, 'scale': 'log'})}",
        compare_href=f"/{language}/compare?{both}",
    )


def design_answer(language: Language, number_format: Format, beside: Format) -> FormatsAnswer:
    """Precision over magnitude and the numbers in common, as the Compare page has them."""
    formats = (number_format,) if number_format == beside else (number_format, beside)
    comparison = compare_formats(formats)
    window: Window = default_window(comparison.ranges, FARTHEST)
    whole = default_window(comparison.ranges, None)
    return formats_answer(language, comparison, window, WindowLinks("", "", "", is_cut=whole != window))


def design_map(language: Language, number_format: FloatFormat) -> MapPage | None:
    """Every value, where they fit on a page: the positive ones stand for the negative ones too."""
    if number_format.width > WIDEST_MAP:
        return None
    found = map_cells(language, number_format)
    return replace(found, parts=tuple(part for part in found.parts if part.name != "negative"))


def _figure_rows(here: FormatFigures, beside: FormatFigures) -> tuple[FigureRow, ...]:
    rows = []
    for name in FIGURES:
        mine, other = getattr(here, name), getattr(beside, name)
        if name == "min_positive" and {mine, other} <= {here.min_subnormal, beside.min_subnormal}:
            continue  # said by the row of subnormals
        if mine is None and other is None:
            continue
        rows.append(FigureRow(name, maybe_shown(mine), maybe_shown(other), mine == other))
    return tuple(rows)


def _count_rows(here: FormatCard, beside: FormatCard) -> tuple[CountRow, ...]:
    def row(name: str, mine: int | None, other: int | None) -> CountRow:
        return CountRow(name, "" if mine is None else str(mine), "" if other is None else str(other))

    return (
        row("bits", here.format.width, beside.format.width),
        row("bias", here.bias, beside.bias),
        row("significant-bits", here.significant_bits, beside.significant_bits),
        row("digits", here.decimal_digits, beside.decimal_digits),
        row("numbers", here.finite_values, beside.finite_values),
        row("infinities", here.infinities, beside.infinities),
        row("nans", here.nan_codes, beside.nan_codes),
    )

"""`/{language}/formats`: the table of formats, and the card of each."""

from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from app.errors import InvalidInput, NotFound
from app.formats import CATALOG, FloatFormat, Format, find_format
from app.tasks.describe_format import FormatCard, describe_format
from app.web.pages.addresses import format_address, inspect_address
from app.web.parameters import read_parameters
from app.web.rendering import render
from app.wording import Language

router = APIRouter(include_in_schema=False)
FIRST_VALUE = "0.1"
FIRST_INTEGER = "-127"


@dataclass(frozen=True, slots=True)
class LayoutPart:
    """A field drawn to scale: where it starts and how wide it is, in bits."""

    name: str
    start: int
    width: int


@dataclass(frozen=True, slots=True)
class FormatRow:
    """One line of the table."""

    card: FormatCard
    is_float: bool
    layout: tuple[LayoutPart, ...]
    card_href: str
    inspect_href: str


@dataclass(frozen=True, slots=True)
class FormatsPage:
    """The view of `formats.html`."""

    floats: tuple[FormatRow, ...]
    others: tuple[FormatRow, ...]


@dataclass(frozen=True, slots=True)
class SpecialLink:
    """A value that is no ordinary finite number, and its code's page."""

    value: str
    hex: str
    href: str


@dataclass(frozen=True, slots=True)
class FormatCardPage:
    """The view of `format.html`."""

    row: FormatRow
    specials: tuple[SpecialLink, ...]
    json_href: str


@router.get("/{language}/formats")
def show_all(language: Language, request: Request) -> HTMLResponse:
    """Every format of the table, floats first."""
    read_parameters(request)
    rows = [_row(language, each) for each in CATALOG]
    view = FormatsPage(
        floats=tuple(row for row in rows if row.is_float), others=tuple(row for row in rows if not row.is_float)
    )
    return render(request, "formats.html", view)


@router.get("/{language}/formats/{name}")
def show_one(language: Language, name: str, request: Request) -> HTMLResponse:
    """The card of one format, by its name or an alias."""
    read_parameters(request)
    try:
        number_format = find_format(name)
    except InvalidInput as error:
        raise NotFound(error.code, **error.figures) from None
    row = _row(language, number_format)
    specials = tuple(
        SpecialLink(each.value, each.hex, inspect_address(language, bits=each.hex, format=number_format.name))
        for each in row.card.specials
    )
    view = FormatCardPage(row, specials, f"/api/v1/formats/{number_format.name}")
    return render(request, "format.html", view)


def _row(language: Language, number_format: Format) -> FormatRow:
    card = describe_format(number_format)
    parts, start = [], 0
    for field in card.fields:
        parts.append(LayoutPart(field.name, start, field.bits))
        start += field.bits
    is_float = isinstance(number_format, FloatFormat)
    example = FIRST_VALUE if is_float else FIRST_INTEGER if number_format.signed else FIRST_INTEGER.removeprefix("-")
    return FormatRow(
        card=card,
        is_float=is_float,
        layout=tuple(parts),
        card_href=format_address(language, number_format.name),
        inspect_href=inspect_address(language, value=example, format=number_format.name),
    )

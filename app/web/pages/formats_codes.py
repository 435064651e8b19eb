"""`/{language}/formats/{name}/codes`: every code of a format of up to 16 bits, with the number it stands for."""

from dataclasses import dataclass
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from app.errors import InvalidInput
from app.formats import Format, find_format
from app.tasks.code_text import format_hex
from app.tasks.format_codes import CodeRow, code_page, find_code, page_count, page_of, read_page, refuse_wide
from app.tasks.format_fields import FieldBits
from app.web.pages.addresses import format_address, format_part_address
from app.web.pages.formats_card import find_or_refuse
from app.web.pages.formats_figures import ShownFigure, short_name, shown
from app.web.parameters import read_parameters
from app.web.rendering import render
from app.wording import Language, say

router = APIRouter(include_in_schema=False)
COLUMN_CODES = 64
"""Codes below each other: the tables of a page stand side by side where there is room."""
LONGEST_DIGITS = 15


@dataclass(frozen=True, slots=True)
class CodeLine:
    """One code. `figure` is None for what is no finite number, and for minus zero."""

    hex: str
    href: str
    fields: tuple[FieldBits, ...]
    text: str
    figure: ShownFigure | None
    kind: str
    is_at: bool
    """It is the one that was looked for."""


@dataclass(frozen=True, slots=True)
class CodesPage:
    """The view of `format_codes.html`."""

    name: str
    card_href: str
    map_href: str
    json_href: str
    action: str
    width: int
    tables: tuple[tuple[CodeLine, ...], ...]
    page: int
    pages: int
    first: str
    last: str
    at: str
    refusal: str | None
    """What is wrong with what was looked for."""
    first_href: str
    previous_href: str | None
    next_href: str | None
    last_href: str


@router.get("/{language}/formats/{name}/codes")
def show_codes(language: Language, name: str, request: Request) -> HTMLResponse:
    """A page of codes; `at`, a code or a value, leads to the page where it stands."""
    given = read_parameters(request, "page", "at")
    number_format = scalar_or_refuse(name)
    refuse_wide(number_format)
    page, at, code, refusal = 1, given.get("at", "").strip(" "), None, None
    if given.get("page"):
        page = read_page(given["page"], number_format)
    if at:
        try:
            code = find_code(at, number_format)
            page = page_of(code)
        except InvalidInput as error:
            refusal = say(error.code, error.figures, language)
    view = _view(language, number_format, page, at, code, refusal)
    return render(request, "format_codes.html", view, status=200 if refusal is None else 422)


def scalar_or_refuse(name: str) -> Format:
    """A format of single numbers; a block format is told apart from a name that names nothing."""
    return find_format(find_or_refuse(name).name)


def _view(
    language: Language, number_format: Format, page: int, at: str, code: int | None, refusal: str | None
) -> CodesPage:
    found, name = code_page(number_format, page), number_format.name
    suffix = urlencode({"format": name})
    lines = tuple(
        _line(row, f"/{language}/inspect?bits={row.hex}&{suffix}", is_at=row.code == code) for row in found.rows
    )
    pages = page_count(number_format)

    def page_href(number: int) -> str:
        return format_part_address(language, name, "codes", page=str(number))

    return CodesPage(
        name=short_name(name),
        card_href=format_address(language, name),
        map_href=format_part_address(language, name, "map"),
        json_href=f"/api/v1{format_part_address(language, name, 'codes', page=str(page)).removeprefix(f'/{language}')}",
        action=format_part_address(language, name, "codes"),
        width=number_format.width,
        tables=tuple(lines[start : start + COLUMN_CODES] for start in range(0, len(lines), COLUMN_CODES)),
        page=page,
        pages=pages,
        first=format_hex(found.rows[0].code, number_format),
        last=format_hex(found.rows[-1].code, number_format),
        at=at,
        refusal=refusal,
        first_href=page_href(1),
        previous_href=page_href(page - 1) if page > 1 else None,
        next_href=page_href(page + 1) if page < pages else None,
        last_href=page_href(pages),
    )


def _line(row: CodeRow, href: str, *, is_at: bool) -> CodeLine:
    figure = shown(row.value, LONGEST_DIGITS) if row.value else None
    return CodeLine(row.hex, href, row.fields, row.text, figure, row.kind, is_at)

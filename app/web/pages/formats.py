"""`/{language}/formats`: the table of formats, by family, searched by any word, and names that spell a format out."""

from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from app.errors import InvalidInput
from app.formats import Family, find_any_format
from app.tasks.format_families import FAMILIES, FamilySpelling
from app.tasks.format_search import FormatSearch, listed_widths, search_formats
from app.web.pages import formats_card, formats_codes, formats_map
from app.web.pages.addresses import format_address
from app.web.pages.formats_figures import short_name
from app.web.pages.formats_row import FormatRow, format_row
from app.web.parameters import read_parameters
from app.web.rendering import render
from app.wording import Language, say

router = APIRouter(include_in_schema=False)
router.include_router(formats_card.router)
router.include_router(formats_codes.router)
router.include_router(formats_map.router)


@dataclass(frozen=True, slots=True)
class SpelledExample:
    """A name that is not listed and yet has a card."""

    name: str
    href: str


@dataclass(frozen=True, slots=True)
class FamilyTable:
    """The rows of one family."""

    spelling: FamilySpelling
    examples: tuple[SpelledExample, ...]
    rows: tuple[FormatRow, ...]


@dataclass(frozen=True, slots=True)
class FormatsPage:
    """The view of `formats.html`."""

    tables: tuple[FamilyTable, ...]
    count: int
    families: tuple[str, ...]
    widths: tuple[int, ...]
    family: str
    """What is chosen; empty for all."""
    width: int | None
    find: str
    spelled: FormatRow | None
    """The format that the search text spells."""
    refusal: str | None
    """Why it spells none, though it looks as if."""
    examples: tuple[SpelledExample, ...]
    """Where nothing is found: formats of that width that a name spells."""


@router.get("/{language}/formats")
def show_all(language: Language, request: Request) -> HTMLResponse:
    """Every listed format, floats first, or those that fit."""
    given = read_parameters(request, "family", "width", "find")
    family, width = _family(given.get("family", "")), _width(given.get("width", ""))
    find = given.get("find", "").strip(" ")
    found = search_formats(FormatSearch(family, width, find))
    tables = tuple(
        FamilyTable(
            each.spelling,
            _examples(language, each.spelling.examples),
            tuple(format_row(language, number_format) for number_format in each.formats),
        )
        for each in found.families
    )
    view = FormatsPage(
        tables=tables,
        count=found.count,
        families=tuple(spelling.family.value for spelling in FAMILIES),
        widths=listed_widths(),
        family=family.value if family else "",
        width=width,
        find=find,
        spelled=format_row(language, found.spelled) if found.spelled else None,
        refusal=say(found.refusal.code, found.refusal.figures, language) if found.refusal else None,
        examples=_of_width(language, width) if not tables and width else (),
    )
    return render(request, "formats.html", view, partial="_formats_found.html")


def _family(text: str) -> Family | None:
    if not text:
        return None
    if text not in set(Family):
        raise InvalidInput(
            "formats.family", family=text[:40], known=", ".join(spelling.family for spelling in FAMILIES)
        )
    return Family(text)


def _width(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 3 and 1 <= int(text) <= 128):
        raise InvalidInput("formats.width", width=text[:20])
    return int(text)


def _of_width(language: Language, width: int) -> tuple[SpelledExample, ...]:
    names = [f"int{width}", f"uint{width}"]
    names += [f"posit{width}", f"takum_linear{width}", f"q0.{width - 1}"] if width > 1 else []
    names += [f"e{(width - 1) // 2}m{width - 1 - (width - 1) // 2}"] if 5 <= width <= 30 else []
    return _examples(language, tuple(names))


def _examples(language: Language, names: tuple[str, ...]) -> tuple[SpelledExample, ...]:
    return tuple(
        SpelledExample(short_name(name), format_address(language, find_any_format(name).name)) for name in names
    )

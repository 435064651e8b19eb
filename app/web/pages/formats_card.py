"""`/{language}/formats/{name}`: the card of one format, listed or spelled out by its name."""

from dataclasses import dataclass
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from app.errors import InvalidInput, NotFound
from app.formats import AnyFormat, BlockFormat, FloatFormat, Format, find_any_format
from app.tasks.describe_format import FormatCard, describe_format
from app.tasks.format_blocks import BlockCard, describe_block
from app.tasks.format_codes import has_code_table
from app.tasks.format_equals import same_values
from app.tasks.format_libraries import LibraryFigures, library_figures, torch_dtype_name
from app.web.pages.addresses import format_address, format_part_address, format_path
from app.web.pages.formats_card_parts import (
    WIDEST_WITH_BITS,
    CardFigures,
    LandmarkRow,
    TaperedExample,
    card_figures,
    landmark_rows,
    tapered_examples,
)
from app.web.pages.formats_row import LINE_BITS, FormatRow, LayoutPart, format_row, layout_lines
from app.web.parameters import read_parameters
from app.web.rendering import render
from app.wording import Language

router = APIRouter(include_in_schema=False)
COMPARED_WITH = ("float16", "bfloat16")


@dataclass(frozen=True, slots=True)
class CardLink:
    """A format, and its card."""

    name: str
    href: str
    same_codes: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CardLinks:
    """Where the format can be looked at in other ways; None where it cannot."""

    json: str
    inspect: str | None = None
    codes: str | None = None
    map: str | None = None
    numberline: str | None = None
    compare: str | None = None
    designer: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FormatCardPage:
    """The view of `format.html`; of `card` and `block` one is None, with what belongs to it."""

    row: FormatRow
    links: CardLinks

    card: FormatCard | None = None
    figures: CardFigures | None = None
    whole_name: str | None = None
    """The name where the heading cuts it."""
    picture: tuple[tuple[LayoutPart, ...], ...] = ()
    """The fields filling the width."""
    picture_bits: int = 0
    shows_bits: bool = False
    landmarks: tuple[LandmarkRow, ...] = ()
    tapered: tuple[TaperedExample, ...] = ()
    same: tuple[CardLink, ...] = ()
    libraries: tuple[LibraryFigures, ...] = ()
    torch_dtype: str | None = None

    block: BlockCard | None = None
    element: CardLink | None = None
    scale: CardLink | None = None
    tensor_scale: CardLink | None = None


@router.get("/{language}/formats/{name}")
def show_one(language: Language, name: str, request: Request) -> HTMLResponse:
    """The card of one format, by its name, an alias, or a name that spells it out."""
    read_parameters(request)
    found = find_or_refuse(name)
    view = _block_page(language, found) if isinstance(found, BlockFormat) else _scalar_page(language, found)
    return render(request, "format.html", view)


def find_or_refuse(name: str) -> AnyFormat:
    """The format of a name in an address.

    Raises:
        NotFound: with the sentence that says why the name names nothing.
    """
    try:
        return find_any_format(name)
    except InvalidInput as error:
        raise NotFound(error.code, **error.figures) from None


def _scalar_page(language: Language, number_format: Format) -> FormatCardPage:
    card, name = describe_format(number_format), number_format.name
    row = format_row(language, number_format)
    picture_bits = min(number_format.width, LINE_BITS)
    return FormatCardPage(
        row=row,
        whole_name=name if row.name != name else None,
        picture=layout_lines(((each.name, each.bits) for each in row.fields), picture_bits),
        picture_bits=picture_bits,
        shows_bits=number_format.width <= WIDEST_WITH_BITS,
        card=card,
        figures=card_figures(number_format),
        landmarks=landmark_rows(language, card),
        tapered=tapered_examples(language, number_format),
        same=tuple(
            CardLink(each.format.name, format_address(language, each.format.name), each.same_codes)
            for each in same_values(number_format)
        ),
        libraries=library_figures(number_format),
        torch_dtype=torch_dtype_name(number_format),
        links=_links(language, number_format),
    )


def _block_page(language: Language, block: BlockFormat) -> FormatCardPage:
    card, row = describe_block(block), format_row(language, block)

    def link(found: Format | None) -> CardLink | None:
        return None if found is None else CardLink(found.name, format_address(language, found.name))

    return FormatCardPage(
        row=row,
        block=card,
        element=link(block.element),
        scale=link(block.scale),
        tensor_scale=link(block.tensor_scale),
        links=CardLinks(json=f"/api/v1/formats/{block.name}"),
    )


def _links(language: Language, number_format: Format) -> CardLinks:
    name = number_format.name
    has_table = has_code_table(number_format)
    other = next(each for each in COMPARED_WITH if each != name)
    is_float = isinstance(number_format, FloatFormat) and not number_format.has_explicit_integer_bit
    return CardLinks(
        inspect=format_row(language, number_format).inspect_href,
        codes=format_part_address(language, name, "codes") if has_table else None,
        map=format_part_address(language, name, "map") if has_table else None,
        numberline=f"/{language}/numberline?{urlencode({'formats': name})}",
        compare=f"/{language}/compare?{urlencode({'formats': f'{name} {other}'})}",
        designer=f"/{language}/designer?{urlencode({'format': name})}" if is_float else None,
        json=f"/api/v1/formats/{format_path(name)}",
    )

"""`/{language}/inspect`: one number in one format, by value or by bits."""

from dataclasses import replace

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from app.errors import InvalidInput
from app.exact import Overflow, overflows_of
from app.formats import Format, find_format
from app.tasks.inspect_number import inspect_number
from app.tasks.inspection import InspectRequest
from app.web.fragments import render_fragment
from app.web.pages.addresses import inspect_address
from app.web.pages.bit_picture import bit_picture
from app.web.pages.bit_row import bit_row, blank_row
from app.web.pages.inspect_form import Asked, inspect_form
from app.web.pages.inspect_view import InspectPage, inspect_answer
from app.web.parameters import read_parameters
from app.web.rendering import render
from app.wording import Language

router = APIRouter(include_in_schema=False)
FIRST_VALUE, FIRST_FORMAT = "0.1", "bfloat16"
NEAREST_EVEN = "nearest_even"


@router.get("/{language}/inspect")
def show(language: Language, request: Request) -> Response:
    """The page, or for htmx the panel alone; a refusal leaves the picture that is there and replaces the fields."""
    asked = _asked(request)
    try:
        chosen = find_format(asked.format)
        if asked.overflow in set(Overflow) and asked.overflow not in overflows_of(chosen):
            # What an integer did beyond its range says nothing about a float: the choice goes when the format changes.
            return RedirectResponse(_address(language, replace(asked, overflow="")), status_code=303)
        inspection = inspect_number(_question(asked))
    except InvalidInput as error:
        return _refusal(language, request, asked, error)
    filled = replace(asked, value=inspection.input, bits=inspection.hex)
    form = inspect_form(language, filled, chosen, None)
    view = InspectPage(form, inspect_answer(language, asked, inspection), None)
    return render(request, "inspect.html", view, partial="_inspect_partial.html")


@router.get("/{language}/inspect.svg")
def show_picture(language: Language, request: Request) -> Response:
    """The bit row as a picture of its own."""
    inspection = inspect_number(_question(_asked(request)))
    view = bit_picture(inspection, bit_row(inspection, lambda code: code))
    svg = render_fragment(request, language, "bit_picture.svg", view)
    return Response(svg, media_type="image/svg+xml")


def _question(asked: Asked) -> InspectRequest:
    return InspectRequest(
        format=find_format(asked.format).name,
        value=asked.value,
        bits=asked.bits,
        rounding=asked.rounding or NEAREST_EVEN,
        overflow=asked.overflow or None,
    )


def _asked(request: Request) -> Asked:
    given = read_parameters(request, "value", "bits", "format", "rounding", "overflow")
    bits = given.get("bits", "").strip() or None
    return Asked(
        value=None if bits else given.get("value", FIRST_VALUE),
        bits=bits,
        format=given.get("format", "") or FIRST_FORMAT,
        rounding=given.get("rounding", ""),
        overflow=given.get("overflow", ""),
    )


def _address(language: Language, asked: Asked) -> str:
    return inspect_address(
        language,
        value=asked.value,
        bits=asked.bits,
        format=asked.format,
        rounding=asked.rounding,
        overflow=asked.overflow,
    )


def _refusal(language: Language, request: Request, asked: Asked, error: InvalidInput) -> HTMLResponse:
    chosen = _format_or_first(asked.format)
    view = InspectPage(inspect_form(language, asked, chosen, error), None, blank_row(chosen))
    # htmx puts the fields alone into the page: the last number that could be read stays in sight.
    in_place = {"HX-Retarget": "#inspect-form", "HX-Reswap": "outerMorph"}
    return render(request, "inspect.html", view, partial="_inspect_form.html", status=422, headers=in_place)


def _format_or_first(name: str) -> Format:
    try:
        return find_format(name)
    except InvalidInput:
        return find_format(FIRST_FORMAT)

"""`/{language}/compare`: one number in several formats, and the formats against each other."""

import math
from dataclasses import replace

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from app import exact
from app.errors import InvalidInput
from app.formats import Format
from app.tasks.compare_formats import FormatComparison, compare_formats
from app.tasks.compare_number import ComparedFormat, by_error, compare_number
from app.tasks.compare_precision import magnitude
from app.web.pages.compare_chart import LOG2_10, Window, default_window
from app.web.pages.compare_form import (
    FIRST_FORMATS,
    FIRST_VALUE,
    Asked,
    choose_formats,
    compare_form,
    sentence_of,
)
from app.web.pages.compare_tables import WindowLinks, formats_answer
from app.web.pages.compare_view import ComparePage, number_rows
from app.web.parameters import read_parameters
from app.web.rendering import render, wants_partial
from app.wording import Language

router = APIRouter(include_in_schema=False)
FARTHEST = 160
"""Powers of two up to which the chart reaches unless more is asked for: room for float32 and posit32."""
FARTHEST_ASKED = 40_000
NARROWEST, LEAST_SPAN = 14, 0.5
"""Half a window in binades that is not made narrower, and the least that a window shows."""
NEAREST_EVEN = "nearest_even"


@router.get("/{language}/compare")
def show(language: Language, request: Request) -> Response:
    """The page; what cannot be read is told beside its field, and everything else is shown."""
    asked = _asked(request)
    chosen = choose_formats(asked.formats, language)
    errors: dict[str, tuple[str, ...]] = {}
    if chosen.errors:
        errors["formats"] = chosen.errors
    elif _is_from_ticks(request) and not wants_partial(request):
        return RedirectResponse(asked.address(language), status_code=303)
    rows = _rows(language, asked, chosen.formats, errors)
    answer = None
    if chosen.formats:
        comparison = compare_formats(chosen.formats)
        window, links = _window(language, asked, comparison, errors)
        answer = formats_answer(language, comparison, window, links)
    view = ComparePage(
        compare_form(language, asked, chosen, errors), number_rows(language, asked, rows), answer, asked.json_address
    )
    headers = {"HX-Replace-Url": asked.address(language)} if wants_partial(request) else {}
    status = 422 if errors else 200
    return render(request, "compare.html", view, partial="_compare_partial.html", status=status, headers=headers)


def _asked(request: Request) -> Asked:
    given = read_parameters(request, "value", "rounding", "sort", "from", "to", lists=frozenset({"formats"}))
    return Asked(
        value=given.get("value", FIRST_VALUE).strip(),
        formats=" ".join(given.get("formats", FIRST_FORMATS).split()),
        rounding=given.get("rounding", "").removeprefix(NEAREST_EVEN),
        sort="error" if given.get("sort") == "error" else "",
        low=given.get("from", "").strip(),
        high=given.get("to", "").strip(),
    )


def _is_from_ticks(request: Request) -> bool:
    """Whether the form was sent: its ticks come as many parameters, the address of the view has one."""
    return len(request.query_params.getlist("formats")) > 1


def _rows(
    language: Language, asked: Asked, formats: tuple[Format, ...], errors: dict[str, tuple[str, ...]]
) -> tuple[ComparedFormat, ...]:
    try:
        rows = compare_number(asked.value, formats, asked.rounding or NEAREST_EVEN)
    except InvalidInput as error:
        field = "rounding" if error.code.startswith("rounding.") else "value"
        errors[field] = (sentence_of(error, language),)
        return ()
    return by_error(rows) if asked.sort == "error" else rows


def _window(
    language: Language, asked: Asked, comparison: FormatComparison, errors: dict[str, tuple[str, ...]]
) -> tuple[Window, WindowLinks]:
    """The magnitudes to show, and the ways to others."""
    whole, usual = (default_window(comparison.ranges, farthest) for farthest in (None, FARTHEST))
    shown = usual
    try:
        shown = _asked_window(asked, usual)
    except InvalidInput as error:
        errors["window"] = (sentence_of(error, language),)

    def to(low: float, high: float) -> str:
        first, last = math.floor(low / LOG2_10), math.ceil(high / LOG2_10)
        if (first, last) == (math.floor(shown.low / LOG2_10), math.ceil(shown.high / LOG2_10)):
            return ""
        return f"{replace(asked, low=f'1e{first}', high=f'1e{last}').address(language)}#precision"

    middle, half = (shown.low + shown.high) / 2, (shown.high - shown.low) / 2
    is_cut = whole.low < shown.low or whole.high > shown.high
    wider = to(max(middle - 2 * half, whole.low), min(middle + 2 * half, whole.high)) if is_cut else ""
    narrower = to(middle - half / 2, middle + half / 2) if half > NARROWEST else ""
    return shown, WindowLinks(to(whole.low, whole.high), wider, narrower, is_cut)


def _asked_window(asked: Asked, usual: Window) -> Window:
    """From `from` to `to`, each the usual end where it is not given.

    Raises:
        InvalidInput: a text that is no positive number, or an end that is not above the start.
    """
    low = _log2(asked.low) if asked.low else usual.low
    high = _log2(asked.high) if asked.high else usual.high
    if high - low < LEAST_SPAN:
        raise InvalidInput("compare.window-order")
    return Window(low, high)


def _log2(text: str) -> float:
    number = exact.parse(text)
    if not isinstance(number, exact.Finite) or number.is_zero or number.negative:
        raise InvalidInput("compare.window-positive", text=text[:40])
    low, high = number.log2_bounds()
    if low > FARTHEST_ASKED or high < -FARTHEST_ASKED or not number.is_expandable:
        return FARTHEST_ASKED if low > 0 else -FARTHEST_ASKED
    return magnitude(number.fraction()).log2

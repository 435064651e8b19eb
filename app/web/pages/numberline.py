"""`/{language}/numberline`: the numbers of several formats in one interval, above each other."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from app.exact.text import exact_text
from app.formats import Format
from app.formats.bits import floor_log2, power_of_two
from app.tasks.number_line_marks import NumberLine, draw_number_line, whole_range
from app.tasks.number_line_scale import Interval, part_of, short_text
from app.tasks.number_line_ticks import axis_of
from app.web.pages.numberline_form import (
    Asked,
    Refusal,
    Suggestion,
    check,
    ends_of,
    read_asked,
    read_shares,
    refusal,
    suggestions,
)
from app.web.pages.numberline_lanes import LaneView, lane_view, percent
from app.web.parameters import read_parameters
from app.web.rendering import render, wants_partial
from app.wording import Language

router = APIRouter(include_in_schema=False)
HALF, QUARTER = Fraction(1, 2), Fraction(1, 4)
MOVES = {"in": (QUARTER, 3 * QUARTER), "out": (-HALF, 3 * HALF), "left": (-HALF, HALF), "right": (HALF, 3 * HALF)}


@dataclass(frozen=True, slots=True)
class TickView:
    """A tick of the axis; `sign` stands before the distance from the axis's base."""

    at: str
    text: str
    sign: str
    anchor: str
    is_minor: bool


@dataclass(frozen=True, slots=True)
class MoveLink:
    """Another interval. `name` is one of `MOVES`, `around-0`, `around-1`, or `octave`, whose `text` says which."""

    name: str
    href: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class NumberLineFigure:
    """The picture with what is written around it."""

    low: str
    high: str
    value: str
    value_at: str | None
    lanes: tuple[LaneView, ...]
    densest: str
    ticks: tuple[TickView, ...]
    base: str | None
    moves: tuple[MoveLink, ...]
    jumps: tuple[MoveLink, ...]
    other_scale_href: str
    json_href: str


@dataclass(frozen=True, slots=True)
class NumberLinePage:
    """The view of `numberline.html`; `figure` is None where nothing could be drawn."""

    action: str
    asked: Asked
    suggestions: tuple[Suggestion, ...]
    refusal: Refusal | None
    figure: NumberLineFigure | None


@router.get("/{language}/numberline")
def show(language: Language, request: Request) -> Response:
    """The page, or for htmx its panel; a part of the width that is selected becomes an address of its own."""
    names = ("from", "to", "scale", "value", "select")
    asked = read_asked(read_parameters(request, *names, lists=frozenset({"formats"})))
    action = f"/{language}/numberline"
    refused = check(asked)
    if refused is not None:
        view = NumberLinePage(action, asked, suggestions(language, asked), refusal(*refused, language), None)
        # htmx puts the fields alone into the page: the last interval that could be drawn stays in sight.
        in_place = {"HX-Retarget": "#numberline-form", "HX-Reswap": "outerMorph"}
        return render(request, "numberline.html", view, partial="_numberline_form.html", status=422, headers=in_place)
    line = draw_number_line(asked.formats, asked.low, asked.high, asked.scale, asked.value)
    heading = {"HX-Push-Url": asked.address(language)}
    if asked.select:
        asked = _selected(asked, line.interval)
        if not wants_partial(request):
            return RedirectResponse(asked.address(language), status_code=303)
        line = draw_number_line(asked.formats, asked.low, asked.high, asked.scale, asked.value)
        heading = {"HX-Replace-Url": asked.address(language)}
    view = NumberLinePage(action, asked, suggestions(language, asked), None, _figure(language, asked, line))
    return render(request, "numberline.html", view, partial="_numberline_partial.html", headers=heading)


def _selected(asked: Asked, interval: Interval) -> Asked:
    ends = ends_of(part_of(interval, *read_shares(asked.select)))
    return replace(asked, select="") if ends is None else replace(asked, select="", low=ends[0], high=ends[1])


def _figure(language: Language, asked: Asked, line: NumberLine) -> NumberLineFigure:
    interval = line.interval
    densest = max(lane.densest for lane in line.lanes)
    formats = [lane.format for lane in line.lanes]
    axis = axis_of(interval)
    shares = [_tick_share(tick.at) for tick in axis.ticks]
    inside = line.chosen is not None and interval.low <= line.chosen <= interval.high
    other_scale = "linear" if asked.scale == "log" else "log"
    return NumberLineFigure(
        low=exact_text(interval.low),
        high=exact_text(interval.high),
        value="" if line.chosen is None else exact_text(line.chosen),
        value_at=percent(interval.share_of(line.chosen)) if inside and line.chosen is not None else None,
        lanes=tuple(
            lane_view(
                language,
                lane,
                densest,
                _to(language, asked, *whole_range(lane.format)),
                _without(language, asked, formats, lane.format),
            )
            for lane in line.lanes
        ),
        densest=str(densest),
        ticks=tuple(
            TickView(
                percent(share),
                tick.text.removeprefix("-") if axis.base and not tick.is_base else tick.text,
                "" if axis.base is None or tick.is_base else "−" if tick.text.startswith("-") else "+",
                "start" if share < 0.03 else "end" if share > 0.97 else "middle",
                is_minor=index % 2 == 1 and len(shares) > 4,
            )
            for index, (tick, share) in enumerate(zip(axis.ticks, shares, strict=True))
        ),
        base=axis.base,
        moves=_moves(language, asked, interval),
        jumps=_jumps(language, asked, interval),
        other_scale_href=replace(asked, scale=other_scale).address(language),
        json_href="/api/v1/numberline?" + replace(asked, scale="linear").query,
    )


def _tick_share(at: float) -> float:
    return min(max(at, 0.0), 1.0)


def _to(language: Language, asked: Asked, low: Fraction, high: Fraction) -> str:
    return replace(asked, low=short_text(low), high=short_text(high)).address(language)


def _without(language: Language, asked: Asked, formats: Sequence[Format], gone: Format) -> str | None:
    if len(formats) == 1:
        return None
    return replace(asked, formats=" ".join(each.name for each in formats if each != gone)).address(language)


def _moves(language: Language, asked: Asked, interval: Interval) -> tuple[MoveLink, ...]:
    found = []
    for name, (start, end) in MOVES.items():
        ends = ends_of(part_of(interval, start, end))
        if ends is not None:
            found.append(MoveLink(name, replace(asked, low=ends[0], high=ends[1]).address(language)))
    return tuple(found)


def _jumps(language: Language, asked: Asked, interval: Interval) -> tuple[MoveLink, ...]:
    """Around 0 and 1 with the same width, and the octaves about the middle of the picture."""
    half = interval.width / 2
    found = [
        MoveLink(f"around-{centre}", _to(language, asked, centre - half, centre + half))
        for centre in (Fraction(0), Fraction(1))
        if ends_of(replace(interval, low=centre - half, high=centre + half))
    ]
    middle = Fraction(1) if interval.spans_zero else abs(interval.number_at(HALF))
    octave = floor_log2(*middle.as_integer_ratio())
    found += [
        MoveLink("octave", _to(language, asked, power_of_two(each), power_of_two(each + 1)), f"2^{each} … 2^{each + 1}")
        for each in (octave - 1, octave, octave + 1)
        if abs(each) < 2000
    ]
    return tuple(found)

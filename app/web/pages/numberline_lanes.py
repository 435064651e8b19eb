"""The lanes of the number line as shapes: strokes that are links, skylines where numbers merge, labels with room."""

import math
from bisect import bisect_left
from dataclasses import dataclass
from itertools import pairwise

from app.exact.text import exact_text
from app.tasks.code_text import format_hex
from app.tasks.number_line_marks import Landing, Lane, Mark
from app.web.pages.addresses import format_address, inspect_address
from app.wording import Language

BASELINE, STROKE, TALLEST = 44, 14, 40
"""Pixels of a lane: where strokes stand, how high they are, and how high the densest column is."""
SKYLINE_WIDTH = 960
LEAST_ROOM = 0.006
"""Share of the width that a stroke needs to be a link; closer ones are drawn and no more."""
WIDE_PIXELS, NARROW_PIXELS, CHARACTER_PIXELS = 800, 320, 7.4
LONGEST_LABEL = 7


@dataclass(frozen=True, slots=True)
class MarkLink:
    """A number with its page. `label` says on which screens its text has room: `always`, `wide` or nowhere."""

    text: str
    hex: str
    href: str
    at: str
    hit_at: str
    hit_width: str
    label: str
    anchor: str


@dataclass(frozen=True, slots=True)
class LandingView:
    """Where the chosen number is stored. `text` is empty where the format has no code for it."""

    text: str
    hex: str
    href: str
    at: str | None


@dataclass(frozen=True, slots=True)
class LaneView:
    """One lane: what is written beside it and what is drawn."""

    name: str
    card_href: str
    whole_href: str
    without_href: str | None
    count: str
    first: MarkLink | None
    last: MarkLink | None
    smallest_gap: str | None
    largest_gap: str | None
    densest: int
    skyline: str
    strokes: str
    links: tuple[MarkLink, ...]
    landing: LandingView | None


def percent(share: float) -> str:
    """A share of the width as SVG takes it."""
    return f"{100 * share:.3f}".rstrip("0").rstrip(".") + "%"


def lane_view(language: Language, lane: Lane, densest: int, whole_href: str, without_href: str | None) -> LaneView:
    """A lane's shapes; `densest` is the fullest column of all lanes."""
    ats = [mark.at for mark in lane.marks]
    rooms = _rooms(ats)
    occupied = _occupied(lane)
    links = tuple(
        _link(language, lane, mark, occupied)
        for mark, room in zip(lane.marks, rooms, strict=True)
        if room >= LEAST_ROOM
    )
    close = [at for at, room in zip(ats, rooms, strict=True) if room < LEAST_ROOM]
    return LaneView(
        name=lane.format.name,
        card_href=format_address(language, lane.format.name),
        whole_href=whole_href,
        without_href=without_href,
        count=str(lane.count),
        first=None if lane.first is None else _link(language, lane, lane.first, []),
        last=None if lane.last is None else _link(language, lane, lane.last, []),
        smallest_gap=None if lane.smallest_gap is None else exact_text(lane.smallest_gap),
        largest_gap=None if lane.largest_gap is None else exact_text(lane.largest_gap),
        densest=lane.densest,
        skyline=skyline_path(lane.counts, densest),
        strokes="".join(f"M{at * SKYLINE_WIDTH:.6g} {BASELINE}v-{STROKE}" for at in close),
        links=links,
        landing=None if lane.landing is None else _landing(language, lane, lane.landing),
    )


def skyline_path(counts: tuple[int, ...], densest: int) -> str:
    """One path over the columns that hold several numbers, as high as the logarithm of how many."""
    step, full = SKYLINE_WIDTH / len(counts), math.log2(max(densest, 2))
    path, here = [], 0.0
    for index, count in enumerate(counts):
        height = round(STROKE + 4 + (TALLEST - STROKE - 4) * math.log2(count) / full, 1) if count > 1 else 0.0
        if height != here:
            left = f"{index * step:g}"
            path.append(f"H{left}V{BASELINE - height:g}" if here else f"M{left} {BASELINE}V{BASELINE - height:g}")
            if not height:
                path.append("Z")
            here = height
    if here:
        path.append(f"H{SKYLINE_WIDTH}V{BASELINE}Z")
    return "".join(path)


def _rooms(ats: list[float]) -> list[float]:
    """The distance of each position to its nearest neighbour."""
    if not ats:
        return []
    gaps = [math.inf, *(right - left for left, right in pairwise(ats)), math.inf]
    return [min(left, right) for left, right in pairwise(gaps)]


def _occupied(lane: Lane) -> list[float]:
    """Where the lane holds anything, in order: what a label must not cover."""
    size = len(lane.counts)
    merged = [(index + 0.5) / size for index, count in enumerate(lane.counts) if count > 1]
    return sorted([*merged, *(mark.at for mark in lane.marks)])


def _link(language: Language, lane: Lane, mark: Mark, occupied: list[float]) -> MarkLink:
    text, code = exact_text(mark.number), format_hex(mark.code, lane.format)
    hit = min(0.012, _room_at(mark.at, occupied))
    return MarkLink(
        text=text,
        hex=code,
        href=inspect_address(language, bits=code, format=lane.format.name),
        at=percent(mark.at),
        hit_at=percent(max(mark.at - hit / 2, 0)),
        hit_width=percent(hit),
        label=_label(text, mark.at, occupied),
        anchor="start" if mark.at < 0.02 else "end" if mark.at > 0.98 else "middle",
    )


def _room_at(at: float, occupied: list[float]) -> float:
    place = bisect_left(occupied, at)
    left = at - occupied[place - 1] if place > 0 else math.inf
    right = occupied[place + 1] - at if place + 1 < len(occupied) else math.inf
    return min(left, right)


def _label(text: str, at: float, occupied: list[float]) -> str:
    """Text that has room stays beside its neighbours' texts, taken to be as long."""
    if not occupied or len(text) > LONGEST_LABEL:
        return ""
    room, needed = _room_at(at, occupied), (len(text) + 0.5) * CHARACTER_PIXELS
    return "always" if room * NARROW_PIXELS >= needed else "wide" if room * WIDE_PIXELS >= needed else ""


def _landing(language: Language, lane: Lane, landing: Landing) -> LandingView:
    if landing.code is None:
        return LandingView("", "", "", None)
    code = format_hex(landing.code, lane.format)
    return LandingView(
        text="" if landing.number is None else exact_text(landing.number),
        hex=code,
        href=inspect_address(language, bits=code, format=lane.format.name),
        at=None if landing.at is None else percent(landing.at),
    )

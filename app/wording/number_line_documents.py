"""What `/api/v1/numberline` says: how many numbers of each format lie in an interval, and which, where they are few."""

from fractions import Fraction
from typing import Any

from app.exact.text import exact_text
from app.tasks.code_text import format_hex
from app.tasks.number_line_marks import Lane, Mark, NumberLine, numbers_of

MOST_VALUES = 1000
Document = dict[str, Any]


def number_line_document(line: NumberLine) -> Document:
    """The document of `GET /api/v1/numberline`; `values` is null where there are more than 1,000."""
    return {
        "from": exact_text(line.interval.low),
        "to": exact_text(line.interval.high),
        "value": _text(line.chosen),
        "formats": [_lane(lane) for lane in line.lanes],
    }


def _lane(lane: Lane) -> Document:
    listed = [_mark(lane, mark) for mark in numbers_of(lane)] if lane.count <= MOST_VALUES else None
    landing = lane.landing
    return {
        "format": lane.format.name,
        "count": lane.count,
        "first": None if lane.first is None else _mark(lane, lane.first),
        "last": None if lane.last is None else _mark(lane, lane.last),
        "smallest_gap": _text(lane.smallest_gap),
        "largest_gap": _text(lane.largest_gap),
        "stored": None
        if landing is None or landing.code is None
        else {"hex": format_hex(landing.code, lane.format), "value": _text(landing.number)},
        "values": listed,
    }


def _mark(lane: Lane, mark: Mark) -> Document:
    return {"hex": format_hex(mark.code, lane.format), "value": exact_text(mark.number)}


def _text(number: Fraction | None) -> str | None:
    return None if number is None else exact_text(number)

"""The chart of precision over magnitude, with the ranges of the formats under it: where every mark stands.

Three charts are made for three widths, so that letters and strokes keep their size; the page shows the one that fits.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from app.formats import Format
from app.tasks.compare_formats import FormatRange, range_of
from app.tasks.compare_precision import PrecisionSegment
from app.tasks.logarithm import log2
from app.web.pages.compare_labels import CHARACTER_WIDTH, LINE_HEIGHT, Curve, Label, place_labels, shortened

LOG2_10 = math.log2(10)
WIDTHS = {"narrow": 352, "medium": 704, "wide": 1120}
HEIGHTS = {"narrow": 300, "medium": 360, "wide": 400}
LEFT, RIGHT, TOP = 30, 30, 28
MARGIN = 0.02
"""Of the range, left free at both ends."""
TICKS_HEIGHT = 40
BAR_ROW = 28
SAMPLE = 28
LABEL_ROOM = 24
STYLES = (
    *(("", "2.5"), ("7 4", "1.5"), ("", "1.25"), ("2 3", "2"), ("12 4 2 4", "1.5"), ("5 3", "2.5")),
    *(("1 4", "2.5"), ("14 5", "1.5"), ("8 3 2 3 2 3", "1.5"), ("3 6", "1.5"), ("16 4", "2.5"), ("2 2", "1.25")),
)
"""Dashes and weights, one pair for each of the twelve formats that fit on a page."""


@dataclass(frozen=True, slots=True)
class Window:
    """The magnitudes shown, as powers of two."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Tick:
    """A line of the grid; `text` is the power of ten, the bits or the digits that it stands for."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class ChartLine:
    """One format: its points, or a single dot where it has one positive number."""

    name: str
    points: str
    dot: tuple[float, float] | None
    dashes: str
    weight: str
    label: Label | None


@dataclass(frozen=True, slots=True)
class RangeBar:
    """From the smallest to the largest positive number; thin where a float has only subnormals.

    Above it a piece of the format's line, from `x` on, and the name.
    """

    name: str
    x: float
    y: float
    dashes: str
    weight: str
    thin_start: float | None
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class PrecisionChart:
    """One size of the chart."""

    size: str
    width: int
    height: float
    left: int
    right: float
    top: int
    bottom: float
    powers: tuple[Tick, ...]
    bits: tuple[Tick, ...]
    digits: tuple[Tick, ...]
    lines: tuple[ChartLine, ...]
    bars: tuple[RangeBar, ...]


@dataclass(frozen=True, slots=True)
class _Plane:
    """From magnitudes and bits to places on the canvas."""

    window: Window
    most_bits: float
    width: int
    bottom: float

    def x(self, power: float) -> float:
        share = (min(max(power, self.window.low), self.window.high) - self.window.low) / self._span
        return round(LEFT + share * (self.width - LEFT - RIGHT), 1)

    def y(self, bits: float) -> float:
        return round(self.bottom - max(bits, 0) / self.most_bits * (self.bottom - TOP), 1)

    @property
    def _span(self) -> float:
        return self.window.high - self.window.low


@lru_cache(maxsize=64)
def precision_charts(formats: tuple[Format, ...], window: Window) -> tuple[PrecisionChart, ...]:
    """The chart in its three sizes; it stays the same while another number is typed."""
    ranges = tuple(map(range_of, formats))
    return tuple(_chart(size, ranges, window) for size in WIDTHS)


def _chart(size: str, ranges: tuple[FormatRange, ...], window: Window) -> PrecisionChart:
    width, bottom = WIDTHS[size], HEIGHTS[size] - TICKS_HEIGHT
    most = max((bits for each in ranges for bits in _bits_in(each, window)), default=1)
    headroom = (bottom - TOP) / (bottom - TOP - LABEL_ROOM)
    plane = _Plane(window, max(most * headroom, 2), width, bottom)
    curves = [_curve(each, plane) for each in ranges]
    labels = place_labels(curves, LEFT, width - RIGHT, TOP, bottom)
    bars_top = bottom + TICKS_HEIGHT
    shown = [(index, each) for index, each in enumerate(ranges) if _is_in(each, window)]
    return PrecisionChart(
        size=size,
        width=width,
        height=bars_top + BAR_ROW * len(shown) + 4,
        left=LEFT,
        right=width - RIGHT,
        top=TOP,
        bottom=bottom,
        powers=tuple(_powers(plane)),
        bits=tuple(_steps(plane, 1, (1, 2, 4, 8, 16, 32, 64))),
        digits=tuple(_steps(plane, LOG2_10, (1, 2, 5, 10, 20))),
        lines=tuple(
            _line(index, *each) for index, each in enumerate(zip(curves, labels, strict=True)) if each[0].points
        ),
        bars=tuple(_bar(*each, plane, bars_top + BAR_ROW * row) for row, each in enumerate(shown)),
    )


def _line(index: int, curve: Curve, label: Label | None) -> ChartLine:
    dashes, weight = STYLES[index % len(STYLES)]
    dot = curve.points[0] if len(curve.points) == 1 else None
    points = " ".join(f"{x:g},{y:g}" for x, y in curve.points)
    return ChartLine(curve.name, points, dot, dashes, weight, label)


def _bits_in(each: FormatRange, window: Window) -> list[float]:
    return [
        max(bits for _, bits in ends)
        for segment in each.precision
        for ends in [_clipped(segment, window)]
        if ends is not None
    ]


def _is_in(each: FormatRange, window: Window) -> bool:
    return each.reach is not None and each.reach[0] <= window.high and each.reach[1] >= window.low


def _clipped(segment: PrecisionSegment, window: Window) -> tuple[tuple[float, float], ...] | None:
    """Both ends of a stretch inside the window, as powers of two and bits."""
    low, high = max(segment.low.log2, window.low), min(segment.high.log2, window.high)
    if low >= high:
        return None
    if segment.is_flat:
        return (low, segment.low_bits), (high, segment.low_bits)
    # A rise is one bit a binade.
    start = segment.low_bits - segment.low.log2
    return (low, start + low), (high, start + high)


def _curve(each: FormatRange, plane: _Plane) -> Curve:
    points: list[tuple[float, float]] = []
    for segment in each.precision:
        for power, bits in _clipped(segment, plane.window) or ():
            points.append((plane.x(power), plane.y(bits)))
    name = shortened(each.format.name)
    if not points:
        if each.precision or each.reach is None or not _is_in(each, plane.window):
            return Curve(name, ())
        return Curve(name, ((plane.x(each.reach[0]), plane.y(1)),))
    ends = each.precision[0].low.log2 >= plane.window.low, each.precision[-1].high.log2 <= plane.window.high
    before = [(points[0][0], plane.y(0))] if ends[0] else []
    after = [(points[-1][0], plane.y(0))] if ends[1] else []
    return Curve(name, tuple(_thinned((*before, *points, *after))))


def _thinned(points: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """Without points that lie on one pixel, or in the middle of a straight run."""
    kept: list[tuple[float, float]] = []
    for point in points:
        if kept and math.dist(kept[-1], point) < 1:
            continue
        if len(kept) > 1 and (kept[-1][1] == kept[-2][1] == point[1] or kept[-1][0] == kept[-2][0] == point[0]):
            kept[-1] = point
        else:
            kept.append(point)
    return kept


def _powers(plane: _Plane) -> list[Tick]:
    """Powers of ten, as many as have room."""
    window = plane.window
    first, last = math.ceil(window.low / LOG2_10 - 1e-9), math.floor(window.high / LOG2_10 + 1e-9)
    most = max((plane.width - LEFT - RIGHT) // 58, 2)
    step = next(each for each in _round_steps() if (last - first) / each <= most)
    first = -(-first // step) * step
    return [Tick(plane.x(power * LOG2_10), str(power)) for power in range(first, last + 1, step)]


def _round_steps() -> Iterable[int]:
    scale = 1
    while True:
        yield from (scale, 2 * scale, 5 * scale)
        scale *= 10


def _steps(plane: _Plane, unit: float, steps: tuple[int, ...]) -> list[Tick]:
    """Whole bits or digits, as many as have room."""
    room = max((plane.bottom - TOP) // 40, 2)
    step = next((each for each in steps if plane.most_bits / unit / each <= room), steps[-1])
    return [Tick(plane.y(count * unit), str(count)) for count in range(0, int(plane.most_bits / unit) + 1, step)]


def _bar(index: int, each: FormatRange, plane: _Plane, top: float) -> RangeBar:
    assert each.reach is not None
    start, end = (plane.x(end) for end in each.reach)
    normal = plane.x(log2(each.min_normal)) if each.min_normal is not None else start
    name, (dashes, weight) = shortened(each.format.name), STYLES[index % len(STYLES)]
    room = SAMPLE + 8 + len(name) * CHARACTER_WIDTH
    return RangeBar(
        name=name,
        x=max(min(start, plane.width - RIGHT - room), LEFT),
        y=top + LINE_HEIGHT + 3,
        dashes=dashes,
        weight=weight,
        thin_start=start if normal > start else None,
        start=min(normal, end - 2),
        end=end,
    )


def default_window(ranges: tuple[FormatRange, ...], farthest: int | None) -> Window:
    """From below the smallest to above the largest positive number, not beyond 2^+-farthest."""
    ends = [end for each in ranges if each.reach is not None for end in each.reach]
    least, most = min(ends, default=0), max(ends, default=1)
    margin = MARGIN * max(most - least, 1)
    low, high = math.floor(least - margin), math.ceil(most + margin)
    if farthest is not None:
        low, high = min(max(low, -farthest), farthest - 1), max(min(high, farthest), 1 - farthest)
    return Window(low, high)

"""Error against the clipping point: a curve for each scheme, the scales that it chose, and where the slider stands."""

import math
from dataclasses import dataclass, replace
from functools import lru_cache

from app.tasks.quantize_charts import ClipCurve
from app.tasks.quantize_clips import ClipPoint
from app.web.pages.quantize_axes import (
    CHARACTER_WIDTH,
    LEFT,
    SIZES,
    TOP,
    Plane,
    PointName,
    Tick,
    cut,
    place_names,
    steps,
)

FIRST = 10
"""Start of the slider, in percent of what puts the largest magnitude on the grid's end."""
DASHES = ("", "7 4", "2 3", "12 4 2 4")
MOST_ROOM = 0.36
"""Of the width, for names at the right."""
LEAST_ERROR = 1e-6
"""Drawn for what is less, at the bottom."""


@dataclass(frozen=True, slots=True)
class CurveInput:
    """A scheme's curve, and the point at which the slider stands."""

    name: str
    curve: ClipCurve
    at: ClipPoint
    is_by_block: bool
    """There is a scale for each block: the error may be below every point of the curve."""
    is_on_curve: bool
    """What was chosen is one of its points: one scale, and every number at its nearest level."""


@dataclass(frozen=True, slots=True)
class DrawnCurve:
    """One scheme on the canvas; the ring marks the least error, the dot the scales that were chosen."""

    points: str
    dashes: str
    name: PointName
    best: tuple[float, float] | None
    """Our own scales: where they stand and the error that they have."""
    at: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class ClipRow:
    """One scheme in the table: at the slider, and at our optimum."""

    name: str
    error: str
    sqnr: str
    clipped: str
    best_clip: str
    best_error: str
    best_sqnr: str
    is_by_block: bool
    """There is a scale for each block: the error may be below every point of the curve."""


@dataclass(frozen=True, slots=True)
class ClipChart:
    """One size of the chart."""

    size: str
    width: int
    height: int
    left: int
    right: int
    top: int
    bottom: int
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    slider_x: float
    curves: tuple[DrawnCurve, ...]


def clip_charts(curves: tuple[CurveInput, ...], percent: float) -> tuple[ClipChart, ...]:
    """The chart in its sizes."""
    return tuple(_with_slider(size, curves, percent) for size in SIZES)


def _with_slider(size: str, curves: tuple[CurveInput, ...], percent: float) -> ClipChart:
    chart, plane = _chart(size, tuple((each.name, each.curve, each.is_on_curve) for each in curves))
    drawn = tuple(
        replace(curve, at=_place(plane, percent, each.at.sqnr_db))
        for curve, each in zip(chart.curves, curves, strict=True)
    )
    return replace(chart, slider_x=plane.x(percent), curves=drawn)


def relative_error(sqnr: float | None) -> float | None:
    """The root of the mean square error over that of the weights; None where it is not known."""
    return None if sqnr is None else 10 ** (-sqnr / 20)


@lru_cache(maxsize=16)
def _chart(size: str, curves: tuple[tuple[str, ClipCurve, bool], ...]) -> tuple[ClipChart, Plane]:
    """All but what the slider moves."""
    width, height = SIZES[size]
    errors = [error for _, curve, _ in curves for error in _errors(curve)]
    low, high = (min(errors), max(errors)) if errors else (0.01, 1.0)
    # Most of a decade at least, so that a flat curve looks flat.
    low, high = math.log10(low) - 0.15, math.log10(max(high, low * 5)) + 0.1
    last = max((curve.points[-1].clip * 100 for _, curve, _ in curves), default=2.0 * FIRST)
    room = min(max(len(name) for name, _, _ in curves), int(width * MOST_ROOM / CHARACTER_WIDTH))
    plane = Plane(width, height, FIRST, last, low, high, round(room * CHARACTER_WIDTH))
    names = place_names([(plane.right - 4, _end(curve, plane), cut(name, room)) for name, curve, _ in curves], plane)
    return ClipChart(
        size=size,
        width=width,
        height=height,
        left=LEFT,
        right=plane.right,
        top=TOP,
        bottom=plane.bottom,
        x_ticks=tuple(Tick(plane.x(clip), f"{clip:g}") for clip in steps(FIRST, last, 8) if clip >= 2 * FIRST),
        y_ticks=tuple(_y_ticks(plane)),
        slider_x=plane.x(FIRST),
        curves=tuple(
            _curve(curve, plane, DASHES[index % len(DASHES)], names[index], is_on_curve=is_on_curve)
            for index, (_, curve, is_on_curve) in enumerate(curves)
        ),
    ), plane


def _errors(curve: ClipCurve) -> list[float]:
    sqnrs = [point.sqnr_db for point in curve.points]
    if curve.chosen_clip is not None and curve.chosen_clip <= curve.points[-1].clip:
        sqnrs.append(curve.chosen_sqnr_db)
    known = [relative_error(sqnr) for sqnr in sqnrs]
    return [max(error, LEAST_ERROR) for error in known if error is not None and math.isfinite(error)]


def _curve(curve: ClipCurve, plane: Plane, dashes: str, name: PointName, *, is_on_curve: bool) -> DrawnCurve:
    samples = [(point.clip * 100, point.sqnr_db) for point in curve.points]
    chosen = curve.chosen_clip
    if chosen is not None and chosen * 100 > plane.x_high:
        chosen = None  # a few weights may be multiples of one scale, however large: then it is in the table alone
    if chosen is not None and is_on_curve:  # the samples may step over it
        samples = sorted([*samples, (chosen * 100, curve.chosen_sqnr_db)], key=lambda sample: sample[0])
    points = [_place(plane, *sample) for sample in samples]
    return DrawnCurve(
        points=" ".join(f"{point[0]:g},{point[1]:g}" for point in points if point is not None),
        dashes=dashes,
        name=name,
        best=None if chosen is None else _place(plane, chosen * 100, curve.chosen_sqnr_db),
        at=None,
    )


def _place(plane: Plane, percent: float, sqnr: float | None) -> tuple[float, float] | None:
    error = relative_error(sqnr)
    if error is None or not math.isfinite(error):
        return None
    return plane.x(percent), plane.y(math.log10(max(error, LEAST_ERROR)))


def _end(curve: ClipCurve, plane: Plane) -> float:
    """The height of the curve at its right end, where its name stands."""
    end = _place(plane, 0, curve.points[-1].sqnr_db)
    return float(plane.bottom) if end is None else end[1]


def _y_ticks(plane: Plane) -> list[Tick]:
    """Percent: powers of ten, with 2 and 5 between where there is room."""
    found, last = [], math.inf
    for power in range(math.floor(plane.y_low), math.ceil(plane.y_high) + 1):
        for digit in (1, 2, 5):
            at = power + math.log10(digit)
            y = plane.y(at)
            if plane.y_low <= at <= plane.y_high and last - y > 22:
                found.append(Tick(y, f"{digit * 10.0 ** (power + 2):g}"))
                last = y
    return found


def clip_rows(curves: tuple[CurveInput, ...]) -> tuple[ClipRow, ...]:
    """The table under the slider."""
    return tuple(_row(each) for each in curves)


def _row(each: CurveInput) -> ClipRow:
    curve = each.curve
    return ClipRow(
        name=each.name,
        error=percent_text(relative_error(each.at.sqnr_db)),
        sqnr=decibels(each.at.sqnr_db),
        clipped=percent_text(each.at.clipped_share),
        best_clip="–" if curve.chosen_clip is None else f"{curve.chosen_clip * 100:.0f}",
        best_error=percent_text(relative_error(curve.chosen_sqnr_db)),
        best_sqnr=decibels(curve.chosen_sqnr_db),
        is_by_block=each.is_by_block,
    )


def percent_text(share: float | None) -> str:
    """Percent with three digits; a dash where it is not known."""
    if share is None:
        return "–"
    if not math.isfinite(share):
        return "∞"
    percent = share * 100
    return "0" if percent == 0 else f"{percent:.3g}" if percent >= 0.001 else "< 0.001"


def decibels(sqnr: float | None) -> str:
    """Decibels with two decimals, a true minus, or ∞."""
    if sqnr is None:
        return "–"
    if math.isinf(sqnr):
        return "∞" if sqnr > 0 else "−∞"
    return f"{sqnr:.2f}".replace("-", "−")

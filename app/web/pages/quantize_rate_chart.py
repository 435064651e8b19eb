"""SQNR against bits a weight: the theoretical lines, and each chosen scheme as a point."""

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from app.metrics.theory import (
    DECIBELS_A_BIT,
    GAUSSIAN,
    LAPLACE,
    MOST_LLOYD_MAX_BITS,
    Source,
    bound_sqnr,
    entropy_coded_sqnr,
    lloyd_max_sqnr,
)
from app.web.pages.quantize_axes import LEFT, SIZES, TOP, Plane, PointName, Tick, cut, place_names, steps

LEAST_BITS, LEAST_TOP, MOST_TOP = 8.0, 42.0, 110.0
CLOSE = 2.0
"""Bits: schemes within as many are shown from near by."""
LINE_POINTS = 32
STRAIGHT_FROM = 4.0


@dataclass(frozen=True, slots=True)
class RatePoint:
    """A scheme: bits a weight, and its SQNR in dB: infinite without error."""

    name: str
    bits: float
    sqnr: float


@dataclass(frozen=True, slots=True)
class DrawnPoint:
    """A point on the canvas and its name."""

    x: float
    y: float
    name: PointName


@dataclass(frozen=True, slots=True)
class RateChart:
    """One size of the chart; lines as points of an SVG polyline."""

    size: str
    width: int
    height: int
    left: int
    right: int
    top: int
    bottom: int
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    bound: str
    entropy_coded: str
    lloyd_max: tuple[tuple[float, float], ...]
    points: tuple[DrawnPoint, ...]


@dataclass(frozen=True, slots=True)
class TheoryRow:
    """The lines at a whole number of bits."""

    bits: int
    bound: str
    entropy_coded: str
    lloyd_max: str


def source_named(distribution: str) -> Source:
    """The density whose lines are drawn: a Laplacian for matrices drawn from it, else a Gaussian."""
    return LAPLACE if distribution == LAPLACE.name else GAUSSIAN


def rate_charts(points: tuple[RatePoint, ...], source: Source) -> tuple[RateChart, ...]:
    """The chart in its sizes."""
    return tuple(_chart(size, points, source) for size in SIZES)


@lru_cache(maxsize=4)
def theory_rows(source: Source) -> tuple[TheoryRow, ...]:
    """The lines as a table."""
    return tuple(
        TheoryRow(bits, *(f"{line(bits, source):.2f}" for line in (bound_sqnr, entropy_coded_sqnr, lloyd_max_sqnr)))
        for bits in range(1, MOST_LLOYD_MAX_BITS + 1)
    )


def _chart(size: str, points: tuple[RatePoint, ...], source: Source) -> RateChart:
    width, height = SIZES[size]
    plane = _plane(width, height, points)
    places = [
        (plane.x(point.bits), plane.y(point.sqnr), cut(point.name, width // 16) + _arrow(point, plane))
        for point in points
    ]
    names = place_names(places, plane)
    return RateChart(
        size=size,
        width=width,
        height=height,
        left=LEFT,
        right=plane.right,
        top=TOP,
        bottom=plane.bottom,
        x_ticks=tuple(Tick(plane.x(bits), f"{bits:g}") for bits in steps(plane.x_low, plane.x_high, 9)),
        y_ticks=tuple(
            Tick(plane.y(sqnr), f"{sqnr:g}".replace("-", "−")) for sqnr in steps(plane.y_low, plane.y_high, 6)
        ),
        bound=_line(plane, [(bits, bound_sqnr(bits, source)) for bits in _rates(plane)]),
        entropy_coded=_line(plane, [(bits, _coded(bits, source)) for bits in _rates(plane)]),
        lloyd_max=tuple(
            (plane.x(bits), plane.y(sqnr))
            for bits in range(1, MOST_LLOYD_MAX_BITS + 1)
            if plane.y_low <= (sqnr := lloyd_max_sqnr(bits, source)) <= plane.y_high
            and plane.x_low <= bits <= plane.x_high
        ),
        points=tuple(DrawnPoint(x, y, name) for (x, y, _), name in zip(places, names, strict=True)),
    )


def _arrow(point: RatePoint, plane: Plane) -> str:
    """Where the point lies outside: without error, or with an infinite one."""
    return " ↑" if point.sqnr > plane.y_high else " ↓" if point.sqnr < plane.y_low else ""


def _plane(width: int, height: int, points: tuple[RatePoint, ...]) -> Plane:
    """From 0 on, or where all schemes lie close together around them: then they fill the picture."""
    bits = [point.bits for point in points] or [0.0]
    sqnrs = [point.sqnr for point in points if -MOST_TOP < point.sqnr < MOST_TOP] or [0.0]
    low, high = min(bits), max(bits)
    if not points or high - low > CLOSE or not CLOSE <= low <= high <= LEAST_BITS + 1:
        return Plane(width, height, 0, max(LEAST_BITS, high + 0.5), min(0.0, *sqnrs, 0.0), max(LEAST_TOP, *sqnrs) + 6)
    middle = (low + high) / 2
    half = max(high - low, 2.0) * 0.9
    return Plane(width, height, middle - half, middle + half, min(sqnrs) - 7, max(*sqnrs, min(sqnrs) + 6) + 9)


def _rates(plane: Plane) -> list[float]:
    return [plane.x_low + (plane.x_high - plane.x_low) * index / LINE_POINTS for index in range(LINE_POINTS + 1)]


@lru_cache(maxsize=4096)
def _coded(bits: float, source: Source) -> float:
    """Straight at high rates, where the step's search would take its time."""
    if bits <= STRAIGHT_FROM:
        return entropy_coded_sqnr(bits, source)
    return entropy_coded_sqnr(STRAIGHT_FROM, source) + (bits - STRAIGHT_FROM) * DECIBELS_A_BIT


def _line(plane: Plane, samples: list[tuple[float, float]]) -> str:
    """The part of a rising line that lies within the picture."""
    found: list[tuple[float, float]] = []
    for (bits, sqnr), (next_bits, next_sqnr) in pairwise(samples):
        if next_sqnr < plane.y_low or sqnr > plane.y_high:
            continue
        slope = (next_sqnr - sqnr) / (next_bits - bits)
        ends = max(sqnr, plane.y_low), min(next_sqnr, plane.y_high)
        found += [(bits + (height - sqnr) / slope, height) for height in ends]
    return " ".join(dict.fromkeys(f"{plane.x(bits):g},{plane.y(sqnr):g}" for bits, sqnr in found))

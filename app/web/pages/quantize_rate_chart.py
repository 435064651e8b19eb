"""SQNR against bits a weight: the theoretical lines, and each chosen scheme as a point."""

import math
from dataclasses import dataclass
from functools import lru_cache

from app.metrics.theory import (
    GAUSSIAN,
    LAPLACE,
    MOST_ENTROPY_CODED_BITS,
    MOST_LLOYD_MAX_BITS,
    Source,
    bound_sqnr,
    entropy_coded_sqnr,
    lloyd_max_sqnr,
)
from app.web.pages.quantize_axes import LEFT, SIZES, TOP, Plane, PointName, Tick, place_names, steps

LEAST_BITS, LEAST_DECIBELS = 8.0, 48.0
LINE_POINTS = 24


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
    is_beyond: bool
    """Above the picture: without error."""


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
    finite = [point.sqnr for point in points if math.isfinite(point.sqnr)]
    most_bits = max(LEAST_BITS, *(point.bits + 0.5 for point in points)) if points else LEAST_BITS
    top = max(LEAST_DECIBELS, *(sqnr + 6 for sqnr in finite)) if finite else LEAST_DECIBELS
    plane = Plane(width, height, 0, most_bits, min(0.0, *finite, 0.0), top)
    places = [(plane.x(point.bits), plane.y(point.sqnr), point.name) for point in points]
    names = place_names(places, plane)
    return RateChart(
        size=size,
        width=width,
        height=height,
        left=LEFT,
        right=plane.right,
        top=TOP,
        bottom=plane.bottom,
        x_ticks=tuple(Tick(plane.x(bits), f"{bits:g}") for bits in steps(0, most_bits, 9)),
        y_ticks=tuple(Tick(plane.y(sqnr), f"{sqnr:g}".replace("-", "−")) for sqnr in steps(plane.y_low, top, 6)),
        bound=_line(plane, _bound_samples(plane, source)),
        entropy_coded=_line(plane, _coded_samples(plane, source)),
        lloyd_max=tuple(
            (plane.x(bits), plane.y(sqnr))
            for bits in range(1, MOST_LLOYD_MAX_BITS + 1)
            if (sqnr := lloyd_max_sqnr(bits, source)) <= top and bits <= most_bits
        ),
        points=tuple(
            DrawnPoint(x, y, name, is_beyond=point.sqnr > top)
            for (x, y, _), name, point in zip(places, names, points, strict=True)
        ),
    )


def _bound_samples(plane: Plane, source: Source) -> list[tuple[float, float]]:
    slope, start = bound_sqnr(1, source) - bound_sqnr(0, source), bound_sqnr(0, source)
    last = min(plane.x_high, (plane.y_high - start) / slope)
    return [(0, start), (last, bound_sqnr(last, source))]


def _coded_samples(plane: Plane, source: Source) -> list[tuple[float, float]]:
    """Bent at low rates, straight above."""
    rates = [index / 8 for index in range(LINE_POINTS)]
    samples = [(rate, entropy_coded_sqnr(rate, source)) for rate in rates]
    (rate, sqnr), slope = samples[-1], bound_sqnr(1, source) - bound_sqnr(0, source)
    last = min(plane.x_high, MOST_ENTROPY_CODED_BITS, rate + (plane.y_high - sqnr) / slope)
    return [*samples, (last, sqnr + (last - rate) * slope)]


def _line(plane: Plane, samples: list[tuple[float, float]]) -> str:
    return " ".join(f"{plane.x(bits):g},{plane.y(sqnr):g}" for bits, sqnr in samples)

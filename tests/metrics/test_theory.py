"""The theory lines against the literature, their own conditions of optimality, and sums over a fine grid."""

import math
from itertools import pairwise

import pytest

from app.metrics.theory import (
    DECIBELS_A_BIT,
    GAUSSIAN,
    LAPLACE,
    MOST_LLOYD_MAX_BITS,
    Source,
    bound_sqnr,
    entropy_coded,
    entropy_coded_sqnr,
    lloyd_max_levels,
    lloyd_max_sqnr,
)

SOURCES = [GAUSSIAN, LAPLACE]
# Max, Quantizing for minimum distortion (1960), table I: 1 - distortion of 2, 4, 8, 16 and 32 levels, as printed.
MAX_1960 = {1: 0.3634, 2: 0.1175, 3: 0.03454, 4: 0.009497, 5: 0.002499}
# Paez and Glisson, Minimum mean-squared-error quantization in speech (1972): Laplacian.
PAEZ_GLISSON_1972 = {1: 0.5, 2: 0.1761, 3: 0.0545, 4: 0.0154}


def grid(source: Source, low: float, high: float, count: int = 4000) -> list[tuple[float, float]]:
    """Places and masses by the midpoint rule."""
    width = (high - low) / count
    places = [low + (index + 0.5) * width for index in range(count)]
    return [(place, source.density(place) * width) for place in places]


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize(("low", "high"), [(0.0, 0.7), (0.7, 1.9), (3.0, 30.0)])
def test_closed_forms_are_the_integrals(source: Source, low: float, high: float) -> None:
    points = grid(source, low, high)
    assert source.mass(low, high) == pytest.approx(sum(mass for _, mass in points), rel=2e-4)
    assert source.moment(low, high) == pytest.approx(sum(mass * place for place, mass in points), rel=2e-4)


@pytest.mark.parametrize("source", SOURCES)
def test_variance_is_one(source: Source) -> None:
    assert 2 * sum(mass * place**2 for place, mass in grid(source, 0, 40, 40_000)) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("bits", range(1, MOST_LLOYD_MAX_BITS + 1))
def test_each_level_is_the_mean_of_what_is_nearest(source: Source, bits: int) -> None:
    levels = lloyd_max_levels(bits, source)
    assert all(a < b for a, b in pairwise((0.0, *levels)))
    ends = [0.0, *((a + b) / 2 for a, b in pairwise(levels)), 60.0]
    for level, (low, high) in zip(levels, pairwise(ends), strict=True):
        assert level == pytest.approx(source.moment(low, high) / source.mass(low, high), abs=1e-9)


@pytest.mark.parametrize(("source", "table"), [(GAUSSIAN, MAX_1960), (LAPLACE, PAEZ_GLISSON_1972)])
def test_published_distortions(source: Source, table: dict[int, float]) -> None:
    for bits, distortion in table.items():
        assert 10 ** (-lloyd_max_sqnr(bits, source) / 10) == pytest.approx(distortion, rel=8e-3)


def test_lines_of_the_gaussian() -> None:
    assert [round(bound_sqnr(bits), 2) for bits in (2, 3, 4)] == [12.04, 18.06, 24.08]
    assert [round(lloyd_max_sqnr(bits), 2) for bits in (2, 3, 4)] == [9.30, 14.62, 20.22]
    assert [round(entropy_coded_sqnr(bits), 2) for bits in (2, 3, 4)] == [10.51, 16.53, 22.55]


@pytest.mark.parametrize("source", SOURCES)
def test_at_high_rates_equal_steps_lose_a_quarter_bit(source: Source) -> None:
    gap = bound_sqnr(10, source) - entropy_coded_sqnr(10, source)
    assert gap == pytest.approx(10 * math.log10(math.pi * math.e / 6), abs=1e-3)


@pytest.mark.parametrize("source", SOURCES)
def test_the_rate_asked_for_is_the_entropy(source: Source) -> None:
    for bits in (0.1, 0.5, 1, 1.7, 3, 6):
        sqnr = entropy_coded_sqnr(bits, source)
        assert sqnr < bound_sqnr(bits, source)
        near = entropy_coded_sqnr(bits + 0.01, source)
        assert 0 < near - sqnr < 0.02 * DECIBELS_A_BIT


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("step", [3.0, 1.0, 0.3])
def test_entropy_and_error_of_equal_steps_by_summing(source: Source, step: float) -> None:
    bins: dict[int, list[tuple[float, float]]] = {}
    for place, mass in grid(source, 0, 30, 60_000):
        bins.setdefault(round(place / step), []).append((place, mass))
    entropy = error = 0.0
    for index, points in bins.items():
        mass = sum(mass for _, mass in points)
        mean = sum(mass * place for place, mass in points) / mass if index else 0.0
        whole = mass if index else 2 * mass
        entropy -= (2 if index else 1) * whole * math.log2(whole) if whole else 0.0
        error += 2 * sum(mass * (place - mean) ** 2 for place, mass in points)
    found = entropy_coded(step, source)
    assert found == pytest.approx((entropy, -10 * math.log10(error)), rel=2e-3)


@pytest.mark.parametrize("source", SOURCES)
def test_order_of_the_lines(source: Source) -> None:
    for bits in range(2, 9):
        assert lloyd_max_sqnr(bits, source) < entropy_coded_sqnr(bits, source) < bound_sqnr(bits, source)

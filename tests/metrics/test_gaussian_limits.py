"""The limits for Gaussian numbers against integrals of the density, worked out again."""

import itertools
import math

import pytest

from app.metrics.gaussian_limits import LLOYD_MAX, bound_sqnr, entropy_coded_sqnr


def density(x: float) -> float:
    return math.exp(-x * x / 2) / math.sqrt(2 * math.pi)


def probability(low: float, high: float) -> float:
    def above(x: float) -> float:
        return math.erfc(x / math.sqrt(2)) / 2

    return above(low) - above(high) if low > 0 else above(-high) - above(-low)


@pytest.mark.parametrize("bits", [1, 2, 3, 4])
def test_lloyds_iteration_arrives_at_the_table(bits: int) -> None:
    count = 1 << bits
    levels = [-3 + 6 * (index + 0.5) / count for index in range(count)]
    for _ in range(1500):
        ends = [-40.0, *((a + b) / 2 for a, b in itertools.pairwise(levels)), 40.0]
        masses = [probability(*pair) for pair in itertools.pairwise(ends)]
        levels = [(density(ends[i]) - density(ends[i + 1])) / masses[i] for i in range(count)]
    distortion = 1 - sum(mass * level * level for mass, level in zip(masses, levels, strict=True))
    assert -10 * math.log10(distortion) == pytest.approx(LLOYD_MAX[bits], abs=2e-4)


@pytest.mark.parametrize("step", [4.0, 2.5, 1.7, 1.0, 0.5, 0.05])
def test_equal_steps_with_entropy_coding(step: float) -> None:
    bins = range(-int(12 / step) - 1, int(12 / step) + 2)
    masses = [(index, probability((index - 0.5) * step, (index + 0.5) * step)) for index in bins]
    masses = [(index, mass) for index, mass in masses if mass > 1e-200]
    entropy = -sum(mass * math.log2(mass) for _, mass in masses)
    means = [(density((index - 0.5) * step) - density((index + 0.5) * step)) ** 2 / mass for index, mass in masses]
    # Between the points of the table it is drawn straight: the curve bends by less than can be seen.
    assert entropy_coded_sqnr(entropy) == pytest.approx(-10 * math.log10(1 - sum(means)), abs=0.05)


def test_no_quantizer_passes_the_bound() -> None:
    for bits, sqnr in enumerate(LLOYD_MAX[1:], 1):
        assert sqnr < entropy_coded_sqnr(bits) < bound_sqnr(bits)
    assert entropy_coded_sqnr(2.5000001) == pytest.approx(entropy_coded_sqnr(2.5), abs=1e-3)

"""How small the squared error of a source can be at so many bits a number: the bound, and two kinds of quantizer.

All is worked out from the density of unit variance by closed forms and iteration in float64; nothing is a table.
"""

import math
from abc import ABC, abstractmethod
from functools import lru_cache
from itertools import pairwise

DECIBELS_A_BIT = 20 * math.log10(2)
"""6.0206: a bit more halves the error of the best code."""
MOST_LLOYD_MAX_BITS = 8
MOST_ENTROPY_CODED_BITS = 12
_STEPS = 60
_ENTROPY_TOLERANCE = 1e-10
_NEGLIGIBLE = 1e-18
"""A bin's mass whose entropy no longer counts in float64."""
_BEYOND = 40.0
"""Standard deviations behind which no density here has mass that float64 could add."""


class Source(ABC):
    """A symmetric density of mean 0 and variance 1."""

    name: str
    bound_offset_db: float
    """SQNR of the Shannon bound at 0 bits: 0 for a Gaussian, which is the hardest source of its variance."""

    @abstractmethod
    def density(self, x: float) -> float:
        """At x."""

    @abstractmethod
    def mass(self, low: float, high: float) -> float:
        """The probability of 0 <= low < x < high."""

    @abstractmethod
    def moment(self, low: float, high: float) -> float:
        """The integral of x * density over the same."""

    @abstractmethod
    def companded(self, share: float) -> float:
        """The x >= 0 below which `share` of the positive half of density^(1/3) lies: where good levels are dense."""


class Gaussian(Source):
    """exp(-x^2 / 2) / sqrt(2 pi)."""

    name = "normal"
    bound_offset_db = 0.0

    def density(self, x: float) -> float:
        return math.exp(-x * x / 2) / math.sqrt(2 * math.pi)

    def mass(self, low: float, high: float) -> float:
        return (math.erfc(low / math.sqrt(2)) - math.erfc(high / math.sqrt(2))) / 2

    def moment(self, low: float, high: float) -> float:
        return self.density(low) - self.density(high)

    def companded(self, share: float) -> float:
        low, high = 0.0, _BEYOND
        for _ in range(_STEPS):
            middle = (low + high) / 2
            low, high = (middle, high) if math.erf(middle / math.sqrt(6)) < share else (low, middle)
        return low


class Laplace(Source):
    """exp(-sqrt(2) |x|) / sqrt(2)."""

    name = "laplace"
    bound_offset_db = 10 * math.log10(math.pi / math.e)
    """Shannon's lower bound: variance * 2 pi e / 4^h, the entropy h being log2(e * sqrt(2))."""
    _rate = math.sqrt(2)

    def density(self, x: float) -> float:
        return self._rate / 2 * math.exp(-self._rate * abs(x))

    def mass(self, low: float, high: float) -> float:
        return (math.exp(-self._rate * low) - math.exp(-self._rate * high)) / 2

    def moment(self, low: float, high: float) -> float:
        return self._tail(low) - self._tail(high)

    def _tail(self, x: float) -> float:
        return math.exp(-self._rate * x) * (x + 1 / self._rate) / 2

    def companded(self, share: float) -> float:
        return -3 / self._rate * math.log1p(-share)


GAUSSIAN, LAPLACE = Gaussian(), Laplace()


def bound_sqnr(bits: float, source: Source = GAUSSIAN) -> float:
    """Shannon's rate-distortion bound in dB; of a Laplacian his lower bound, which no code passes either."""
    return DECIBELS_A_BIT * bits + source.bound_offset_db


@lru_cache(maxsize=64)
def lloyd_max_levels(bits: int, source: Source = GAUSSIAN) -> tuple[float, ...]:
    """The positive half of the best 2^bits levels, ascending: each is the mean of what is nearest to it.

    Newton's method on the levels, from those that a compander of density^(1/3) gives (Lloyd 1957, Max 1960; Bennett).
    """
    assert 1 <= bits <= MOST_LLOYD_MAX_BITS, "one to eight bits"
    count = 1 << (bits - 1)
    levels = [source.companded((index + 0.5) / count) for index in range(count)]
    for _ in range(_STEPS):
        step = _newton_step(levels, source)
        levels = [level + change for level, change in zip(levels, step, strict=True)]
        if max(map(abs, step)) < 1e-13:
            break
    return tuple(levels)


def _ends(levels: list[float] | tuple[float, ...]) -> list[float]:
    return [0.0, *((a + b) / 2 for a, b in pairwise(levels)), levels[-1] + _BEYOND]


def _newton_step(levels: list[float], source: Source) -> list[float]:
    """Solves the tridiagonal system J step = mean - level, J = 1 - d mean / d level, by elimination (Thomas)."""
    ends, count = _ends(levels), len(levels)
    below, diagonal, above, right = [], [], [], []
    for index in range(count):
        low, high = ends[index], ends[index + 1]
        mass = source.mass(low, high)
        mean = source.moment(low, high) / mass
        # d mean / d end = +- density(end) (end - mean) / mass; an inner end moves by half of each level beside it.
        by_low = source.density(low) * (mean - low) / mass / 2 if index else 0.0
        by_high = source.density(high) * (high - mean) / mass / 2 if index < count - 1 else 0.0
        below.append(-by_low)
        diagonal.append(1 - by_low - by_high)
        above.append(-by_high)
        right.append(mean - levels[index])
    for index in range(1, count):
        factor = below[index] / diagonal[index - 1]
        diagonal[index] -= factor * above[index - 1]
        right[index] -= factor * right[index - 1]
    step = [0.0] * (count + 1)
    for index in reversed(range(count)):
        step[index] = (right[index] - above[index] * step[index + 1]) / diagonal[index]
    return step[:count]


def lloyd_max_sqnr(bits: int, source: Source = GAUSSIAN) -> float:
    """The SQNR in dB of the best 2^bits fixed levels; 0 bits keep nothing but the mean."""
    if bits == 0:
        return 0.0
    levels = lloyd_max_levels(bits, source)
    ends = _ends(levels)
    moments = (source.moment(*pair) for pair in pairwise(ends))
    kept = sum(2 * level * moment for level, moment in zip(levels, moments, strict=True))
    # The error of centroids is the variance less the kept squares: 1 - sum mass * level^2.
    return -10 * math.log10(1 - kept)


def entropy_coded(step: float, source: Source = GAUSSIAN) -> tuple[float, float]:
    """Equal steps around 0, levels at the means of the bins: the entropy in bits, and the SQNR in dB."""
    mass = 2 * source.mass(0.0, step / 2)
    entropy, kept = -mass * math.log2(mass), 0.0
    low = step / 2
    while (mass := source.mass(low, low + step)) > _NEGLIGIBLE:
        moment = source.moment(low, low + step)
        entropy -= 2 * mass * math.log2(mass)
        kept += 2 * moment * moment / mass
        low += step
    return entropy, -10 * math.log10(1 - kept)


@lru_cache(maxsize=1024)
def entropy_coded_sqnr(bits: float, source: Source = GAUSSIAN) -> float:
    """The SQNR in dB of equal steps whose codes are as long as their entropy, at `bits` from 0 to 12 on average.

    At high rates 1.53 dB (pi e / 6) below the bound, at low rates nearer (Gish and Pierce 1968).
    """
    assert 0 <= bits <= MOST_ENTROPY_CODED_BITS, "up to twelve bits"
    if bits < 1e-6:
        return 0.0
    return entropy_coded(_step_of(bits, source), source)[1]


def _step_of(bits: float, source: Source) -> float:
    """The step whose entropy is `bits`. Half the step costs a bit more, nearly so from a bit on, and more below."""
    low, high, step = 2.0**-MOST_ENTROPY_CODED_BITS, 2 * _BEYOND, math.exp2(2 - bits)
    for _ in range(_STEPS):
        excess = entropy_coded(step, source)[0] - bits
        low, high = (step, high) if excess > 0 else (low, step)
        if abs(excess) < _ENTROPY_TOLERANCE:
            break
        step *= math.exp2(excess)
        if not low < step < high:
            step = math.sqrt(low * high)
    return step

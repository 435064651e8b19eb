"""Statistics and histogram of numbers of up to 16 bits from how often each code occurs: exact, in one look."""

import math

import numpy as np
import numpy.typing as npt
import torch

from app.metrics.blocks import SMALLEST_SQUARES
from app.metrics.code_counts import Counts, values_of_codes
from app.metrics.fast_histogram import bin_range
from app.metrics.statistics import BINS, Histogram, Number, Statistics

Values = npt.NDArray[np.float64]


class CountedNumbers:
    """The numbers behind the counted codes of one dtype."""

    def __init__(self, counts: Counts, dtype: torch.dtype) -> None:
        self._is_integer = not dtype.is_floating_point
        values = values_of_codes(dtype)
        self._nans = int(counts[np.isnan(values)].sum())
        self._infinities = int(counts[np.isinf(values)].sum())
        is_used = np.isfinite(values) & (counts > 0)
        self._values: Values = values[is_used]
        self._counts: Counts = counts[is_used]

    def statistics(self) -> Statistics:
        """The same figures as those of `StatisticsPass`, from exact sums."""
        values, counts = self._values, self._counts
        zeros = int(counts[values == 0].sum())
        total = int(counts.sum())
        if not total:
            return Statistics(None, None, None, None, zeros, self._nans, self._infinities)
        mean = math.fsum((values * counts).tolist()) / total
        shifted = values - mean
        squares = math.fsum((shifted * shifted * counts).tolist())
        is_known = squares >= SMALLEST_SQUARES or len(values) == 1 or values.min() == values.max()
        std = math.sqrt(squares / total) if is_known else None
        low, high = self._number(values.min()), self._number(values.max())
        return Statistics(low, high, mean, std, zeros, self._nans, self._infinities)

    def histogram(self) -> Histogram | None:
        """Bins from the least to the largest; None without finite numbers."""
        if not self._values.size:
            return None
        low, high = float(self._values.min()), float(self._values.max())
        factor, first, last = bin_range(low, high)
        places = (self._values * factor - first) * (BINS / (last - first))
        bins = np.bincount(places.astype(np.int64).clip(0, BINS - 1), weights=self._counts, minlength=BINS)
        counts = tuple(int(count) for count in bins)
        return Histogram(self._number(low), self._number(high), counts)

    def outside(self, low: float, high: float) -> int:
        """How many numbers lie below `low` or above `high`."""
        return int(self._counts[(self._values < low) | (self._values > high)].sum())

    def _number(self, value: float) -> Number:
        return int(value) if self._is_integer else float(value)

"""Numbers sorted into bins of equal width, and how many of them lie outside a range."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numba import njit

LARGEST = np.finfo(np.float64).max


@cache
def bin_count_kernel() -> Callable[..., int]:
    """`count(values, factor, first, last, counts, low, high)` counts into bins and gives how many lie outside.

    Finite values times `factor` lie between `first` and `last`; outside is below `low` or above `high`, without factor.
    """

    def count(values: Any, factor: float, first: float, last: float, counts: Any, low: float, high: float) -> int:
        bins = counts.size
        outside = 0
        scale = bins / (last - first)
        for index in range(values.size):
            value = np.float64(values[index])
            if abs(value) <= LARGEST:
                place = int((value * factor - first) * scale)
                counts[min(max(place, 0), bins - 1)] += 1
                if value < low or value > high:
                    outside += 1
        return outside

    found: Callable[..., int] = njit(nogil=True)(count)
    return found

"""The least and the largest finite number of each row, of plain numbers or of codes that a table tells."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numba import njit

LARGEST = np.finfo(np.float64).max


@cache
def row_range_kernel() -> Callable[[Any, Any, Any], None]:
    """`widen(values, lows, highs)`: rows of numbers; the ranges, in float64, hold what was found before."""

    def widen(values: Any, lows: Any, highs: Any) -> None:
        rows, columns = values.shape
        for row in range(rows):
            low, high = lows[row], highs[row]
            for column in range(columns):
                value = np.float64(values[row, column])
                # NaN is neither; an infinity could only pass one of the two comparisons.
                if -LARGEST <= value < low:
                    low = value
                if LARGEST >= value > high:
                    high = value
            lows[row], highs[row] = low, high

    found: Callable[[Any, Any, Any], None] = njit(nogil=True)(widen)
    return found


@cache
def coded_row_range_kernel() -> Callable[[Any, Any, Any, Any], None]:
    """`widen(codes, table, lows, highs)`: the same, where `table` tells each code's number, NaN for what is none."""

    def widen(codes: Any, table: Any, lows: Any, highs: Any) -> None:
        rows, columns = codes.shape
        for row in range(rows):
            low, high = lows[row], highs[row]
            for column in range(columns):
                value = table[codes[row, column]]
                if value < low:
                    low = value
                if value > high:
                    high = value
            lows[row], highs[row] = low, high

    found: Callable[[Any, Any, Any, Any], None] = njit(nogil=True)(widen)
    return found

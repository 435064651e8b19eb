"""float32 words to codes by a table of steps, for codebooks and bool: from one step to the next there is one code."""

from functools import cache
from typing import Any

import numpy as np
from numba import njit

from app.codec.kernels.lanes import INFINITY, MAGNITUDE, Kernel, i32, inlined, random_source, u32


@cache
def steps_kernel() -> Kernel:
    """`encode(words, codes, starts, steps, step_codes)` -> the largest magnitude met; see `app.codec.steps`."""
    step_of = _step()

    def encode(words: Any, codes: Any, starts: Any, steps: Any, step_codes: Any) -> Any:
        worst = u32(0)
        for i in range(words.size):
            word = words[i]
            worst = max(worst, u32(word & MAGNITUDE))
            codes[i] = step_codes[step_of(word, starts, steps)]
        return worst

    found: Kernel = njit(nogil=True)(encode)
    return found


@cache
def stochastic_steps_kernel() -> Kernel:
    """`encode(words, codes, table, rows, exact, order, draw)` -> the largest magnitude met.

    `table` is `app.codec.steps.values_of`, `rows` `app.codec.codebooks.share_rows`, `exact` the values that a float32
    can be, `order` the codes in order, and behind them the codes of zero and minus zero (-1: there is none).
    """
    random, step_of = random_source("stochastic"), _step()

    def encode(words: Any, codes: Any, table: Any, rows: Any, exact: Any, order: Any, draw: Any) -> Any:
        starts, steps, counts = table
        values, (low, high, first) = words.view(np.float32), draw
        last = order.size - 3
        zero, minus_zero = order[last + 1], order[last + 2]
        worst = u32(0)
        for i in range(words.size):
            word = words[i]
            worst = max(worst, u32(word & MAGNITUDE))
            below = np.int64(counts[step_of(word, starts, steps)]) - 1
            place = min(max(below, 0), last)
            value = np.float64(values[i])
            behind = (value * rows[2, place] - rows[0, place] - rows[1, place]) * rows[3, place]
            share = np.int64(min(max(behind, 0.0), 4294967295.0))
            # Rounding is decided on magnitudes: of a negative number, the value below is the larger one.
            negative = np.int64(word >> u32(31))
            share = ((share ^ -negative) + negative) & 0xFFFFFFFF
            grows = np.int64(np.int64(random(u32(first + u32(i)), low, high)) < share)
            is_between = (below == place) & (place < last) & (value != exact[place])
            place += (grows ^ negative) & np.int64(is_between)
            code = order[place]
            codes[i] = minus_zero if minus_zero >= 0 and code == zero and word > MAGNITUDE else code
        return worst

    found: Kernel = njit(nogil=True)(encode)
    return found


@cache
def _step() -> Kernel:
    """`step_of(word, starts, steps)`: the step on which a float32 stands."""

    def find(word: Any, starts: Any, steps: Any) -> Any:
        magnitude = min(u32(word & MAGNITUDE), INFINITY)
        # Two's complement of the magnitude, -0 just below 0: the order of numbers.
        place = i32(i32(-1) - i32(magnitude)) if word > MAGNITUDE else i32(magnitude)
        found = starts[(place >> 16) + 32768]
        while steps[found] <= place:
            found += 1
        return found

    return inlined(find)

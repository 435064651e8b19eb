"""float32 words to codes by a table of steps, for codebooks and bool: from one step to the next there is one code."""

from functools import cache
from typing import Any

from numba import njit

from app.codec.kernels.lanes import INFINITY, MAGNITUDE, Kernel, i32, u32


@cache
def steps_kernel() -> Kernel:
    """`encode(words, codes, starts, steps, step_codes)` -> the largest magnitude met; see `app.codec.steps`."""

    def encode(words: Any, codes: Any, starts: Any, steps: Any, step_codes: Any) -> Any:
        worst = u32(0)
        for i in range(words.size):
            word = words[i]
            magnitude = min(u32(word & MAGNITUDE), INFINITY)
            worst = max(worst, u32(word & MAGNITUDE))
            # Two's complement of the magnitude, -0 just below 0: the order of numbers.
            place = i32(i32(-1) - i32(magnitude)) if word > MAGNITUDE else i32(magnitude)
            found = starts[(place >> 16) + 32768]
            while steps[found] <= place:
                found += 1
            codes[i] = step_codes[found]
        return worst

    found: Kernel = njit(nogil=True)(encode)
    return found

"""Which blocks hold so few different magnitudes, or such small ones, that only landing on them exactly is good."""

# mypy: disable-error-code="untyped-decorator"
# ruff: noqa: ARG001 - the mark of the sources is there for its type

from typing import Any

import numpy as np
from numba import njit

from app.schemes.kernels.vectors import word_of

MOST = 4
"""So many different magnitudes beside zero are few."""
u32 = np.uint32


@njit(nogil=True, cache=True, error_model="numpy")
def mark_blocks(values: Any, size: Any, small: Any, marks: Any, sources: Any) -> Any:
    """Writes 1 for each block of few magnitudes, or of none above `small`; most blocks are known by five numbers."""
    seen = np.zeros(MOST, np.uint32)
    for block in range(marks.size):
        begin, count, is_few, is_small = block * size, 0, True, small > 0
        for i in range(begin, begin + size):
            word = word_of(values[i]) & u32(0x7FFFFFFF)
            if word == 0:
                continue
            is_small = is_small and abs(values[i]) <= small
            is_known = False
            for j in range(count):
                is_known = is_known or seen[j] == word
            if not is_known and count == MOST:
                is_few = False
            elif not is_known:
                seen[count] = word
                count += 1
            if not (is_few or is_small):
                break
        marks[block] = count > 0 and (is_few or is_small)
    return 0

"""How often each sign, exponent and first bits of a mantissa occur among float32."""

# mypy: disable-error-code="untyped-decorator"
# ruff: noqa: ARG001 - the mark of the sources is there for its type

from typing import Any

import numpy as np
from numba import njit

from app.schemes.kernels.vectors import word_of

u32 = np.uint32


@njit(nogil=True, cache=True, error_model="numpy")
def count_words(values: Any, drop: Any, counts: Any, rests: Any, sources: Any) -> Any:
    """Adds to the count of each word without its last bits, and to the sum of those bits."""
    mask = (u32(1) << u32(drop)) - u32(1)
    for i in range(values.size):
        word = word_of(values[i])
        place = word >> u32(drop)
        counts[place] += 1
        rests[place] += word & mask
    return 0

"""Codes to values by a table of all of them."""

from functools import cache
from typing import Any

from numba import njit

from app.codec.kernels.lanes import Kernel


@cache
def lookup_kernel() -> Kernel:
    """`decode(codes, values, table, mask)`: codes are unsigned, bits above the mask do not count."""

    def decode(codes: Any, values: Any, table: Any, mask: Any) -> None:
        for i in range(codes.size):
            values[i] = table[codes[i] & mask]

    found: Kernel = njit(nogil=True)(decode)
    return found

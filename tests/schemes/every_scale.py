"""The least squared error that a block can have with any scale that can be stored, by trying each of them."""

from typing import Any

import numba
import numpy as np

Array = np.ndarray[Any, Any]

_FURTHER = 20
"""Storable numbers beyond the range, where it holds few: among subnormals."""


def least_errors(blocks: Array, levels: Array, storable: Array, *, both_signs: bool, clipped: float) -> Array:
    """float64 `[blocks]` of float32 `[blocks, elements]`.

    `storable`: positive float32, ascending; those are tried that bring a block's largest magnitude from `1 / clipped`
    of the largest level (half of it is all that any grid with an even number of steps needs, and no block gains more by
    using fewer levels) to `clipped` times it; and zero.
    """
    levels = np.sort(levels.astype(np.float32))
    is_uniform = bool((np.diff(levels) == 1).all())
    return _least_errors(blocks, levels, storable.astype(np.float32), both_signs, clipped, is_uniform)


@numba.njit
def _least_errors(
    blocks: Array, levels: Array, storable: Array, both_signs: bool, clipped: float, is_uniform: bool
) -> Array:
    found = np.empty(len(blocks))
    middles = (levels[1:] + levels[:-1]) / np.float32(2)
    end = max(levels[-1], -levels[0])
    for row in range(len(blocks)):
        block = blocks[row]
        reach = np.abs(block).max() / end
        first = max(np.searchsorted(storable, reach / clipped) - _FURTHER, 0)
        last = min(np.searchsorted(storable, reach * 2.3) + _FURTHER, len(storable))
        least = 0.0
        for value in block:
            least += np.float64(value) ** 2
        for place in range(first, last):
            for sign in range(2 if both_signs else 1):
                scale = -storable[place] if sign else storable[place]
                least = min(least, _error(block, levels, middles, scale, is_uniform))
        for level in levels:  # where the largest number lands on a level
            if level != 0 and reach > 0:
                middle = np.searchsorted(storable, reach * end / abs(level))
                for place in range(max(middle - 2, 0), min(middle + 2, len(storable))):
                    least = min(least, _error(block, levels, middles, storable[place], is_uniform))
                    if both_signs:
                        least = min(least, _error(block, levels, middles, -storable[place], is_uniform))
        found[row] = least
    return found


@numba.njit
def _error(block: Array, levels: Array, middles: Array, scale: float, is_uniform: bool) -> float:
    total = 0.0
    for value in block:
        scaled = np.float64(value) / np.float64(scale)
        if is_uniform:
            level = min(max(np.rint(scaled), levels[0]), levels[-1])
        else:
            place = 0
            for middle in middles:
                place += scaled > middle
            level = levels[place]
        difference = np.float64(value) - np.float64(level * scale)
        total += difference * difference
    return total

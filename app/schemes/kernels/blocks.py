"""Blocks of scaled numbers: their reach, their codes, and the error and the least-squares scale of a scale.

A block is a multiple of sixteen float32 of an array, filled up with zeros. Errors are relative to the squared reach, so
that none of them is too small or too large for a float32.
"""

# mypy: disable-error-code="untyped-decorator"

from typing import Any

import numpy as np
from numba import njit

from app.schemes.kernels.levels import MAGNITUDE, STEPS, WHOLE, float_codes, nearest_levels, step_codes, whole_codes
from app.schemes.kernels.vectors import (
    LANES,
    bits_of,
    larger,
    larger_word,
    largest_word,
    load,
    spread,
    spread_word,
    store_bytes,
    total,
    word_of,
)

f32, u32 = np.float32, np.uint32


@njit(nogil=True, error_model="numpy", forceinline=True)
def reach_word(values: Any, start: Any, count: Any) -> Any:
    """The largest magnitude as a word: more than 0x7F7FFFFF where there is an infinity or NaN."""
    first, second = spread_word(u32(0)), spread_word(u32(0))
    mask, half = spread_word(MAGNITUDE), start + count // (2 * LANES) * (2 * LANES)
    for i in range(start, half, 2 * LANES):
        first = larger_word(first, bits_of(load(values, i)) & mask)
        second = larger_word(second, bits_of(load(values, i + LANES)) & mask)
    if half < start + count:
        first = larger_word(first, bits_of(load(values, half)) & mask)
    return largest_word(larger_word(first, second))


@njit(nogil=True, error_model="numpy", forceinline=True)
def encode_block(values: Any, start: Any, count: Any, scale: Any, table: Any, codes: Any, place: Any) -> None:
    """A byte for each number, by the normative arithmetic: value * (1 / scale) in float32, then the nearest level."""
    inverse = spread(f32(f32(1) / scale))
    shift = place - start
    if table.kind == WHOLE:
        for i in range(start, start + count, LANES):
            store_bytes(codes, i + shift, whole_codes(load(values, i) * inverse, table))
    elif table.kind == STEPS:
        for i in range(start, start + count, LANES):
            store_bytes(codes, i + shift, step_codes(load(values, i) * inverse, table))
    else:
        for i in range(start, start + count, LANES):
            store_bytes(codes, i + shift, float_codes(load(values, i) * inverse, table))


@njit(nogil=True, error_model="numpy")
def block_error(values: Any, start: Any, count: Any, scale: Any, reach: Any, table: Any) -> Any:
    """The squared error over the squared reach."""
    inverse, error = spread(f32(f32(1) / scale)), spread(f32(0))
    for i in range(start, start + count, LANES):
        scaled = load(values, i) * inverse
        difference = scaled - nearest_levels(scaled, table)
        error = error + difference * difference
    relative = f32(scale / reach)
    return f32(f32(total(error) * relative) * relative)


@njit(nogil=True, error_model="numpy")
def fitted(values: Any, start: Any, count: Any, scale: Any, table: Any) -> Any:
    """The least-squares scale for the levels that a scale gives; the scale itself where there is none."""
    inverse, products, squares = spread(f32(f32(1) / scale)), spread(f32(0)), spread(f32(0))
    for i in range(start, start + count, LANES):
        scaled = load(values, i) * inverse
        level = nearest_levels(scaled, table)
        products = products + scaled * level
        squares = squares + level * level
    both, square = total(products), total(squares)
    return f32(scale * f32(both / square)) if both > 0 and square > 0 else scale


@njit(nogil=True, error_model="numpy", forceinline=True)
def first_extreme_is_negative(values: Any, start: Any, count: Any, reach: Any) -> Any:
    """The sign of the first number of the largest magnitude."""
    top, bottom = spread(f32(0)), spread(f32(0))
    for i in range(start, start + count, LANES):
        vector = load(values, i)
        top, bottom = larger(top, vector), larger(bottom, spread(f32(0)) - vector)
    extreme = word_of(reach)
    if largest_word(bits_of(top)) < extreme:
        return True
    return largest_word(bits_of(bottom)) >= extreme and _first_of_both(values, start, count, reach)


@njit(nogil=True, error_model="numpy")
def _first_of_both(values: Any, start: Any, count: Any, reach: Any) -> Any:
    """Whether the first of two numbers of one magnitude is the negative one."""
    for i in range(start, start + count):
        if abs(values[i]) == reach:
            return values[i] < 0
    return False

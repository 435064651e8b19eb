"""Scales of whole numbers of many levels: how far each number lies from the next whole one, at 32 scales at once.

A number x of a block is X = x * ONE / reach in whole numbers, and a candidate puts the reach to R steps: what
X * C mod 2^16 with C = R * 2^16 / ONE says, is the fraction of x / scale in 2^-16. The few numbers that a candidate may
clip are looked at one by one.
"""

# mypy: disable-error-code="untyped-decorator"

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from app.schemes.kernels.levels import MAGIC, MAGNITUDE
from app.schemes.kernels.vectors import (
    LANES,
    add_phase,
    bits_of,
    float_at,
    larger,
    largest_word,
    least_wide,
    load,
    load_floats,
    load_row,
    load_wide,
    no_shorts,
    no_wide,
    numbered,
    short_at,
    smaller,
    spread,
    spread_wide,
    spread_word,
    store_shorts,
    store_words,
    to_words,
    wide_of,
    widened,
    word_of,
)

f32, u16, u32, i64 = np.float32, np.uint16, np.uint32, np.int64
_STRETCH = 32
"""Numbers whose squares are added in 16 bits: 2^14 * 32 / 12 on average."""
_SQUARE = f32(1 << 14)
"""Of a step."""
_MOST = f32(65535 * 16)


class PhaseTable(NamedTuple):
    """The candidates."""

    vectors: np.int64
    """Of 32 candidates each; 0: there are none."""
    factors: np.int64
    """The address of C, uint16, aligned to 64 bytes."""
    reaches: np.int64
    """The address of R, float32, ascending."""
    weights: np.int64
    """The address of the square of the least R over R, times 2^10, uint32."""
    one: np.float32
    safe: np.float32
    """The share of the reach up to which no candidate clips."""
    has_signs: np.int64
    """Whether scales may be negative: then the number of largest magnitude is a negative level."""


@njit(nogil=True, error_model="numpy", forceinline=True)
def fill_numbers(
    values: Any, start: Any, count: Any, reach: Any, sign: Any, table: Any, numbers: Any, rest: Any
) -> Any:
    """Every number as X, where its magnitude is safe; those that are not, over the reach, into `rest`: how many."""
    by, magic = spread(f32(sign * table.one / reach)), spread(MAGIC)
    limit, found, mask = word_of(f32(reach * table.safe)), 0, spread_word(MAGNITUDE)
    for i in range(0, count, LANES):
        vector = load(values, start + i)
        store_shorts(numbers, i, bits_of(vector * by + magic))
        if largest_word(bits_of(vector) & mask) > limit:
            for j in range(i, i + LANES):
                if word_of(values[start + j]) & MAGNITUDE > limit:
                    numbers[j] = 0
                    rest[found] = f32(sign * values[start + j] / reach)
                    found += 1
    return found


@njit(nogil=True, error_model="numpy")
def _clipped(rest: Any, count: Any, first: Any, table: Any, grid: Any, extra: Any) -> None:
    """What the numbers that are not safe err at 32 candidates."""
    magic, low, high = spread(MAGIC), spread(grid.low), spread(grid.high)
    for lane in range(0, 2 * LANES, LANES):
        steps, found = load_floats(table.reaches, first + lane), spread(f32(0))
        for j in range(count):
            scaled = spread(rest[j]) * steps
            difference = scaled - ((smaller(larger(scaled, low), high) + magic) - magic)
            found = found + difference * difference
        store_words(extra, lane, to_words(smaller(found * spread(_SQUARE), spread(_MOST))))


@njit(nogil=True, error_model="numpy", forceinline=True)
def scan_phases(
    numbers: Any, count: Any, rest: Any, unsafe: Any, vector: Any, table: Any, grid: Any, extra: Any
) -> Any:
    """The least sum of 32 candidates, and in the lowest five bits which one it is."""
    factors, sums = load_row(table.factors, i64(vector) * (2 * LANES)), no_wide(0)
    if unsafe:
        _clipped(rest, unsafe, vector * 2 * LANES, table, grid, extra)
        sums = wide_of(extra, 0)
    for first in range(0, count, _STRETCH):
        near = no_shorts(0)
        for i in range(first, min(first + _STRETCH, count), 4):
            near = add_phase(near, short_at(numbers, i), factors)
            near = add_phase(near, short_at(numbers, i + 1), factors)
            near = add_phase(near, short_at(numbers, i + 2), factors)
            near = add_phase(near, short_at(numbers, i + 3), factors)
        sums = sums + widened(near)
    shift, more = u32(0), count >> 5
    while more > 1:
        shift, more = shift + u32(1), more >> 1
    weighted = (sums >> spread_wide(shift)) * load_wide(table.weights, i64(vector) * (2 * LANES))
    return least_wide(numbered(weighted))


@njit(nogil=True, error_model="numpy")
def phase_scale(values: Any, start: Any, count: Any, reach: Any, sign: Any, table: Any, grid: Any, room: Any) -> Any:
    """The scale with the least sum."""
    numbers, rest, extra = room
    unsafe = fill_numbers(values, start, count, reach, sign, table, numbers, rest)
    lane, least = i64(0), u32(0xFFFFFFFF)
    for vector in range(table.vectors):
        found = scan_phases(numbers, count, rest, unsafe, vector, table, grid, extra)
        if found >> u32(5) < least:
            lane, least = i64(vector) * (2 * LANES) + i64(found & u32(31)), found >> u32(5)
    return f32(sign * reach / float_at(table.reaches, lane))

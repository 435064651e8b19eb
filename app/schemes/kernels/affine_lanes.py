"""The search of `affine_search` for sixteen blocks of a tile at once: no sum over lanes, and lines in all lanes."""

# mypy: disable-error-code="untyped-decorator"

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from app.schemes.kernels.affine_lane_pairs import Lanes, codes_of_lanes, lanes_between, lanes_fitted, sums_of_lanes
from app.schemes.kernels.affine_rounding import ZERO_POINT, between
from app.schemes.kernels.affine_search import FEW, scan
from app.schemes.kernels.affine_tables import PAIRS, STRETCH
from app.schemes.kernels.affine_vectors import prefetch, put_floats, put_shorts, put_wide, put_words, transpose
from app.schemes.kernels.vectors import (
    LANES,
    above,
    bits_of,
    choose,
    float_at,
    floats_of,
    larger,
    larger_word,
    largest_word,
    load_codes,
    load_floats,
    pick,
    smaller,
    smaller_word,
    spread,
    spread_word,
)

f32, u32 = np.float32, np.uint32
LONGEST = STRETCH
"""Of blocks that are searched this way: whole vectors, and their sums by the table fit 16 bits."""
NARROW, WIDE = f32(1e-30), f32(1e36)
"""Widths between which a search works in float32."""
_MAGIC = f32(12582912.0)


class LaneRoom(NamedTuple):
    """Memory to work in, by addresses."""

    places: np.int64
    """float32, sixteen for each element of a block."""
    sums: np.int64
    """Words, 64 for each of sixteen blocks, and the same transposed."""
    ends: np.int64
    """float32: low ends, high ends, what places are multiplied by, scales, offsets; sixteen each."""
    shorts: np.int64
    """uint16, the places of sixteen blocks."""


@njit(nogil=True, error_model="numpy", forceinline=True)
def _ends(places: Any, size: Any) -> Any:
    """(lowest, highest, largest word of a magnitude) of each lane."""
    low = load_floats(places, 0)
    high, worst, mask = low, spread_word(u32(0)), spread_word(u32(0x7FFFFFFF))
    for i in range(size):
        here = load_floats(places, i * LANES)
        low, high = smaller(here, low), larger(here, high)
        worst = larger_word(worst, bits_of(here) & mask)
    return low, high, worst


@njit(nogil=True, error_model="numpy", forceinline=True)
def _scan_all(values: Any, start: Any, size: Any, table: Any, room: LaneRoom) -> None:
    """The sums of all pairs for each block, transposed: sixteen blocks for each pair."""
    magic, mask, most = spread(_MAGIC), spread_word(u32(0xFFFF)), spread_word(u32(table.last_place))
    for block in range(LANES):
        base, by = spread(float_at(room.ends, block)), spread(float_at(room.ends, 2 * LANES + block))
        for i in range(0, size, LANES):
            here = (load_floats(values, start + block * size + i) - base) * by
            put_shorts(room.shorts, block * size + i, smaller_word(bits_of(here + magic) & mask, most))
    for block in range(LANES):
        for i in range(0, size, LANES):
            prefetch(values, start + (LANES + block) * size + i)
        near, far = scan(room.shorts + 2 * block * size, size, table.rows)
        put_wide(room.sums, block * PAIRS, near)
        put_wide(room.sums, block * PAIRS + PAIRS // 2, far)
    for first in range(0, PAIRS, LANES):
        transpose(room.sums + 4 * first, PAIRS, room.sums + 4 * LANES * (PAIRS + first))


@njit(nogil=True, error_model="numpy", forceinline=True)
def _best_pairs(sums: Any) -> None:
    """Of each lane, the six least, in their order: a sum in the upper bits of a word, the pair in the lowest six."""
    six = spread_word(u32(6))
    first = spread_word(u32(0xFFFFFFFF))
    second, third, fourth, fifth, sixth = first, first, first, first, first
    for pair in range(PAIRS):
        here = (load_codes(sums, (PAIRS + pair) * LANES) << six) | spread_word(u32(pair))
        first, here = smaller_word(first, here), larger_word(first, here)
        second, here = smaller_word(second, here), larger_word(second, here)
        third, here = smaller_word(third, here), larger_word(third, here)
        fourth, here = smaller_word(fourth, here), larger_word(fourth, here)
        fifth, here = smaller_word(fifth, here), larger_word(fifth, here)
        sixth = smaller_word(sixth, here)
    put_words(sums, 0, first)
    put_words(sums, LANES, second)
    put_words(sums, 2 * LANES, third)
    put_words(sums, 3 * LANES, fourth)
    put_words(sums, 4 * LANES, fifth)
    put_words(sums, 5 * LANES, sixth)


@njit(nogil=True, error_model="numpy", forceinline=True)
def _read(values: Any, start: Any, task: Any, room: LaneRoom) -> Any:
    """(lanes, low ends, high ends, largest word); numbers become places, and ends are written."""
    size, zero = task.size, spread(f32(0))
    for i in range(0, size, LANES):
        transpose(values + 4 * (start + i), size, room.places + 4 * LANES * i)
    low, high, worst = _ends(room.places, size)
    if task.form.kind == ZERO_POINT:
        low, high = smaller(low, zero), larger(high, zero)
    width = high - low
    unit = floats_of(bits_of(larger(smaller(width, spread(WIDE)), spread(NARROW))) & spread_word(u32(0x7F800000)))
    base = zero if task.form.kind == ZERO_POINT else low
    by, total = spread(f32(1)) / unit, zero
    for i in range(size):
        place = (load_floats(room.places, i * LANES) - base) * by
        put_floats(room.places, i * LANES, place)
        total = total + place
    put_floats(room.ends, 0, low)
    put_floats(room.ends, LANES, high)
    put_floats(room.ends, 2 * LANES, spread(f32(task.table.last_place)) / width)
    return Lanes(room.places, size, base, unit, total), low, high, largest_word(worst)


@njit(nogil=True, error_model="numpy", forceinline=True)
def _start(low: Any, high: Any, pair: Any, task: Any) -> Any:
    """(scales, offsets) of a pair of the table in each lane."""
    width, steps, seven = high - low, load_floats(task.table.steps, 0), spread_word(u32(7))
    below, over = pick(steps, (pair >> spread_word(u32(3))) & seven), pick(steps, pair & seven)
    return lanes_between(low + width * below, high - width * over, task.form)


@njit(nogil=True, error_model="numpy", forceinline=True)
def _better(lanes: Lanes, pair: Any, best: Any, form: Any) -> Any:
    """The sums of a pair, and the best so far: (scales, offsets, errors)."""
    codes, squares, products, error = sums_of_lanes(lanes, pair[0], pair[1], form)
    is_less = above(best[2], error)
    best = choose(is_less, pair[0], best[0]), choose(is_less, pair[1], best[1]), choose(is_less, error, best[2])
    return (codes, squares, products), best


@njit(nogil=True, error_model="numpy", forceinline=True)
def _most_promising(lanes: Lanes, low: Any, high: Any, best: Any, starts: Any, task: Any) -> Any:
    """The best after least squares goes on from the start whose first line takes off the most."""
    pair, most = (best[0], best[1]), spread(f32(-1))
    for start in range(task.starts):
        tried = _start(low, high, load_codes(starts, start * LANES), task)
        sums = codes_of_lanes(lanes, tried[0], tried[1], task.form)
        fitted, gain = lanes_fitted(lanes, sums, tried[0], tried[1], 0, task.form)
        is_more = above(gain, most)
        pair = choose(is_more, fitted[0], pair[0]), choose(is_more, fitted[1], pair[1])
        most = choose(is_more, gain, most)
    for step in range(task.rounds):
        sums, best = _better(lanes, pair, best, task.form)
        if step < task.rounds - 1:
            pair, _ = lanes_fitted(lanes, sums, pair[0], pair[1], step, task.form)
    return best


@njit(nogil=True, error_model="numpy", forceinline=True)
def _of_all(lanes: Lanes, low: Any, high: Any, best: Any, starts: Any, task: Any) -> Any:
    """The best of what all starts come to."""
    for start in range(task.starts):
        pair = _start(low, high, load_codes(starts, start * LANES), task)
        for step in range(task.rounds + 1):
            sums, best = _better(lanes, pair, best, task.form)
            if step < task.rounds:
                pair, _ = lanes_fitted(lanes, sums, pair[0], pair[1], step, task.form)
    return best


@njit(nogil=True, error_model="numpy")
def search_lanes(
    values: Any, start: Any, count: Any, task: Any, scales: Any, offsets: Any, block: Any, room: LaneRoom
) -> Any:
    """Pairs of the first `count` of sixteen blocks one after another: (largest word of a magnitude, open blocks)."""
    form, unsettled, zero = task.form, 0, spread(f32(0))
    lanes, low, high, worst = _read(values, start, task, room)
    if worst > u32(0x7F7FFFFF):
        return worst, unsettled
    _scan_all(values, start, task.size, task.table, room)
    plain = lanes_between(low, high, form)
    _best_pairs(room.sums)
    best = plain[0], plain[1], sums_of_lanes(lanes, plain[0], plain[1], form)[3]
    if task.is_thorough:
        best_scales, best_offsets, error = _of_all(lanes, low, high, best, room.sums, task)
    else:
        best_scales, best_offsets, error = _most_promising(lanes, low, high, best, room.sums, task)
    places = (high - low) / lanes.unit
    few = spread(f32(FEW * task.size / (12 * np.float64(form.last) ** 2))) * places * places
    is_open = above(error, zero) & above(few, error)
    put_floats(room.ends, 3 * LANES, choose(is_open, zero, best_scales))
    put_floats(room.ends, 4 * LANES, best_offsets)
    for index in range(count):
        least, most = float_at(room.ends, index), float_at(room.ends, LANES + index)
        if NARROW < f32(most - least) < WIDE:
            scales[block + index] = float_at(room.ends, 3 * LANES + index)
            offsets[block + index] = float_at(room.ends, 4 * LANES + index)
        else:
            pair = between(np.float64(least), np.float64(most), form)
            is_plain = most == least and (form.kind == ZERO_POINT or pair.offset == least)
            scales[block + index], offsets[block + index] = pair.scale if is_plain else f32(0), pair.offset
        unsettled += scales[block + index] == 0
    return worst, unsettled

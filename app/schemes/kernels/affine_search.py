"""The pair with the least squared error for a block: a scan of a table of errors, then least squares from the best."""

# mypy: disable-error-code="untyped-decorator"

from typing import Any

import numpy as np
from numba import njit

from app.schemes.kernels.affine_blocks import sums_of
from app.schemes.kernels.affine_rounding import Pair, between, fitted
from app.schemes.kernels.affine_tables import STRETCH
from app.schemes.kernels.affine_vectors import put_short, put_shorts, short_of, without
from app.schemes.kernels.vectors import (
    LANES,
    add_saturating,
    bits_of,
    float_at,
    least_wide,
    load_floats,
    load_row,
    no_shorts,
    no_wide,
    numbered,
    spread,
    spread_word,
    widened,
)

f32, u32 = np.float32, np.uint32
_MAGIC = f32(12582912.0)
_HALF = 2 * LANES
"""Pairs of one vector."""
FEW = 0.02
"""Of the error of evenly spread numbers: less hangs on exact coincidences that a table cannot see."""


@njit(nogil=True, error_model="numpy", forceinline=True)
def fill_places(values: Any, start: Any, count: Any, low: Any, factor: Any, last_place: Any, places: Any) -> None:
    """Where each number lies between the ends of its block; what fills the last four up has a row of zeros."""
    by, magic, mask, base = spread(factor), spread(_MAGIC), spread_word(u32(0xFFFF)), spread(low)
    for i in range(0, count, LANES):
        put_shorts(places, i, bits_of((load_floats(values, start + i) - base) * by + magic) & mask)
    for i in range(count, (count + 3) // 4 * 4):
        put_short(places, i, np.uint16(last_place + 1))


@njit(nogil=True, error_model="numpy", forceinline=True)
def scan(places: Any, count: Any, rows: Any) -> Any:
    """The sums of the errors of all numbers, one in each of 2 x 32 lanes."""
    low, high = no_wide(0), no_wide(0)
    for first in range(0, count, STRETCH):
        near, far = no_shorts(0), no_shorts(0)
        for i in range(first, min(first + STRETCH, count), 4):
            for step in range(4):
                row = short_of(places, i + step) << 6
                near = add_saturating(near, load_row(rows, row))
                far = add_saturating(far, load_row(rows, row + 32))
        low, high = low + widened(near), high + widened(far)
    return low, high


@njit(nogil=True, error_model="numpy", forceinline=True)
def searched(values: Any, start: Any, count: Any, low: Any, high: Any, places: Any, task: Any) -> Any:
    """The pair from the best starts and the block's own ends; a scale of 0 where numbers seem to lie on few levels."""
    form, table = task.form, task.table
    width = np.float64(high) - np.float64(low)
    norm = f32(1 / width)
    fill_places(values, start, count, low, f32(np.float64(table.last_place) / width), table.last_place, places)
    near, far = scan(places, count, table.rows)
    base = f32(0) if form.kind else low
    best = between(np.float64(low), np.float64(high), form)
    least = sums_of(values, start, count, best, form.last, base, norm, task.masks).error
    near, far = numbered(near), numbered(far)
    for _ in range(task.starts):
        first, second = least_wide(near), least_wide(far)
        lane = np.int64(min(first, second) & u32(31))
        if first <= second:
            near = without(near, lane)
        else:
            far = without(far, lane)
            lane += _HALF
        below, above = float_at(table.shares, 2 * lane), float_at(table.shares, 2 * lane + 1)
        pair = between(low + width * np.float64(below), high - width * np.float64(above), form)
        for step in range(task.rounds + 1):
            found = sums_of(values, start, count, pair, form.last, base, norm, task.masks)
            if found.error < least:
                best, least = pair, found.error
            if step < task.rounds:
                pair = fitted(np.float64(count), found, pair, base, np.float64(norm), step > 0, form)
    usual = np.float64(count) / (12 * np.float64(form.last) ** 2)
    return Pair(form.kind, f32(0), best.offset) if 0 < least < FEW * usual else best

"""The scale with the least squared error for one block: a scan of a table of errors, or every candidate evaluated."""

# mypy: disable-error-code="untyped-decorator"

from typing import Any

import numpy as np
from numba import njit

from app.schemes.kernels.blocks import block_error, fitted
from app.schemes.kernels.error_tables import HALF, STRETCH
from app.schemes.kernels.levels import MAGIC
from app.schemes.kernels.sizes import nearest_size
from app.schemes.kernels.vectors import (
    LANES,
    add_saturating,
    bits_of,
    float_at,
    load,
    load_row,
    no_shorts,
    no_wide,
    short_at,
    spread,
    spread_word,
    store_shorts,
    widened,
)

f32, u32 = np.float32, np.uint32
_REFINED = 3
_MISSES = 4
_STEP_DOWN = f32(0.97)


@njit(nogil=True, error_model="numpy", forceinline=True)
def fill_places(values: Any, start: Any, count: Any, factor: Any, places: Any, first: Any) -> None:
    """Where each number's row begins in a table of errors: 32 times the nearest whole number of value * factor."""
    by, middle = spread(factor), spread(f32(MAGIC + f32(HALF)))
    mask, five = spread_word(u32(511)), spread_word(u32(5))
    for i in range(0, count, LANES):
        store_shorts(places, first + i, (bits_of(load(values, start + i) * by + middle) & mask) << five)


@njit(nogil=True, error_model="numpy", forceinline=True)
def scan(places: Any, start: Any, count: Any, rows: Any) -> Any:
    """The sums of the errors of all numbers, one in each of 32 lanes."""
    sums = no_wide(0)
    for first in range(start, start + count, STRETCH):
        near = no_shorts(0)
        for i in range(first, min(first + STRETCH, start + count), 4):
            near = add_saturating(near, load_row(rows, short_at(places, i)))
            near = add_saturating(near, load_row(rows, short_at(places, i + 1)))
            near = add_saturating(near, load_row(rows, short_at(places, i + 2)))
            near = add_saturating(near, load_row(rows, short_at(places, i + 3)))
        sums = sums + widened(near)
    return sums


@njit(nogil=True, error_model="numpy", forceinline=True)
def storable_size(scale: Any, form: Any) -> Any:
    """The scale nearest to a positive one, as it multiplies."""
    return f32(nearest_size(scale, form) / form.divisor)


@njit(nogil=True, error_model="numpy", forceinline=True)
def storable(scale: Any, form: Any) -> Any:
    """The scale nearest to one of either sign, as it multiplies."""
    size = storable_size(abs(scale), form)
    return -size if scale < 0 else size


@njit(nogil=True, error_model="numpy")
def further(values: Any, start: Any, count: Any, scale: Any, reach: Any, task: Any, table: Any) -> Any:
    """From the smallest scale of the table downwards, as long as the error falls."""
    best, tried, misses = scale, scale, 0
    least = block_error(values, start, count, scale, reach, table)
    while misses < _MISSES and abs(tried) > reach * f32(1e-4):
        tried = f32(tried * _STEP_DOWN)
        error = block_error(values, start, count, storable(tried, task.form), reach, table)
        misses += 1
        if error < least:
            best, least, misses = tried, error, 0
    return best


@njit(nogil=True, error_model="numpy")
def direct_scale(values: Any, start: Any, count: Any, reach: Any, task: Any, table: Any) -> Any:
    """Every candidate evaluated, and the best three refined by least squares and their storable neighbours."""
    form = task.form
    best = storable(f32(reach / task.end), form)
    least = block_error(values, start, count, best, reach, table)
    errors, scales = np.full(_REFINED, f32(np.inf), f32), np.full(_REFINED, best, f32)
    for index in range(task.rungs):
        scale = storable(f32(reach * float_at(task.ladder, index)), form)
        error = block_error(values, start, count, scale, reach, table)
        worst = errors.argmax()
        if error < errors[worst]:
            errors[worst], scales[worst] = error, scale
    for scale in scales:
        tried = scale
        for step in range(5):
            if 0 < step < 3:
                tried = storable(fitted(values, start, count, tried, table), form)
            elif step >= 3:
                tried = storable(f32(tried * (form.step_up if step == 3 else form.step_down)), form)
            error = block_error(values, start, count, tried, reach, table)
            if error < least:
                best, least = tried, error
    return best

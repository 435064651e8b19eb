"""The scale with the least squared error for one block: a scan of a table of errors, or every candidate evaluated."""

# mypy: disable-error-code="untyped-decorator"

from typing import Any

import numpy as np
from numba import njit

from app.schemes.kernels.blocks import block_error, first_extreme_is_negative, fitted
from app.schemes.kernels.error_tables import HALF, LOG_DROP, LOG_OCTAVES, LOG_PLACES, STRETCH
from app.schemes.kernels.levels import MAGIC, MAGNITUDE, SIGN, nearest_levels
from app.schemes.kernels.phases import phase_scale
from app.schemes.kernels.sizes import nearest_size
from app.schemes.kernels.vectors import (
    LANES,
    above,
    add_saturating,
    bits_of,
    choose,
    choose_word,
    float_of,
    floats_of,
    larger,
    larger_word,
    largest_word,
    load,
    load_floats,
    load_row,
    no_shorts,
    no_wide,
    short_at,
    smaller,
    smaller_word,
    spread,
    spread_word,
    store_shorts,
    widened,
    word_above,
    word_of,
)

f32, u32 = np.float32, np.uint32
_PARTIAL = 1024
"""Numbers whose errors are added before they join the others': sums in float32 stay near."""
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
def fill_log_places(values: Any, start: Any, count: Any, factor: Any, places: Any, first: Any) -> None:
    """The same for floats: by the exponent and the first bits of |value| * factor, which is 1 for the reach."""
    by, mask, drop = spread(factor), spread_word(MAGNITUDE), spread_word(u32(LOG_DROP))
    low = spread_word(u32((127 - LOG_OCTAVES) * LOG_PLACES))
    high, five = spread_word(u32(127 * LOG_PLACES - 1)), spread_word(u32(5))
    for i in range(0, count, LANES):
        word = (bits_of(load(values, start + i) * by) & mask) >> drop
        store_shorts(places, first + i, (smaller_word(larger_word(word, low), high) - low) << five)


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


@njit(nogil=True, error_model="numpy", forceinline=True)
def storable_lanes(scales: Any, form: Any) -> Any:
    """`storable_size` of sixteen positive scales."""
    size = smaller(larger(scales * spread(form.divisor), spread(form.smallest)), spread(form.largest))
    word = bits_of(size)
    odd = (word >> spread_word(form.drop)) & spread_word(form.odd)
    normal = floats_of((word + spread_word(form.add) + odd) & spread_word(form.keep))
    tiny = (size + spread(form.magic)) - spread(form.magic)
    rounded = choose(above(spread(form.least_normal), size), tiny, normal)
    return smaller(rounded, spread(form.largest)) / spread(form.divisor)


@njit(nogil=True, error_model="numpy")
def _lane_errors(values: Any, start: Any, count: Any, scales: Any, reach: Any, table: Any) -> Any:
    """The squared error over the squared reach at each of sixteen scales; the numbers are added one after another."""
    inverse, error = spread(f32(1)) / scales, spread(f32(0))
    for first in range(start, start + count, _PARTIAL):
        partial = spread(f32(0))
        for i in range(first, min(first + _PARTIAL, start + count)):
            scaled = spread(values[i]) * inverse
            difference = scaled - nearest_levels(scaled, table)
            partial = partial + difference * difference
        error = error + partial
    relative = scales / spread(reach)
    return error * relative * relative


@njit(nogil=True, error_model="numpy")
def best_of_ladder(values: Any, start: Any, count: Any, reach: Any, task: Any, table: Any) -> Any:
    """The storable scale with the least error among all rungs; of equals the largest."""
    best, least, negative = spread(f32(0)), spread(f32(np.inf)), spread_word(SIGN)
    for first in range(0, task.rungs, LANES):
        factors = load_floats(task.ladder, first)
        sign = bits_of(factors) & negative
        sizes = storable_lanes(floats_of(bits_of(factors) & spread_word(MAGNITUDE)) * spread(reach), task.form)
        scales = floats_of(bits_of(sizes) | sign)
        error = _lane_errors(values, start, count, scales, reach, table)
        is_less = above(least, error)
        best, least = choose(is_less, scales, best), smaller(error, least)
    lowest = spread_word(~largest_word(spread_word(u32(0xFFFFFFFF)) - bits_of(least)))
    is_more = word_above(bits_of(least), lowest)
    return float_of(largest_word(choose_word(is_more, spread_word(u32(0)), bits_of(best))))


@njit(nogil=True, error_model="numpy")
def _by_phases(
    values: Any, start: Any, count: Any, reach: Any, task: Any, table: Any, room: Any, best: Any, least: Any
) -> Any:
    """The candidate of the least phases, least squares from it, and the storable neighbours; or the best before."""
    form, sign = task.form, f32(1)
    if task.phases.has_signs and not first_extreme_is_negative(values, start, count, reach):
        sign = f32(-1)
    tried = phase_scale(values, start, count, reach, sign, task.phases, table, room)
    tried = storable(fitted(values, start, count, tried, table), form)
    for step in range(3 if form.drop else 1):
        if step:
            tried = storable(f32(tried * (form.step_up if step == 1 else form.step_down)), form)
        error = block_error(values, start, count, tried, reach, table)
        if error < least:
            best, least = tried, error
    return best


@njit(nogil=True, error_model="numpy")
def direct_scale(values: Any, start: Any, count: Any, reach: Any, task: Any, table: Any, room: Any) -> Any:
    """Every rung evaluated; then least squares twice and the storable neighbours, and never worse than absmax's."""
    form = task.form
    best = storable(f32(reach / task.end), form)
    least = block_error(values, start, count, best, reach, table)
    if task.phases.vectors and abs(best) * form.divisor >= f32(2) * form.least_normal:
        return _by_phases(values, start, count, reach, task, table, room, best, least)
    tried = best_of_ladder(values, start, count, reach, task, table)
    if abs(tried) <= reach * task.last_rung * f32(1.001):
        tried = storable(further(values, start, count, tried, reach, task, table), form)
    for step in range(5):
        if 0 < step < 3:
            tried = storable(fitted(values, start, count, tried, table), form)
        elif step >= 3:
            tried = storable(f32(tried * (form.step_up if step == 3 else form.step_down)), form)
        error = block_error(values, start, count, tried, reach, table)
        if error < least:
            best, least = tried, error
    return best


@njit(nogil=True, error_model="numpy", forceinline=True)
def low_power(reach: Any, task: Any) -> Any:
    """The power of two that puts the reach into the grid's last octave.

    Up to half a step beyond the largest level, the levels of a larger scale are among those of this one.
    """
    return storable_size(float_of(word_of(f32(reach / task.octave)) & u32(0x7F800000)), task.form)


@njit(nogil=True, error_model="numpy")
def power_scale(values: Any, start: Any, count: Any, reach: Any, low: Any, form: Any, table: Any) -> Any:
    """That power of two, or the next one up where it has less error."""
    high = storable(f32(low * f32(2)), form)
    is_less = block_error(values, start, count, high, reach, table) < block_error(
        values, start, count, low, reach, table
    )
    return high if is_less else low


@njit(nogil=True, error_model="numpy")
def better_with_owner(values: Any, start: Any, count: Any, reach: Any, scale: Any, task: Any, table: Any) -> Any:
    """The scale, or that of absmax as the owner has it, where it has less error."""
    extreme, end = reach, task.end
    if task.owner_end < 0:
        end = task.owner_end
        extreme = -reach if first_extreme_is_negative(values, start, count, reach) else reach
    owner = storable(f32(extreme / end), task.form)
    is_less = block_error(values, start, count, owner, reach, table) < block_error(
        values, start, count, scale, reach, table
    )
    return owner if is_less else scale


@njit(nogil=True, error_model="numpy")
def is_lost(values: Any, start: Any, count: Any, reach: Any, scale: Any, table: Any) -> Any:
    """Whether zeros in place of the block have less error: of grids without a zero, far below the smallest scale."""
    power = f32(0)
    for i in range(start, start + count):
        power += f32(values[i] / reach) * f32(values[i] / reach)
    return power < block_error(values, start, count, scale, reach, table)

"""The scan of a table of errors for all blocks of a tile: each step in a loop of its own, so that blocks overlap.

The best of 32 scales by the table, the least-squares scale of its levels, and never worse than absmax's.
"""

# mypy: disable-error-code="untyped-decorator"

from typing import Any

import numpy as np
from numba import njit

from app.schemes.kernels.blocks import fitted, reach_word
from app.schemes.kernels.error_tables import HALF, LOG_OCTAVES, LOG_PLACES
from app.schemes.kernels.search import (
    better_with_owner,
    direct_scale,
    fill_log_places,
    fill_places,
    further,
    is_lost,
    scan,
    storable,
)
from app.schemes.kernels.vectors import (
    LANES,
    bits_of,
    float_at,
    float_of,
    lane_of,
    larger,
    largest_word,
    least_wide,
    load,
    numbered,
    spread,
    word_of,
)

f32, u32 = np.float32, np.uint32
_PLAIN, _ENDS, _DIRECT = 1, 2, 4
"""What is left to do for a block: compare with absmax's scale, go on beyond the table, or try every candidate."""
_LEAST_REACH = f32(1e-30)


@njit(nogil=True, error_model="numpy")
def scan_tile(
    values: Any, start: Any, blocks: Any, stride: Any, task: Any, grid: Any, scales: Any, room: Any, notes: Any
) -> None:
    """`scales` of so many blocks hold their reaches, and get the scales; `room` and `notes` are room to work in."""
    _scan_all(values, start, blocks, stride, task, scales, room[0], notes)
    for index in range(blocks):
        scale = scales[index]
        if notes[index] < _DIRECT and not task.scan.octaves:
            here = start + index * stride
            scales[index] = storable(fitted(values, here, stride, scale, grid), task.form)
    for index in range(blocks):
        if notes[index]:
            here = start + index * stride
            scales[index] = _settled(values, here, stride, task, grid, scales[index], notes[index], room)


@njit(nogil=True, error_model="numpy")
def _scan_all(
    values: Any, start: Any, blocks: Any, stride: Any, task: Any, scales: Any, places: Any, notes: Any
) -> None:
    for index in range(blocks):
        reach, here = scales[index], start + index * stride
        if task.scan.octaves:
            reach = scales[index] = _octave_end(reach, task)
        factor = f32(f32(HALF) / reach) if reach > _LEAST_REACH else f32(0)
        if task.scan.positive < 2 * LANES and _is_negative(values, here, stride, reach):
            factor, scales[index] = -factor, -reach
        if task.scan.is_log:
            by = f32(f32(1) / reach) if reach > _LEAST_REACH else f32(0)
            fill_log_places(values, here, stride, by, places, index * stride)
        else:
            fill_places(values, here, stride, factor, places, index * stride)
    for index in range(blocks):
        sums = scan(places, index * stride, stride, task.scan.rows)
        best, base = least_wide(numbered(sums)), 0
        for table in range(1, task.scan.tables):
            rows = task.scan.rows + table * (2 * 2 * LANES * LOG_OCTAVES * LOG_PLACES)
            found = least_wide(numbered(scan(places, index * stride, stride, rows)))
            if found >> u32(5) < best >> u32(5):
                best, base = found, table * 2 * LANES
        if task.scan.octaves:
            scales[index], notes[index] = _chosen_size(scales[index], best, stride, task)
        else:
            own = lane_of(sums, task.scan.own)
            scales[index], notes[index] = _chosen(scales[index], best, base, own, stride, task)


@njit(nogil=True, error_model="numpy", forceinline=True)
def _is_negative(values: Any, start: Any, count: Any, reach: Any) -> Any:
    """Whether the number of the largest magnitude is negative only."""
    top = spread(f32(0))
    for i in range(start, start + count, LANES):
        top = larger(top, load(values, i))
    return largest_word(bits_of(top)) < word_of(reach)


@njit(nogil=True, error_model="numpy", forceinline=True)
def _octave_end(reach: Any, task: Any) -> Any:
    """What absmax would be at the end of its size's octave; 0 where an octave of the table lies outside of E4M3."""
    size = f32(f32(reach / task.end) * task.form.divisor)
    octave = float_of(word_of(size) & u32(0x7F800000))
    is_normal = octave >= f32(4) * task.form.least_normal
    return f32(f32(octave / task.form.divisor) * f32(task.scan.octaves)) if is_normal else f32(0)


@njit(nogil=True, error_model="numpy", forceinline=True)
def _chosen_size(end: Any, best: Any, count: Any, task: Any) -> Any:
    """The scale of the best lane, one that is stored; every candidate is tried where it is none."""
    lane, least = np.int64(best & u32(31)), np.int64(best >> u32(5))
    factor = float_at(task.scan.factors, lane)
    is_beyond = f32(f32(end * factor) * task.form.divisor) > task.form.largest
    is_lost = (end <= _LEAST_REACH) | is_beyond | (least * 1024 < np.int64(task.scan.trusted) * count)
    scale = storable(f32(end * factor), task.form)
    return (scale, _DIRECT) if is_lost else (scale, 0)


@njit(nogil=True, error_model="numpy", forceinline=True)
def _chosen(reach: Any, best: Any, base: Any, own: Any, count: Any, task: Any) -> Any:
    """The storable scale of the best lane, and what is left to do; the reach itself where the table does not tell."""
    scanned = task.scan
    lane, least = base + np.int64(best & u32(31)), np.int64(best >> u32(5))
    scale = storable(f32(reach * float_at(scanned.factors, lane)), task.form)
    is_clamped = abs(scale) * task.form.divisor <= task.form.smallest
    is_last = ((lane == 2 * LANES - 1) | (lane == scanned.positive - 1)) & (scanned.is_log == 0)
    is_first = ((lane == 0) | (lane == scanned.positive)) & (scanned.is_log == 0)
    lost = (abs(reach) <= _LEAST_REACH) | is_last | is_clamped | (least * 1024 < np.int64(scanned.trusted) * count)
    note = _PLAIN * ((lane != scanned.own) & (least * 64 >= np.int64(own) * 63)) + _ENDS * is_first
    return (reach, _DIRECT) if lost else (scale, note)


@njit(nogil=True, error_model="numpy")
def _settled(values: Any, start: Any, count: Any, task: Any, grid: Any, scale: Any, note: Any, room: Any) -> Any:
    form = task.form
    reach = float_of(reach_word(values, start, count))
    if note >= _DIRECT:
        if reach == 0:
            return task.zero_scale if task.zero_scale == 0 else storable(task.zero_scale, form)
        scale = direct_scale(values, start, count, reach, task, grid, room)
        scale = better_with_owner(values, start, count, reach, scale, task, grid)
        return f32(0) if task.zero_scale == 0 and is_lost(values, start, count, reach, scale, grid) else scale
    if note & _ENDS:
        beyond = further(values, start, count, scale, reach, task, grid)
        scale = storable(fitted(values, start, count, storable(beyond, form), grid), form)
    return better_with_owner(values, start, count, reach, scale, task, grid)

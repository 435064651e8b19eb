"""One pass over a stretch of rows: reach, scale, codes and packing, a tile that fits the nearest cache at a time."""

# mypy: disable-error-code="untyped-decorator"
# ruff: noqa: ARG001 - the mark of the sources is there for its type

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from app.schemes.kernels.block_layouts import NONE, BlockForm, write_blocks
from app.schemes.kernels.blocks import encode_block, first_extreme_is_negative, reach_word
from app.schemes.kernels.error_tables import ScanTable
from app.schemes.kernels.levels import MAGNITUDE, GridTable, levels_of
from app.schemes.kernels.packing import pack_stretch
from app.schemes.kernels.phases import PhaseTable
from app.schemes.kernels.search import direct_scale, low_power, power_scale, storable, storable_size
from app.schemes.kernels.sizes import SizeFormat
from app.schemes.kernels.tile_scan import scan_tile
from app.schemes.kernels.vectors import LANES, float_of, word_of

f32, u32 = np.float32, np.uint32
LARGEST = u32(0x7F7FFFFF)
"""The word of the largest finite number."""

ABSMAX, GIVEN, DIRECT, SCAN, POWER, OWNER = 0, 1, 2, 3, 4, 5
"""How scales are found: the reach to the grid's end; they are there already; all candidates; a table, for few levels;
powers of two; as the owner has it."""
TILE = 2048
_ROOM = 128
"""Bytes of codes beyond a tile that vectors may touch."""


class Task(NamedTuple):
    """What to do with a matrix."""

    rule: np.int64
    columns: np.int64
    size: np.int64
    """Of a block, in elements of a row."""
    row_bytes: np.int64
    bits: np.int64
    high_first: np.int64
    end: np.float32
    table: GridTable
    form: SizeFormat
    scan: ScanTable
    ladder: np.int64
    """The address of float32 candidate scales over the reach, for blocks that a table does not settle."""
    rungs: np.int64
    """How many there are, a multiple of sixteen."""
    last_rung: np.float32
    """The smallest magnitude among them."""
    phases: PhaseTable
    """In place of the ladder, for whole numbers of many levels."""
    octave: np.float32
    """The power of two in whose octave the largest level is."""
    middle: np.float32
    """Half the last step beyond the largest level."""
    owner_end: np.float32
    """For OWNER: the level of the number of largest magnitude, below zero with its sign; 0 for powers of two;
the owner's."""
    zero_scale: np.float32
    """Of a block of zeros."""
    blocks: BlockForm


@njit(nogil=True, cache=True, error_model="numpy")
def quantize_rows(values: Any, first_row: Any, end_row: Any, task: Any, scales: Any, packed: Any, sources: Any) -> Any:
    """Rows from the first to before the end; gives the largest word of a magnitude.

    `values` and `packed` are flat; `scales` are float32 in the order of blocks.
    """
    size, columns = task.size, task.columns
    stride = (size + LANES - 1) // LANES * LANES
    blocks_of_row = (columns + size - 1) // size
    tile = max(TILE // stride, 1)
    if size % LANES or (tile < blocks_of_row and tile * size * task.bits % 8):
        tile = blocks_of_row
    room = tile * stride
    is_scanned = task.rule == SCAN or task.phases.vectors > 0
    places, notes = np.empty(room if is_scanned else 0, np.uint16), np.empty(tile, np.int64)
    search_room = places, np.empty(stride if is_scanned else 0, f32), np.empty(2 * LANES, u32)
    staged, codes = np.empty(room, f32), np.empty(room + _ROOM, np.uint8)
    worst, grid = u32(0), levels_of(task.table)
    for row in range(first_row, end_row):
        for first in range(0, blocks_of_row, tile):
            blocks = min(tile, blocks_of_row - first)
            start, block = row * columns + first * size, row * blocks_of_row + first
            count = min(blocks * size, columns - first * size)
            place = row * task.row_bytes + first * size * task.bits // 8
            is_full = count == blocks * stride
            if not is_full:
                _stage(values, start, count, size, staged, stride, blocks)
            source, at = (values, start) if is_full else (staged, 0)
            is_in_place = is_full and task.bits == 8 and task.blocks.kind == NONE
            target, there = (packed, place) if is_in_place else (codes, 0)
            found = _tile(source, at, blocks, stride, task, grid, scales, block, target, there, search_room, notes)
            worst = max(worst, found)
            if task.blocks.kind != NONE:
                there = row * task.row_bytes + first * size // task.blocks.elements * task.blocks.bytes
                write_blocks(codes, count, scales, block, task.form.divisor, task.blocks, packed, there)
            elif not is_in_place:
                _close_up(codes, size, stride, blocks)
                pack_stretch(codes, count, task.bits, task.high_first, packed, place)
        if task.blocks.kind != NONE:
            continue
        used = (columns * task.bits + 7) // 8
        packed[row * task.row_bytes + used : (row + 1) * task.row_bytes] = 0
    return worst


@njit(nogil=True, cache=True, error_model="numpy")
def reach_of(values: Any, start: Any, end: Any, sources: Any) -> Any:
    """The largest word of a magnitude in a stretch."""
    whole = (end - start) // LANES * LANES
    worst = reach_word(values, start, whole)
    for i in range(start + whole, end):
        worst = max(worst, word_of(values[i]) & MAGNITUDE)
    return worst


@njit(nogil=True, error_model="numpy")
def _stage(values: Any, start: Any, count: Any, size: Any, staged: Any, stride: Any, blocks: Any) -> None:
    """Blocks that are not full, filled up with zeros."""
    staged[: blocks * stride] = 0
    for block in range(blocks):
        here = min(size, count - block * size)
        for i in range(here):
            staged[block * stride + i] = values[start + block * size + i]


@njit(nogil=True, error_model="numpy")
def _close_up(codes: Any, size: Any, stride: Any, blocks: Any) -> None:
    """Codes one after another, without those of what filled blocks up."""
    if size != stride:
        for block in range(1, blocks):
            for i in range(size):
                codes[block * size + i] = codes[block * stride + i]


@njit(nogil=True, error_model="numpy")
def _tile(
    values: Any,
    start: Any,
    blocks: Any,
    stride: Any,
    task: Any,
    grid: Any,
    scales: Any,
    block: Any,
    codes: Any,
    there: Any,
    room: Any,
    notes: Any,
) -> Any:
    """Scales and codes of whole blocks; each step in a loop of its own, so that blocks overlap in the processor."""
    worst = u32(0)
    if task.rule != GIVEN:
        worst = _reaches(values, start, blocks, stride, scales, block)
        if task.rule == ABSMAX or worst > LARGEST:
            _absmax_scales(scales, block, blocks, task.end, task.zero_scale, task.form)
        elif task.rule == OWNER:
            for index in range(blocks):
                here = block + index
                scales[here] = _owner_scale(values, start + index * stride, stride, scales[here], task)
        elif task.rule == POWER:
            _power_scales(values, start, blocks, stride, task, grid, scales, block)
        elif task.rule == SCAN:
            scan_tile(values, start, blocks, stride, task, grid, scales[block : block + blocks], room, notes)
        else:
            for index in range(blocks):
                here, reach = start + index * stride, scales[block + index]
                scales[block + index] = _searched(values, here, stride, reach, task, grid, room)
    for index in range(blocks):
        here = index * stride
        scale = scales[block + index]
        encode_block(values, start + here, stride, scale if scale != 0 else f32(1), grid, codes, there + here)
    return worst


@njit(nogil=True, error_model="numpy", forceinline=True)
def _reaches(values: Any, start: Any, blocks: Any, stride: Any, scales: Any, block: Any) -> Any:
    """The largest magnitude of each block, where its scale will be, and the largest word of all."""
    worst = u32(0)
    for index in range(blocks):
        word = reach_word(values, start + index * stride, stride)
        worst = max(worst, word)
        scales[block + index] = float_of(word)
    return worst


@njit(nogil=True, error_model="numpy")
def _absmax_scales(scales: Any, first: Any, count: Any, end: Any, zero_scale: Any, form: Any) -> None:
    """The largest magnitudes to scales that bring them to the end of the grid."""
    zero = zero_scale if zero_scale == 0 else storable_size(zero_scale, form)
    for i in range(first, first + count):
        reach = scales[i]
        scales[i] = zero if reach == 0 else storable_size(f32(reach / end), form)


@njit(nogil=True, error_model="numpy")
def _searched(values: Any, start: Any, count: Any, reach: Any, task: Any, grid: Any, room: Any) -> Any:
    """The scale with the least error."""
    if reach == 0:
        return task.zero_scale if task.zero_scale == 0 else storable(task.zero_scale, task.form)
    return direct_scale(values, start, count, reach, task, grid, room)


@njit(nogil=True, error_model="numpy", forceinline=True)
def _owner_scale(values: Any, start: Any, count: Any, reach: Any, task: Any) -> Any:
    if reach == 0:
        return task.zero_scale
    if task.owner_end == 0:
        return storable(f32(float_of(word_of(reach) & u32(0x7F800000)) / task.octave), task.form)
    if task.owner_end < 0 and first_extreme_is_negative(values, start, count, reach):
        reach = -reach
    return storable(f32(reach / task.owner_end), task.form)


@njit(nogil=True, error_model="numpy", forceinline=True)
def _power_scales(
    values: Any, start: Any, blocks: Any, stride: Any, task: Any, grid: Any, scales: Any, block: Any
) -> None:
    """Powers of two in place of reaches; few blocks have anything to compare."""
    zero = task.zero_scale if task.zero_scale == 0 else storable(task.zero_scale, task.form)
    for index in range(blocks):
        reach = scales[block + index]
        low = low_power(reach, task)
        if reach == 0:
            low = zero
        elif reach > f32(low * task.middle):
            low = power_scale(values, start + index * stride, stride, reach, low, task.form, grid)
        scales[block + index] = low

"""One pass over a stretch of rows of affine integers: ends, scale and offset, codes and their packing, tile by tile."""

# mypy: disable-error-code="untyped-decorator"
# ruff: noqa: ARG001 - the mark of the sources is there for its type

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from app.schemes.kernels.affine_blocks import encode_block, ends_of
from app.schemes.kernels.affine_lanes import LONGEST, NARROW, WIDE, LaneRoom, search_lanes
from app.schemes.kernels.affine_rounding import ZERO_POINT, Pair, PairFormat, between
from app.schemes.kernels.affine_search import searched
from app.schemes.kernels.affine_tables import PAIRS, PairTable
from app.schemes.kernels.affine_vectors import put_floats
from app.schemes.kernels.packing import pack_stretch
from app.schemes.kernels.vectors import LANES, load_floats

f32, u32 = np.float32, np.uint32

WORD = 0xFFFFFFFF
ABSMAX, GIVEN, SEARCH = 0, 1, 2
"""How pairs are found: the ends of the block; they are there already; by a table and least squares."""
TILE = 4096
_ROOM = 128
"""Bytes of codes beyond a tile that vectors may touch."""


class AffineTask(NamedTuple):
    """What to do with a matrix."""

    rule: np.int64
    columns: np.int64
    size: np.int64
    """Of a block, in elements of a row."""
    row_bytes: np.int64
    bits: np.int64
    form: PairFormat
    table: PairTable
    masks: np.int64
    """The address of sixteen ones and then sixteen zeros, float32."""
    starts: np.int64
    rounds: np.int64
    is_thorough: np.int64
    """Whether least squares goes on from every start, not only the most promising; in lanes."""


@njit(nogil=True, cache=True, error_model="numpy")
def quantize_affine(
    values: Any, first_row: Any, end_row: Any, task: Any, scales: Any, offsets: Any, packed: Any, sources: Any
) -> Any:
    """Rows from the first to before the end; gives the largest word of a magnitude, and in higher bits the open blocks.

    `values` and `packed` are flat; scales and offsets are float32 in the order of blocks. An open block, which the
    search does not settle, has the scale 0.
    """
    size, columns = task.size, task.columns
    stride = (size + LANES - 1) // LANES * LANES
    blocks_of_row = (columns + size - 1) // size
    tile = max(TILE // stride, 1)
    if size % LANES or (tile < blocks_of_row and tile * size * task.bits % 8):
        tile = blocks_of_row
    room = tile * stride
    staged, codes = np.empty(room, f32), np.empty(room + _ROOM, np.uint8)
    places, worked = np.empty(max(stride + 4, LANES * min(size, LONGEST)), np.uint16), np.empty(_work_room(size), f32)
    worst, open_blocks = u32(0), 0
    for row in range(first_row, end_row):
        for first in range(0, blocks_of_row, tile):
            blocks = min(tile, blocks_of_row - first)
            start, block = row * columns + first * size, row * blocks_of_row + first
            count = min(blocks * size, columns - first * size)
            source, here = np.int64(values.ctypes.data), start
            if count != blocks * stride:
                _stage(values, start, count, size, staged, stride, blocks)
                source, here = np.int64(staged.ctypes.data), 0
            memory = np.int64(codes.ctypes.data), np.int64(places.ctypes.data), np.int64(worked.ctypes.data)
            found, unsettled = _tile(source, here, count, stride, task, scales, offsets, block, memory)
            worst, open_blocks = max(worst, found), open_blocks + unsettled
            place = row * task.row_bytes + first * size * task.bits // 8
            pack_stretch(codes, count, task.bits, np.int64(0), packed, place)
        used = (columns * task.bits + 7) // 8
        packed[row * task.row_bytes + used : (row + 1) * task.row_bytes] = 0
    # they are not given back before: addresses keep nothing alive
    staged[0], places[0], codes[0], worked[0] = 0, 0, 0, 0
    return np.int64(worst) + (np.int64(open_blocks) << 32)


@njit(nogil=True, error_model="numpy")
def _stage(values: Any, start: Any, count: Any, size: Any, staged: Any, stride: Any, blocks: Any) -> None:
    """Blocks that are not full, filled up with their first number."""
    for block in range(blocks):
        here, first = min(size, count - block * size), start + block * size
        for i in range(stride):
            staged[block * stride + i] = values[first + i] if i < here else values[first]


@njit(nogil=True, error_model="numpy", forceinline=True)
def _pair(values: Any, start: Any, count: Any, ends: Any, places: Any, task: Any) -> Any:
    """The pair of a block by the rule."""
    form, low, high = task.form, ends.low, ends.high
    if form.kind == ZERO_POINT:
        low, high = min(low, f32(0)), max(high, f32(0))
    plain, width = between(np.float64(low), np.float64(high), form), f32(high - low)
    if task.rule == ABSMAX or ends.worst > u32(0x7F7FFFFF):
        return plain
    if width == 0 and (form.kind == ZERO_POINT or plain.offset == low):
        return plain
    if not NARROW < width < WIDE:
        return Pair(form.kind, f32(0), plain.offset)
    return searched(values, start, count, low, high, places, task)


@njit(nogil=True, error_model="numpy", forceinline=True)
def _work_room(size: Any) -> Any:
    """float32 for the search in lanes, and for blocks that fill up the last sixteen."""
    return LANES * (2 * min(size, LONGEST) + 2 * PAIRS + 5)


@njit(nogil=True, error_model="numpy")
def _in_lanes(
    values: Any, start: Any, blocks: Any, task: Any, scales: Any, offsets: Any, block: Any, places: Any, worked: Any
) -> Any:
    """Pairs of blocks that lie one after another, sixteen at a time: (largest word, open blocks)."""
    size, worst, unsettled = task.size, u32(0), 0
    sums = worked + 4 * LANES * 2 * size
    room = LaneRoom(worked, sums, sums + 4 * LANES * 2 * PAIRS, places)
    spare = worked + 4 * LANES * size
    for first in range(0, blocks, LANES):
        here, source, count = start + first * size, values, min(LANES, blocks - first)
        if count < LANES:
            for place in range(0, LANES * size, LANES):
                put_floats(spare, place, load_floats(values, here + place % (count * size)))
            here, source = 0, spare
        found, is_open = search_lanes(source, here, count, task, scales, offsets, block + first, room)
        worst, unsettled = max(worst, found), unsettled + is_open
    return worst, unsettled


@njit(nogil=True, error_model="numpy")
def _tile(
    values: Any,
    start: Any,
    count: Any,
    stride: Any,
    task: Any,
    scales: Any,
    offsets: Any,
    block: Any,
    memory: Any,
) -> Any:
    """Pairs and codes of the blocks of a tile; numbers, codes and places are addresses."""
    codes, places, worked = memory
    worst, unsettled, size, done = u32(0), 0, task.size, 0
    if task.rule == SEARCH and size % LANES == 0 and size <= LONGEST:
        done = count // size
        worst, unsettled = _in_lanes(values, start, done, task, scales, offsets, block, places, worked)
    for index in range((count + size - 1) // size):
        here, valid = start + index * stride, min(size, count - index * size)
        full = (valid + LANES - 1) // LANES * LANES
        if task.rule != GIVEN and index >= done:
            ends = ends_of(values, here, full)
            worst = max(worst, ends.worst)
            pair = _pair(values, here, valid, ends, places, task)
            scales[block + index], offsets[block + index] = pair.scale, pair.offset
            unsettled += pair.scale == 0
        pair = Pair(task.form.kind, scales[block + index], offsets[block + index])
        encode_block(values, here, full, pair, task.form.last, codes, index * size)
    return worst, unsettled

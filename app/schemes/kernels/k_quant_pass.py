"""One pass over a stretch of super-blocks: scales, codes and bytes, sixteen sub-blocks at a time."""

# ruff: noqa: ARG001 - the mark of the sources is there for its type

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from app.schemes.k_quants_layout import BLOCK
from app.schemes.kernels.k_quant_affine import find_affine
from app.schemes.kernels.k_quant_lanes import inlined, load_blocks, scale_by_unit
from app.schemes.kernels.k_quant_packing import encode, pack_affine, pack_symmetric
from app.schemes.kernels.k_quant_symmetric import find_symmetric
from app.schemes.kernels.k_quant_vectors import LANES, splat, store, where_less

f32 = np.float32
_ROWS_OF_A_START = 4


class AffineTask(NamedTuple):
    """What the affine search tries, see `AffineSearch`; numbers are float32."""

    kind: int
    block_bytes: int
    per_block: int
    is_searched: int
    rounds: int
    span: int
    top: Any
    limit: Any
    levels: Any
    """Lowest and highest of codes."""
    thresholds: Any
    """None."""
    starts: Any
    trials: Any


class SymmetricTask(NamedTuple):
    """What the symmetric search tries, see `SymmetricSearch`; numbers are float32."""

    kind: int
    block_bytes: int
    per_block: int
    is_searched: int
    rounds: int
    span: int
    signs: int
    """2 where both signs are tried."""
    lowest: Any
    highest: Any
    levels: Any
    """Lowest and highest of whole levels; all of others."""
    thresholds: Any
    """Between levels that are not whole."""
    starts: Any
    trials: Any


@inlined
def _kept(lanes: Any, largest: Any, target: Any) -> None:
    """Into the target; zero in super-blocks of zeros."""
    zero = splat(f32(0))
    store(target, 0, where_less(zero, largest, lanes, zero))


@inlined
def _count(starts: Any, per_block: int) -> int:
    """How many super-blocks a group has."""
    return 1 if per_block == LANES or starts[1] == starts[0] else 2


@inlined
def _copy(source: Any, target: Any, start: int, count: int) -> None:
    for i in range(count):
        target[start + i] = source[i]


@inlined
def _room(task: Any) -> Any:
    rows = LANES * (_ROWS_OF_A_START * task.starts.shape[0] + 1)
    return np.empty(2 * BLOCK, f32), np.empty(rows, f32)


@inlined
def _starts_of(block: int, last: int, starts: Any) -> None:
    """Where the super-blocks of a group begin; the last one twice, where there is no other."""
    starts[0] = block * BLOCK
    starts[1] = min(block + 1, last - 1) * BLOCK


@inlined
def _weights(importance: Any, starts: Any, per_block: int, target: Any, room: Any, columns: Any) -> None:
    """The weights of the columns that a group lies in, if there are any."""
    if target.size:
        for place in range(2):
            columns[place] = starts[place] % importance.size
        load_blocks(importance, columns, per_block, target, room)


@njit(nogil=True, cache=True, error_model="numpy")
def quantize_affine(values: Any, importance: Any, first: int, last: int, task: Any, out: Any, sources: Any) -> Any:
    """Super-blocks from the first to the last into their bytes; whether all numbers are finite.

    `importance` has a weight for each column, or none.
    """
    per_block = task.per_block
    size = BLOCK // per_block
    group = LANES // per_block
    room, quadratics = _room(task)
    words, packed_words = np.empty(BLOCK // 8, np.uint64), np.empty(BLOCK // 8, np.uint64)
    codes, packed = words.view(np.uint8), packed_words.view(np.uint8)
    lanes = np.empty(size * LANES, f32)
    weights = np.empty(size * LANES if importance.size else 0, f32)
    found = np.empty(LANES, f32), np.empty(LANES, f32), np.empty(LANES, f32), np.empty(LANES, f32)
    starts, columns = np.empty(2, np.int64), np.empty(2, np.int64)
    check = splat(f32(0))
    for block in range(first, last, group):
        _starts_of(block, last, starts)
        load_blocks(values, starts, per_block, lanes, room)
        _weights(importance, starts, per_block, weights, room, columns)
        unit, largest, wrong = scale_by_unit(lanes, size, per_block)
        check = check + wrong
        d, dmin, scales, minima = find_affine(lanes, weights, size, per_block, unit, task.is_searched, task, quadratics)
        _kept(d * unit, largest, found[0])
        _kept(dmin * unit, largest, found[1])
        _kept(scales, largest, found[2])
        _kept(minima, largest, found[3])
        for place in range(_count(starts, per_block)):
            encode(values, starts[place], size, found, place * per_block, task, codes)
            pack_affine(task.kind, words, found, place * per_block, packed_words, packed)
            _copy(packed, out, (block + place) * task.block_bytes, task.block_bytes)
    store(room, 0, check)
    return room[:LANES].sum() == f32(0)


@njit(nogil=True, cache=True, error_model="numpy")
def quantize_symmetric(values: Any, importance: Any, first: int, last: int, task: Any, out: Any, sources: Any) -> Any:
    """As `quantize_affine`, for scales without minima."""
    per_block = task.per_block
    size = BLOCK // per_block
    group = LANES // per_block
    room, quadratics = _room(task)
    words, packed_words = np.empty(BLOCK // 8, np.uint64), np.empty(BLOCK // 8, np.uint64)
    codes, packed = words.view(np.uint8), packed_words.view(np.uint8)
    lanes = np.empty(size * LANES, f32)
    weights = np.empty(size * LANES if importance.size else 0, f32)
    zeros = np.zeros(LANES, f32)
    found = np.empty(LANES, f32), zeros, np.empty(LANES, f32), zeros
    starts, columns = np.empty(2, np.int64), np.empty(2, np.int64)
    check = splat(f32(0))
    for block in range(first, last, group):
        _starts_of(block, last, starts)
        load_blocks(values, starts, per_block, lanes, room)
        _weights(importance, starts, per_block, weights, room, columns)
        unit, largest, wrong = scale_by_unit(lanes, size, per_block)
        check = check + wrong
        d, scales = find_symmetric(lanes, weights, size, per_block, unit, task.is_searched, task, quadratics)
        _kept(d * unit, largest, found[0])
        _kept(scales, largest, found[2])
        for place in range(_count(starts, per_block)):
            encode(values, starts[place], size, found, place * per_block, task, codes)
            pack_symmetric(task.kind, words, found, place * per_block, packed_words, packed)
            _copy(packed, out, (block + place) * task.block_bytes, task.block_bytes)
    store(room, 0, check)
    return room[:LANES].sum() == f32(0)

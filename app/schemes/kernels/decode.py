"""Codes and scales back to numbers, a tile that fits the nearest cache at a time, or to the sums of their errors."""

# mypy: disable-error-code="untyped-decorator"
# ruff: noqa: ARG001 - the mark of the sources is there for its type

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from app.metrics.kernels.pair_sums import add_pairs, note_peak
from app.schemes.kernels.unpacking import unpack_stretch
from app.schemes.kernels.vectors import (
    LANES,
    float_at,
    load_bytes,
    load_floats,
    pick,
    spread,
    spread_word,
    store,
    to_floats,
)

f32, u32 = np.float32, np.uint32

NONE, MINIMUM, ZERO_POINT = 0, 1, 2
"""What is added: nothing; a minimum, to level * scale; a zero point's negative, to the level."""
TILE = 2048
ROOM = TILE + 64
_FEW_BITS = 4


class LevelTable(NamedTuple):
    """What codes stand for."""

    address: np.int64
    """Of float32, one for every code of so many bits; sixteen at least."""
    bits: np.int64
    is_linear: np.int64
    """Whether a level is the code, after `flip`, and `first`."""
    flip: np.uint32
    first: np.float32


class DecodeTask(NamedTuple):
    """How a matrix of codes lies in its bytes, and which scale belongs to which."""

    columns: np.int64
    row_bytes: np.int64
    bits: np.int64
    high_first: np.int64
    size: np.int64
    """Neighbours within a row that share a scale, and ..."""
    down: np.int64
    """... how many rows do."""
    across: np.int64
    """Scales beside each other."""
    kind: np.int64
    """Of offsets."""
    levels: LevelTable


@njit(nogil=True, error_model="numpy", forceinline=True)
def spread_levels(
    codes: Any, place: Any, count: Any, levels: Any, scale: Any, offset: Any, kind: Any, out: Any, start: Any
) -> None:
    """`count` numbers of one block from `start` on: level * scale, that + offset, or (level - offset) * scale."""
    if kind == NONE:
        _scaled(codes, place, count, levels, scale, out, start)
    else:
        _shifted(codes, place, count, levels, scale, offset, kind, out, start)


@njit(nogil=True, error_model="numpy", forceinline=True)
def _scaled(codes: Any, place: Any, count: Any, levels: Any, scale: Any, out: Any, start: Any) -> None:
    whole, by = count // LANES * LANES, spread(scale)
    if levels.is_linear:
        first, flip = spread(levels.first), spread_word(levels.flip)
        for i in range(0, whole, LANES):
            store(out, start + i, (to_floats(load_bytes(codes, place + i) ^ flip) + first) * by)
    elif levels.bits <= _FEW_BITS:
        table = load_floats(levels.address, 0)
        for i in range(0, whole, LANES):
            store(out, start + i, pick(table, load_bytes(codes, place + i)) * by)
    else:
        whole = 0
    for i in range(whole, count):
        out[start + i] = float_at(levels.address, np.int64(codes[place + i])) * scale


@njit(nogil=True, error_model="numpy", forceinline=True)
def _shifted(
    codes: Any, place: Any, count: Any, levels: Any, scale: Any, offset: Any, kind: Any, out: Any, start: Any
) -> None:
    """Of whole numbers as they are, from 0 on."""
    whole, by, other = count // LANES * LANES, spread(scale), spread(offset)
    if kind == MINIMUM:
        for i in range(0, whole, LANES):
            store(out, start + i, to_floats(load_bytes(codes, place + i)) * by + other)
    else:
        for i in range(0, whole, LANES):
            store(out, start + i, (to_floats(load_bytes(codes, place + i)) - other) * by)
    for i in range(whole, count):
        level = f32(codes[place + i])
        out[start + i] = f32(f32(level * scale) + offset) if kind == MINIMUM else f32(f32(level - offset) * scale)


@njit(nogil=True, error_model="numpy", forceinline=True)
def measure(values: Any, start: Any, restored: Any, count: Any, row: Any, sums: Any, peak: Any) -> None:
    """Adds a tile of values to a row of sums."""
    largest = add_pairs(values, start, restored, 0, count, sums, row)
    note_peak(values, start, restored, 0, count, largest, start, peak)


@njit(nogil=True, cache=True, error_model="numpy")
def decode_rows(
    packed: Any,
    first_row: Any,
    end_row: Any,
    task: Any,
    scales: Any,
    offsets: Any,
    out: Any,
    values: Any,
    block: Any,
    sums: Any,
    peak: Any,
    sources: Any,
) -> None:
    """Rows from the first to before the end, all arrays flat; scales and offsets are float32 in the order of blocks.

    Into `out`, or where there are `values` to compare with: into `sums`, a row for every `block` numbers.
    """
    codes, restored = np.empty(ROOM, np.uint8), np.empty(ROOM if values.size else 0, f32)
    for row in range(first_row, end_row):
        base = row // task.down * task.across
        for first in range(0, task.columns, TILE):
            count = min(TILE, task.columns - first)
            place = row * task.row_bytes + first * task.bits // 8
            unpack_stretch(packed, place, count, task.bits, task.high_first, codes)
            start = row * task.columns + first
            target, there = (restored, 0) if values.size else (out, start)
            done, index = 0, first // task.size
            while done < count:
                here = min((index + 1) * task.size - first, count) - done
                scale = scales[base + index]
                offset = offsets[base + index] if task.kind != NONE else f32(0)
                spread_levels(codes, done, here, task.levels, scale, offset, task.kind, target, there + done)
                done, index = done + here, index + 1
            if values.size:
                measure(values, start, restored, count, start // block, sums, peak)

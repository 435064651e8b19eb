"""GGUF's blocks back to numbers: scales and minima from their bytes, codes one byte each, a few blocks at a time."""

# mypy: disable-error-code="untyped-decorator"
# ruff: noqa: ARG001 - the mark of the sources is there for its type

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from app.schemes.kernels.block_layouts import BYTES, CRUMBS, FIFTHS, HALVES, SHORT_HALVES
from app.schemes.kernels.decode import ROOM, TILE, LevelTable, measure, spread_levels
from app.schemes.kernels.unpacking import add_fifths, add_planes, unpack_trits
from app.schemes.kernels.vectors import float_of, load_long, store_long

f32, u8, u16, u32 = np.float32, np.uint8, np.uint16, np.uint32

TRITS = 6
"""Beside the kinds of `block_layouts`: digits of base 3. Super-blocks have ggml's numbers of types."""
Q2, Q3, Q4, Q5, Q6, IQ4 = 10, 11, 12, 13, 14, 23
_SUPER = 256
_BEYOND = 0xFF
"""Of E8M0: 2^128."""
_ABSENT = 0x7F
"""Of E4M3 without a sign: zero."""


class BlocksTask(NamedTuple):
    """Where things lie in a block."""

    kind: np.int64
    bytes: np.int64
    elements: np.int64
    group: np.int64
    scale_place: np.int64
    minimum_place: np.int64
    """Less than 0: none."""
    code_place: np.int64
    exponent_bits: np.int64
    """5 for float16, 4 for E4M3 without a sign, 8 for E8M0."""
    unit: np.float32
    """What scales are multiplied by."""
    offset_kind: np.int64
    levels: LevelTable


@njit(nogil=True, error_model="numpy")
def half_at(packed: Any, place: Any) -> Any:
    """A float16 as float32."""
    half = u32(packed[place]) | (u32(packed[place + 1]) << u32(8))
    size = f32(float_of((half & u32(0x7FFF)) << u32(13)) * f32(2.0**112))
    if half & u32(0x7C00) == u32(0x7C00):
        size = float_of(u32(0x7F800000) | ((half & u32(0x3FF)) << u32(13)))
    return -size if half & u32(0x8000) else size


@njit(nogil=True, error_model="numpy")
def _scale_at(packed: Any, place: Any, group: Any, task: Any) -> Any:
    """What levels of a group are multiplied by, and 2 where that is 2^127 in place of 2^128."""
    if task.exponent_bits == 5:
        return half_at(packed, place), f32(1)
    code = packed[place + group]
    if task.exponent_bits == 8:
        scale = float_of(u32(1 << 22) if code == 0 else u32(min(code, _BEYOND - 1)) << u32(23))
        return scale, f32(2 if code == _BEYOND else 1)
    exponent, mantissa = np.int64(code & u8(0x7F)) >> 3, np.int64(code) & 7
    size = f32(mantissa + 8 * (exponent > 0)) * float_of(u32(117 + exponent + (exponent == 0)) << u32(23))
    return f32((f32(0) if code == _ABSENT else size) * task.unit), f32(1)


@njit(nogil=True, error_model="numpy")
def _unpack(packed: Any, place: Any, task: Any, codes: Any, start: Any) -> None:
    """The codes of one block."""
    there, count = place + task.code_place, task.elements
    if task.kind == BYTES:
        for i in range(0, count, 8):
            store_long(codes, start + i, load_long(packed, there + i))
    elif task.kind == HALVES:
        add_planes(packed, there, count, 4, 16, 0, codes, start)
    elif task.kind == SHORT_HALVES:
        add_planes(packed, there, count, 4, 8, 0, codes, start)
    elif task.kind == CRUMBS:
        add_planes(packed, there, count, 2, 32, 0, codes, start)
    elif task.kind == FIFTHS:
        add_planes(packed, there + 4, count, 4, 16, 0, codes, start)
        add_fifths(packed, there, codes, start)
    elif task.kind == TRITS:
        unpack_trits(packed, there, codes, start)
    else:
        _unpack_super(packed, place, task.kind, codes, start)


@njit(nogil=True, error_model="numpy")
def _unpack_super(packed: Any, place: Any, kind: Any, codes: Any, start: Any) -> None:
    """The 256 codes of a super-block: see `app.schemes.k_quants_layout`."""
    if kind == Q2:
        add_planes(packed, place + 16, _SUPER, 2, 32, 0, codes, start)
    elif kind == Q3:
        add_planes(packed, place + 32, _SUPER, 2, 32, 0, codes, start)
        add_planes(packed, place, _SUPER, 1, 32, 2, codes, start)
    elif kind == Q4:
        add_planes(packed, place + 16, _SUPER, 4, 32, 0, codes, start)
    elif kind == Q5:
        add_planes(packed, place + 48, _SUPER, 4, 32, 0, codes, start)
        add_planes(packed, place + 16, _SUPER, 1, 32, 4, codes, start)
    elif kind == Q6:
        add_planes(packed, place, _SUPER, 4, 64, 0, codes, start)
        add_planes(packed, place + 128, _SUPER, 2, 32, 4, codes, start)
    else:
        add_planes(packed, place + 8, _SUPER, 4, 16, 0, codes, start)


@njit(nogil=True, error_model="numpy")
def _super_scales(packed: Any, place: Any, kind: Any, scales: Any, minima: Any, first: Any) -> None:
    """The factors of a super-block's sub-blocks, and what is added."""
    if kind == Q2:
        d, dmin = half_at(packed, place + 80), half_at(packed, place + 82)
        for j in range(16):
            byte = packed[place + j]
            scales[first + j], minima[first + j] = d * f32(byte & u8(15)), -(dmin * f32(byte >> u8(4)))
    elif kind in {Q4, Q5}:
        d, dmin = half_at(packed, place), half_at(packed, place + 2)
        for j in range(4):
            one, two, three = packed[place + 4 + j], packed[place + 8 + j], packed[place + 12 + j]
            scales[first + j], minima[first + j] = d * f32(one & u8(63)), -(dmin * f32(two & u8(63)))
            high = (three & u8(15)) | (one >> u8(6) << u8(4)), (three >> u8(4)) | (two >> u8(6) << u8(4))
            scales[first + 4 + j], minima[first + 4 + j] = d * f32(high[0]), -(dmin * f32(high[1]))
    elif kind == Q3:
        d = half_at(packed, place + 108)
        for j in range(16):
            low = packed[place + 96 + (j & 7)] >> u8(4 * (j >> 3)) & u8(15)
            high = packed[place + 104 + (j & 3)] >> u8(2 * (j >> 2)) & u8(3)
            scales[first + j] = d * f32(np.int64(low) + 16 * np.int64(high) - 32)
    elif kind == Q6:
        d = half_at(packed, place + 208)
        for j in range(16):
            scales[first + j] = d * f32((np.int64(packed[place + 192 + j]) ^ 128) - 128)
    else:
        d = half_at(packed, place)
        for j in range(8):
            low = packed[place + 4 + (j >> 1)] >> u8(4 * (j & 1)) & u8(15)
            high = packed[place + 2 + (j >> 2)] >> u8(2 * (j & 3)) & u8(3)
            scales[first + j] = d * f32(np.int64(low) + 16 * np.int64(high) - 32)


@njit(nogil=True, error_model="numpy")
def _twice(out: Any, start: Any, count: Any) -> None:
    for i in range(start, start + count):
        out[i] = out[i] * f32(2)


@njit(nogil=True, cache=True, error_model="numpy")
def decode_blocks(
    packed: Any, first: Any, end: Any, task: Any, out: Any, values: Any, block: Any, sums: Any, peak: Any, sources: Any
) -> None:
    """Tiles of whole blocks from the first to before the end; see `decode_rows`."""
    codes, restored = np.empty(ROOM, np.uint8), np.empty(ROOM if values.size else 0, f32)
    scales, minima, more = np.empty(TILE // 16, f32), np.zeros(TILE // 16, f32), np.ones(TILE // 16, f32)
    groups, per_tile = task.elements // task.group, TILE // task.elements
    for start_block in range(first, end, per_tile):
        blocks = min(per_tile, end - start_block)
        for index in range(blocks):
            place = (start_block + index) * task.bytes
            _unpack(packed, place, task, codes, index * task.elements)
            if task.kind >= Q2:
                _super_scales(packed, place, task.kind, scales, minima, index * groups)
                continue
            for group in range(groups):
                at = index * groups + group
                scales[at], more[at] = _scale_at(packed, place + task.scale_place, group, task)
                if task.minimum_place >= 0:
                    minima[at] = half_at(packed, place + task.minimum_place)
        start, count = start_block * task.elements, blocks * task.elements
        target, there = (restored, 0) if values.size else (out, start)
        for group in range(blocks * groups):
            here, size = group * task.group, task.group
            kind = task.offset_kind
            spread_levels(codes, here, size, task.levels, scales[group], minima[group], kind, target, there + here)
            if more[group] != f32(1):
                _twice(target, there + here, size)
        if values.size:
            measure(values, start, restored, count, start // block, sums, peak)

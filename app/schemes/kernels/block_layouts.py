"""Codes and scales of a tile into blocks that hold both, in the order of bytes of their owner."""

# mypy: disable-error-code="untyped-decorator"

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from app.schemes.kernels.vectors import load_long, store_long, word_of

f32, u8, u32, u64 = np.float32, np.uint8, np.uint32, np.uint64

NONE, BYTES, HALVES, SHORT_HALVES, FIFTHS, CRUMBS = 0, 1, 2, 3, 4, 5
"""Bytes; nibbles of elements 16 (or 8) apart in one byte; the fifth bits first, then nibbles; four of two bits."""
_LOW = u64(0x0F0F0F0F0F0F0F0F)
_ONES = u64(0x0101010101010101)
_GATHER = u64(0x0102040810204080)
"""Byte i of ones and zeros, times this, comes to bit 56 + i."""


class BlockForm(NamedTuple):
    """Where things lie in a block."""

    kind: np.int64
    bytes: np.int64
    elements: np.int64
    group: np.int64
    scale_place: np.int64
    code_place: np.int64
    exponent_bits: np.int64
    """5 for float16, 4 for E4M3 without a sign, 8 for E8M0."""


NO_BLOCKS = BlockForm(*[np.int64(0)] * 7)


@njit(nogil=True)
def write_blocks(
    codes: Any, count: Any, scales: Any, first: Any, divisor: Any, form: Any, packed: Any, place: Any
) -> None:
    """Whole blocks of `count` codes, whose scales begin at `first`, to the bytes from `place` on."""
    groups = form.elements // form.group
    for block in range(count // form.elements):
        here, start = place + block * form.bytes, block * form.elements
        for group in range(groups):
            scale = scales[first + block * groups + group]
            _write_scale(scale, divisor, form, packed, here + form.scale_place, group)
        there = here + form.code_place
        if form.kind == BYTES:
            for i in range(0, form.elements, 8):
                store_long(packed, there + i, load_long(codes, start + i))
        elif form.kind == CRUMBS:
            _write_crumbs(codes, start, form.elements, packed, there)
        else:
            if form.kind == FIFTHS:
                for i in range(4):
                    fifth = (load_long(codes, start + 8 * i) >> u64(4)) & _ONES
                    packed[there + i] = u8(u64(fifth * _GATHER) >> u64(56))
                there += 4
            _write_halves(codes, start, form.elements, 8 if form.kind == SHORT_HALVES else 16, packed, there)


@njit(nogil=True)
def _write_halves(codes: Any, start: Any, count: Any, apart: Any, packed: Any, place: Any) -> None:
    for first in range(0, count, 2 * apart):
        for i in range(first, first + apart, 8):
            low, high = load_long(codes, start + i) & _LOW, load_long(codes, start + i + apart) & _LOW
            store_long(packed, place, low | (high << u64(4)))
            place += 8


@njit(nogil=True)
def _write_crumbs(codes: Any, start: Any, count: Any, packed: Any, place: Any) -> None:
    for first in range(start, start + count, 128):
        for i in range(first, first + 32, 8):
            word = load_long(codes, i)
            for step in range(1, 4):
                word |= load_long(codes, i + 32 * step) << u64(2 * step)
            store_long(packed, place, word)
            place += 8


@njit(nogil=True)
def _write_scale(scale: Any, divisor: Any, form: Any, packed: Any, place: Any, group: Any) -> None:
    """The bits of a number that the format has, 0 for 0."""
    word = word_of(f32(scale * divisor))
    if form.exponent_bits == 8:
        packed[place + group] = u8(word >> u32(23))
        return
    mantissa_bits, bias = (10, 15) if form.exponent_bits == 5 else (3, 7)
    magnitude = word & u32(0x7FFFFFFF)
    least = u32((128 - bias) << 23)
    if magnitude >= least:
        code = (magnitude - u32((127 - bias) << 23)) >> u32(23 - mantissa_bits)
    else:
        code = u32(abs(scale * divisor) * f32(2.0) ** f32(bias - 1 + mantissa_bits))
    if form.exponent_bits == 4:
        packed[place + group] = u8(code)
    else:
        half = code | ((word >> u32(16)) & u32(0x8000))
        packed[place], packed[place + 1] = u8(half & u32(0xFF)), u8(half >> u32(8))

"""Packed codes into one byte each: streams of a few bits, planes of them, and digits of base 3."""

# mypy: disable-error-code="untyped-decorator"

from typing import Any

import numpy as np
from numba import njit

from app.schemes.kernels.vectors import (
    load_bytes,
    load_long,
    load_quads,
    spread_word,
    store_long,
    store_pairs,
    store_quads,
)

u8, u32, u64 = np.uint8, np.uint32, np.uint64
_QUADS, _SIXTEEN = 64, 16
_SPREAD, _DIAGONAL = u64(0x0101010101010101), u64(0x8040201008040201)
_SEVENS = u64(0x7F7F7F7F7F7F7F7F)


@njit(nogil=True)
def unpack_stretch(packed: Any, place: Any, count: Any, bits: Any, high_first: Any, codes: Any) -> None:
    """`count` codes of a little-endian stream that begins at a byte, to the start of `codes`.

    `codes` has room for eight more.
    """
    if bits == 8:
        _copy(packed, place, count, codes)
    elif bits == 4:
        _nibbles(packed, place, count, high_first, codes)
    else:
        _eights(packed, place, count, bits, codes)


@njit(nogil=True)
def _copy(packed: Any, place: Any, count: Any, codes: Any) -> None:
    whole = count // _QUADS * _QUADS
    for i in range(0, whole, _QUADS):
        store_quads(codes, i, load_quads(packed, place + i))
    for i in range(whole, count):
        codes[i] = packed[place + i]


@njit(nogil=True)
def _nibbles(packed: Any, place: Any, count: Any, high_first: Any, codes: Any) -> None:
    four, eight, low = spread_word(u32(4)), spread_word(u32(8)), spread_word(u32(15))
    whole = count // (2 * _SIXTEEN) * _SIXTEEN
    for i in range(0, whole, _SIXTEEN):
        word = load_bytes(packed, place + i)
        first, second = (word >> four, word & low) if high_first else (word & low, word >> four)
        store_pairs(codes, 2 * i, first | (second << eight))
    for i in range(2 * whole, count):
        byte = packed[place + (i >> 1)]
        codes[i] = byte >> u8(4) if (i & 1) != high_first else byte & u8(15)


@njit(nogil=True)
def _eights(packed: Any, place: Any, count: Any, bits: Any, codes: Any) -> None:
    """Eight codes from as many bytes as a code has bits: fours move apart, then pairs, then neighbours."""
    one, two, four = u64(8 - bits), u64(16 - 2 * bits), u64(32 - 4 * bits)
    fours, pairs = (u64(1) << u64(4 * bits)) - u64(1), ((u64(1) << u64(2 * bits)) - u64(1)) * u64(0x0000000100000001)
    ones = ((u64(1) << u64(bits)) - u64(1)) * u64(0x0001000100010001)
    for i in range(0, count, 8):
        if place + 8 <= packed.size:
            word = load_long(packed, place)
        else:
            word = u64(0)
            for byte in range(packed.size - place):
                word |= u64(packed[place + byte]) << u64(8 * byte)
        word = (word & fours) | ((word & (fours << u64(4 * bits))) << four)
        word = (word & pairs) | ((word & (pairs << u64(2 * bits))) << two)
        word = (word & ones) | ((word & (ones << u64(bits))) << one)
        store_long(codes, i, word)
        place += bits


@njit(nogil=True)
def add_planes(packed: Any, place: Any, count: Any, bits: Any, run: Any, up: Any, codes: Any, start: Any) -> None:
    """Byte j of a run holds element j of each of 8 / bits runs above each other, from its lowest bits on.

    `count` codes get them `up` bits up; `up` of 0 sets them, any other adds to what is there. Runs are whole eights.
    """
    mask = ((u64(1) << u64(bits)) - u64(1)) * _SPREAD
    planes = 8 // bits
    for first in range(0, count, planes * run):
        for i in range(0, run, 8):
            word = load_long(packed, place + i)
            for plane in range(planes):
                there = start + first + plane * run + i
                found = ((word >> u64(bits * plane)) & mask) << u64(up)
                store_long(codes, there, found if up == 0 else found | load_long(codes, there))
        place += run


@njit(nogil=True)
def add_fifths(packed: Any, place: Any, codes: Any, start: Any) -> None:
    """Bit i of a word of 32 is the fifth of element i."""
    for i in range(4):
        word = (u64(packed[place + i]) * _SPREAD) & _DIAGONAL
        fifth = ((word + _SEVENS) >> u64(3)) & u64(0x1010101010101010)
        store_long(codes, start + 8 * i, fifth | load_long(codes, start + 8 * i))


@njit(nogil=True)
def unpack_trits(packed: Any, place: Any, codes: Any, start: Any) -> None:
    """The 256 codes of TQ1_0: trit k of byte j is element j + k * bytes of its run."""
    for run in range(3):
        size = 32 if run == 0 else (16 if run == 1 else 4)
        power = 1
        for _ in range(4 if run == 2 else 5):
            for j in range(size):
                codes[start + j] = u8((((packed[place + j] * power) & 255) * 3) >> 8)
            start += size
            power *= 3
        place += size

"""Codes of one byte each into streams of fewer bits: as `app.schemes.packing` has them, up to sixty-four at a time."""

# mypy: disable-error-code="untyped-decorator"

from typing import Any

import numpy as np
from numba import njit

from app.schemes.kernels.vectors import load_long, load_quads, spread_word, store_long, store_pairs, store_quads

u8, u32, u64 = np.uint8, np.uint32, np.uint64
_QUADS = 64


@njit(nogil=True)
def pack_stretch(codes: Any, count: Any, bits: Any, high_first: Any, packed: Any, place: Any) -> None:
    """`count` codes from the start of an array to the bytes from `place` on; the last byte is filled up with zeros.

    Beyond `count` the codes' array has room for 64 more.
    """
    if bits == 8:
        _copy(codes, count, packed, place)
    elif bits == 4:
        _pack_nibbles(codes, count, high_first, packed, place)
    else:
        _pack_eights(codes, count, bits, packed, place)


@njit(nogil=True)
def _copy(codes: Any, count: Any, packed: Any, place: Any) -> None:
    whole = count // _QUADS * _QUADS
    for i in range(0, whole, _QUADS):
        store_quads(packed, place + i, load_quads(codes, i))
    for i in range(whole, count):
        packed[place + i] = codes[i]


@njit(nogil=True)
def _pack_nibbles(codes: Any, count: Any, high_first: Any, packed: Any, place: Any) -> None:
    """Four codes of a word to two bytes: c3..c2..c1..c0 is shifted onto itself by four bits."""
    four, eight, low, high = spread_word(u32(4)), spread_word(u32(8)), spread_word(u32(0xFF)), spread_word(u32(0xFF00))
    whole = count // _QUADS * _QUADS
    for i in range(0, whole, _QUADS):
        word = load_quads(codes, i)
        pair = (word << four) | (word >> eight) if high_first else word | (word >> four)
        store_pairs(packed, place + (i >> 1), (pair & low) | ((pair >> eight) & high))
    if count % 2:
        codes[count] = 0
    for i in range(whole, count, 2):
        first, second = u32(codes[i]), u32(codes[i + 1])
        packed[place + (i >> 1)] = u8(first << u32(4) | second) if high_first else u8(second << u32(4) | first)


@njit(nogil=True)
def _pack_eights(codes: Any, count: Any, bits: Any, packed: Any, place: Any) -> None:
    """Eight codes to as many bytes as a code has bits: neighbours move together, then pairs, then fours."""
    codes[count : count + 8] = 0
    one, two, four = u64(8 - bits), u64(16 - 2 * bits), u64(32 - 4 * bits)
    end = place + (count * bits + 7) // 8
    for i in range(0, count, 8):
        word = load_long(codes, i)
        word = (word & u64(0x00FF00FF00FF00FF)) | ((word & u64(0xFF00FF00FF00FF00)) >> one)
        word = (word & u64(0x0000FFFF0000FFFF)) | ((word & u64(0xFFFF0000FFFF0000)) >> two)
        word = (word & u64(0x00000000FFFFFFFF)) | ((word & u64(0xFFFFFFFF00000000)) >> four)
        if place + 8 <= end:  # what is too much is written over by what follows
            store_long(packed, place, word)
        else:
            for byte in range(min(bits, end - place)):
                packed[place + byte] = u8(word >> u64(8 * byte))
        place += bits

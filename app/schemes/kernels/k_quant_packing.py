"""Codes of a super-block from its scales, and its bytes as `app.schemes.k_quants_layout` has them.

Eight codes lie in a word of 64 bits, the first in the lowest byte, and are moved together.
"""

from typing import Any

import numpy as np

from app.schemes.k_quants_layout import BLOCK
from app.schemes.kernels.k_quant_lanes import half_bits, inlined
from app.schemes.kernels.k_quant_vectors import LANES, greater, lesser, load, rounded, splat, store_bytes, where_less

f32, u8, u64 = np.float32, np.uint8, np.uint64
Q2, Q3, Q4, Q5, Q6, IQ4 = 10, 11, 12, 13, 14, 23
"""ggml's numbers of types."""
_ONES, _CRUMBS, _NIBBLES = u64(0x0101010101010101), u64(0x0303030303030303), u64(0x0F0F0F0F0F0F0F0F)


@inlined
def encode(values: Any, start: int, size: int, found: Any, first: int, task: Any, codes: Any) -> None:
    """Codes in the order of values: of the level nearest to (value + dmin * minimum) / (d * scale).

    `found` has d, dmin, scales and minima of sub-blocks from `first` on.
    """
    d, dmin, scales, minima = found
    low, high = splat(task.levels[0]), splat(task.levels[1])
    for j in range(BLOCK // size):
        factor = f32(d[first] * scales[first + j])
        inverse = splat(f32(0) if factor == f32(0) else f32(f32(1) / factor))
        offset = splat(f32(dmin[first] * minima[first + j]))
        for i in range(j * size, (j + 1) * size, LANES):
            scaled = (load(values, start + i) + offset) * inverse
            if task.thresholds.size == 0:
                store_bytes(codes, i, greater(lesser(rounded(scaled), high), low) - low)
            else:
                code = splat(f32(0))
                for k in range(15):
                    code = where_less(splat(task.thresholds[k]), scaled, splat(f32(k + 1)), code)
                store_bytes(codes, i, code)


@inlined
def _nibbles(codes: Any, block: Any, place: int, words: int) -> None:
    """Runs of so many words of codes above each other, two by two: their lowest four bits."""
    for i in range(16):
        at = i // words * 2 * words + i % words
        block[place + i] = (codes[at] & _NIBBLES) | (codes[at + words] & _NIBBLES) << u64(4)


@inlined
def _crumbs(codes: Any, shift: Any, block: Any, place: int) -> None:
    """Runs of 32 codes above each other, four by four: two bits from `shift` on."""
    for i in range(8):
        at = i // 4 * 16 + i % 4
        found = codes[at] >> shift & _CRUMBS
        found |= (codes[at + 4] >> shift & _CRUMBS) << u64(2)
        found |= (codes[at + 8] >> shift & _CRUMBS) << u64(4)
        block[place + i] = found | (codes[at + 12] >> shift & _CRUMBS) << u64(6)


@inlined
def _bits(codes: Any, shift: Any, block: Any, place: int) -> None:
    """Eight runs of 32 codes above each other: one bit."""
    for i in range(4):
        found = u64(0)
        for run in range(8):
            found |= (codes[i + 4 * run] >> shift & _ONES) << u64(run)
        block[place + i] = found


@inlined
def _halves(block: Any, place: int, value: Any) -> None:
    bits = half_bits(value)
    block[place], block[place + 1] = u8(bits & 255), u8(bits >> 8)


@inlined
def _six_bits(block: Any, place: int, scales: Any, minima: Any, first: int) -> None:
    """Q4_K's and Q5_K's 12 bytes."""
    for j in range(4):
        scale, more = int(scales[first + j]), int(scales[first + 4 + j])
        minimum, most = int(minima[first + j]), int(minima[first + 4 + j])
        block[place + j] = u8(scale | more >> 4 << 6)
        block[place + 4 + j] = u8(minimum | most >> 4 << 6)
        block[place + 8 + j] = u8(more & 15 | (most & 15) << 4)


@inlined
def pack_affine(kind: int, codes: Any, found: Any, first: int, words: Any, block: Any) -> None:
    """Codes, eight in a word, scales and minima into the bytes of `block`, which are those of `words`."""
    d, dmin, scales, minima = found
    if kind == Q2:
        for j in range(16):
            block[j] = u8(int(scales[first + j]) | int(minima[first + j]) << 4)
        _crumbs(codes, u64(0), words, 2)
        _halves(block, 80, d[first])
        _halves(block, 82, dmin[first])
        return
    _halves(block, 0, d[first])
    _halves(block, 2, dmin[first])
    _six_bits(block, 4, scales, minima, first)
    if kind == Q4:
        _nibbles(codes, words, 2, 4)
    else:
        _bits(codes, u64(4), words, 2)
        _nibbles(codes, words, 6, 4)


@inlined
def pack_symmetric(kind: int, codes: Any, found: Any, first: int, words: Any, block: Any) -> None:
    """As `pack_affine`, for types without minima."""
    d, _, scales, _ = found
    if kind == Q6:
        _nibbles(codes, words, 0, 8)
        _crumbs(codes, u64(4), words, 16)
        for j in range(16):
            block[192 + j] = u8(int(scales[first + j]) & 255)
        _halves(block, 208, d[first])
    elif kind == Q3:
        _bits(codes, u64(2), words, 0)
        _crumbs(codes, u64(0), words, 4)
        for j in range(8):
            low, high = int(scales[first + j]) + 32, int(scales[first + 8 + j]) + 32
            block[96 + j] = u8(low & 15 | (high & 15) << 4)
        for j in range(4):
            high = 0
            for k in range(4):
                high |= (int(scales[first + 4 * k + j]) + 32) >> 4 << 2 * k
            block[104 + j] = u8(high)
        _halves(block, 108, d[first])
    else:
        _halves(block, 0, d[first])
        high = 0
        for j in range(8):
            high |= (int(scales[first + j]) + 32) >> 4 << 2 * j
        block[2], block[3] = u8(high & 255), u8(high >> 8)
        for j in range(4):
            low = (int(scales[first + 2 * j]) + 32) & 15
            block[4 + j] = u8(low | ((int(scales[first + 2 * j + 1]) + 32) & 15) << 4)
        _nibbles(codes, words, 1, 2)

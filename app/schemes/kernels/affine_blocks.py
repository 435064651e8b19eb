"""Blocks of affine integers: their ends, their codes, and the sums that an error and a line of least squares need.

Sums are of places: a number less `base`, times `norm`, so that none is too small or too large for a float32.
"""

# mypy: disable-error-code="untyped-decorator"

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from app.schemes.kernels.affine_rounding import MINIMUM, Pair
from app.schemes.kernels.affine_vectors import put_bytes
from app.schemes.kernels.vectors import (
    LANES,
    bits_of,
    choose_word,
    float_of,
    larger,
    larger_word,
    largest_word,
    load_floats,
    smaller,
    spread,
    spread_word,
    total,
)

f32, u32 = np.float32, np.uint32
_MAGIC = f32(12582912.0)
"""1.5 * 2^23: adding it rounds to a whole number, half to even, in the lowest bits of the word."""
_MAGNITUDE, _TOP, _ALL = u32(0x7FFFFFFF), u32(0x80000000), u32(0xFFFFFFFF)


class Ends(NamedTuple):
    """Of a block."""

    low: np.float32
    high: np.float32
    worst: np.uint32
    """The largest word of a magnitude."""


class Sums(NamedTuple):
    """Of the elements of a block: codes q and places d, and the squared error."""

    codes: np.float64
    squares: np.float64
    places: np.float64
    products: np.float64
    error: np.float64


@njit(nogil=True, error_model="numpy", forceinline=True)
def ends_of(values: Any, start: Any, count: Any) -> Any:
    """Of whole vectors."""
    first = load_floats(values, start)
    low, high, worst, mask = first, first, spread_word(u32(0)), spread_word(_MAGNITUDE)
    for i in range(start, start + count, LANES):
        here = load_floats(values, i)
        low, high = smaller(here, low), larger(here, high)
        worst = larger_word(worst, bits_of(here) & mask)
    least = float_of(_word_of_key(u32(_ALL - largest_word(spread_word(_ALL) - _keys(low)))))
    return Ends(least, float_of(_word_of_key(largest_word(_keys(high)))), largest_word(worst))


@njit(nogil=True, error_model="numpy", forceinline=True)
def _keys(numbers: Any) -> Any:
    """Words without sign in the order of the floats."""
    words = bits_of(numbers)
    return choose_word(words, spread_word(_ALL) - words, words + spread_word(_TOP))


@njit(nogil=True, error_model="numpy", forceinline=True)
def _word_of_key(key: Any) -> Any:
    return u32(key - _TOP) if key >= _TOP else u32(_ALL - key)


@njit(nogil=True, error_model="numpy", forceinline=True)
def encode_block(values: Any, start: Any, count: Any, pair: Pair, last: Any, codes: Any, place: Any) -> None:
    """A byte for each number, by the normative arithmetic of `app.schemes.affine_pairs`."""
    inverse, shift, magic = spread(f32(f32(1) / pair.scale)), place - start, spread(_MAGIC)
    if pair.kind == MINIMUM:
        minimum, least, most = spread(pair.offset), spread(f32(0)), spread(last)
        for i in range(start, start + count, LANES):
            scaled = (load_floats(values, i) - minimum) * inverse
            put_bytes(codes, i + shift, bits_of(smaller(larger(scaled, least), most) + magic))
    else:
        least, most = spread(f32(-pair.offset)), spread(f32(last - pair.offset))
        zero = spread_word(u32(np.int64(pair.offset)))
        for i in range(start, start + count, LANES):
            scaled = load_floats(values, i) * inverse
            put_bytes(codes, i + shift, bits_of(smaller(larger(scaled, least), most) + magic) + zero)


@njit(nogil=True, error_model="numpy", forceinline=True)
def sums_of(values: Any, start: Any, count: Any, pair: Pair, last: Any, base: Any, norm: Any, masks: Any) -> Any:
    """Of the codes that a pair gives; `masks` is the address of sixteen ones and then sixteen zeros."""
    is_minimum = pair.kind == MINIMUM
    inverse, magic, scale = spread(f32(f32(1) / pair.scale)), spread(_MAGIC), spread(pair.scale)
    before = spread(pair.offset if is_minimum else f32(0))
    zero = spread(f32(0) if is_minimum else pair.offset)
    least, most = spread(f32(0)) - zero, spread(last) - zero
    from_base, by = spread(base), spread(norm)
    codes, squares, places, products, errors = (
        spread(f32(0)),
        spread(f32(0)),
        spread(f32(0)),
        spread(f32(0)),
        spread(f32(0)),
    )
    whole = start + count // LANES * LANES
    for i in range(start, whole, LANES):
        here = load_floats(values, i)
        scaled = smaller(larger((here - before) * inverse, least), most)
        level = (scaled + magic) - magic
        error = (here - (level * scale + before)) * by
        place, code = (here - from_base) * by, level + zero
        codes, squares, places = codes + code, squares + code * code, places + place
        products, errors = products + code * place, errors + error * error
    if whole < start + count:
        mask = load_floats(masks, LANES - (start + count - whole))
        here = load_floats(values, whole)
        scaled = smaller(larger((here - before) * inverse, least), most)
        level = (scaled + magic) - magic
        error = (here - (level * scale + before)) * by * mask
        place, code = (here - from_base) * by * mask, (level + zero) * mask
        codes, squares, places = codes + code, squares + code * code, places + place
        products, errors = products + code * place, errors + error * error
    return Sums(
        np.float64(total(codes)),
        np.float64(total(squares)),
        np.float64(total(places)),
        np.float64(total(products)),
        np.float64(total(errors)),
    )

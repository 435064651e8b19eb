"""Pairs of sixteen blocks at once, one in each lane: `affine_rounding` in float32, and the sums of a pass."""

# mypy: disable-error-code="untyped-decorator"

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from app.schemes.kernels.affine_rounding import MINIMUM, PairFormat
from app.schemes.kernels.affine_vectors import fused, magnitude, rounded
from app.schemes.kernels.sizes import SizeFormat
from app.schemes.kernels.vectors import (
    LANES,
    above,
    bits_of,
    choose,
    floats_of,
    larger,
    load_floats,
    smaller,
    spread,
    spread_word,
)

f32 = np.float32


class Lanes(NamedTuple):
    """Sixteen blocks: `places` are (number - base) / unit, element i of block j at 16 * i + j."""

    places: Any
    """Their address."""
    size: Any
    """Elements of a block."""
    base: Any
    unit: Any
    """A power of two."""
    total: Any
    """Of places."""


@njit(nogil=True, error_model="numpy", forceinline=True)
def _nearest_sizes(numbers: Any, form: SizeFormat) -> Any:
    """`nearest_size` of numbers that are not negative; a size of a smallest 0 may be 0."""
    size = smaller(larger(numbers * spread(form.divisor), spread(form.smallest)), spread(form.largest))
    word, drop = bits_of(size), spread_word(form.drop)
    word = (word + spread_word(form.add) + ((word >> drop) & spread_word(form.odd))) & spread_word(form.keep)
    magic = spread(form.magic)
    small = (size + magic) - magic
    near = choose(above(spread(form.least_normal), size), small, floats_of(word))
    return smaller(near, spread(form.largest))


@njit(nogil=True, error_model="numpy", forceinline=True)
def _scales(numbers: Any, form: PairFormat) -> Any:
    return _nearest_sizes(choose(above(numbers, spread(f32(0))), numbers, spread(f32(1))), form.scale)


@njit(nogil=True, error_model="numpy", forceinline=True)
def _minima(numbers: Any, form: PairFormat) -> Any:
    zero, size = spread(f32(0)), _nearest_sizes(magnitude(numbers), form.offset)
    return choose(above(zero, numbers), zero - size, size)


@njit(nogil=True, error_model="numpy", forceinline=True)
def _zeros(numbers: Any, form: PairFormat) -> Any:
    return larger(smaller(rounded(numbers), spread(form.last)), spread(f32(0)))


@njit(nogil=True, error_model="numpy", forceinline=True)
def lanes_between(low: Any, high: Any, form: PairFormat) -> Any:
    """(scales, offsets) whose first and last integer stand for about these."""
    last, zero = spread(form.last), spread(f32(0))
    if form.kind == MINIMUM:
        minima = _minima(low, form)
        return _scales((high - minima) / last, form), minima
    low, high = smaller(low, zero), larger(high, zero)
    scales = _scales((high - low) / last, form)
    return scales, _zeros((zero - low) / scales, form)


@njit(nogil=True, error_model="numpy", forceinline=True)
def sums_of_lanes(lanes: Lanes, scales: Any, offsets: Any, form: PairFormat) -> Any:
    """Sums over each block for its pair: codes, their squares, codes times places, and the squared error of places."""
    zero, top = spread(f32(0)), spread(form.last)
    inverse = lanes.unit / scales
    start = (lanes.base - offsets) / scales if form.kind == MINIMUM else offsets
    codes, squares, products, errors = zero, zero, zero, zero
    for i in range(lanes.size):
        place = load_floats(lanes.places, i * LANES)
        exact = fused(place, inverse, start)
        code = rounded(larger(smaller(exact, top), zero))
        error = exact - code
        codes, squares = codes + code, fused(code, code, squares)
        products, errors = fused(code, place, products), fused(error, error, errors)
    return codes, squares, products, errors / (inverse * inverse)


@njit(nogil=True, error_model="numpy", forceinline=True)
def codes_of_lanes(lanes: Lanes, scales: Any, offsets: Any, form: PairFormat) -> Any:
    """The first three of `sums_of_lanes`."""
    zero, top = spread(f32(0)), spread(form.last)
    inverse = lanes.unit / scales
    start = (lanes.base - offsets) / scales if form.kind == MINIMUM else offsets
    codes, squares, products = zero, zero, zero
    for i in range(lanes.size):
        place = load_floats(lanes.places, i * LANES)
        code = rounded(larger(smaller(fused(place, inverse, start), top), zero))
        codes, squares, products = codes + code, fused(code, code, squares), fused(code, place, products)
    return codes, squares, products


@njit(nogil=True, error_model="numpy", forceinline=True)
def lanes_fitted(lanes: Lanes, sums: Any, scales: Any, offsets: Any, is_fixed: Any, form: PairFormat) -> Any:
    """The least-squares lines through the codes of pairs, rounded, and what they take off the sum of squares.

    `is_fixed`: zero points stay.
    """
    codes, squares, products = sums
    zero, count, tiny = spread(f32(0)), spread(f32(lanes.size)), spread(f32(1e-30))
    determinant = count * squares - codes * codes
    slope = (count * products - codes * lanes.total) / larger(determinant, tiny)
    is_line = above(determinant, zero) & above(slope, zero)
    if form.kind == MINIMUM:
        found = _scales(slope * lanes.unit, form)
        intercept = (lanes.total - found / lanes.unit * codes) / count
        minima = _minima(fused(intercept, lanes.unit, lanes.base), form)
        gain = fused(slope, products - codes * lanes.total / count, zero)
        return (choose(is_line, found, scales), choose(is_line, minima, offsets)), choose(is_line, gain, zero)
    zeros = offsets
    if not is_fixed:
        zeros = _zeros((slope * codes - lanes.total) / (count * slope), form)
        zeros = choose(is_line, zeros, offsets)
    squares = squares - (zeros + zeros) * codes + zeros * zeros * count
    slope = (products - zeros * lanes.total) / larger(squares, tiny)
    is_line = is_line & above(squares, zero) & above(slope, zero)
    gain = slope * (products - zeros * lanes.total)
    found = _scales(slope * lanes.unit, form)
    return (choose(is_line, found, scales), choose(is_line, zeros, offsets)), choose(is_line, gain, zero)

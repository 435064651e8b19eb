"""What kernels for super-blocks share: sums and largest numbers over the lanes of one, units, halves, and loading."""

from typing import Any

import numpy as np
from numba import njit

from app.codec.kernels.lanes import Kernel
from app.schemes.k_quants_layout import BLOCK
from app.schemes.kernels.k_quant_vectors import (
    LANES,
    fused,
    greater,
    lesser,
    load,
    magnitude,
    power_below,
    splat,
    store,
    swap_1,
    swap_2,
    swap_4,
    swap_8,
    transpose,
    where_less,
)

f32, u32 = np.float32, np.uint32
_SPLIT = 2.0**13 + 1
"""A float32 times this, and back, keeps the eleven bits of a half (Veltkamp)."""
_SMALLEST_NORMAL = 2.0**-14
_SMALLEST = 2.0**-24


def inlined(function: Kernel) -> Kernel:
    """The function for use in kernels."""
    found: Kernel = njit(nogil=True, error_model="numpy")(function)
    return found


@inlined
def sum_of_block(lanes: Any, per_block: int) -> Any:
    """In each lane, the sum over its super-block, of 8 or 16 lanes."""
    lanes = lanes + swap_1(lanes)
    lanes = lanes + swap_2(lanes)
    lanes = lanes + swap_4(lanes)
    if per_block == LANES:
        lanes = lanes + swap_8(lanes)
    return lanes


@inlined
def largest_of_block(lanes: Any, per_block: int) -> Any:
    """In each lane, the largest of its super-block."""
    lanes = greater(lanes, swap_1(lanes))
    lanes = greater(lanes, swap_2(lanes))
    lanes = greater(lanes, swap_4(lanes))
    if per_block == LANES:
        lanes = greater(lanes, swap_8(lanes))
    return lanes


@inlined
def extreme_of_block(lanes: Any, per_block: int) -> Any:
    """In each lane, the number of largest magnitude of its super-block with its sign; of equals the positive one."""
    zero = splat(f32(0))
    high = largest_of_block(greater(lanes, zero), per_block)
    low = largest_of_block(greater(zero - lanes, zero), per_block)
    return where_less(high, low, zero - low, high)


@inlined
def unit_of_block(sizes: Any, per_block: int) -> Any:
    """The power of two at or below the largest magnitude of a super-block, from 2^-40 to 2^40."""
    largest = largest_of_block(sizes, per_block)
    return power_below(lesser(greater(largest, splat(f32(2.0**-40))), splat(f32(2.0**40))))


@inlined
def stored_half(numbers: Any, unit: Any) -> Any:
    """What a float16 can hold of each number, both in units; the smallest half instead of zero."""
    numbers = numbers * unit
    size = lesser(magnitude(numbers), splat(f32(65504.0)))
    split = size * splat(f32(_SPLIT))
    normal = split - (split - size)
    half = splat(f32(0.5))
    size = where_less(size, splat(f32(_SMALLEST_NORMAL)), (size + half) - half, normal)
    size = greater(size, splat(f32(_SMALLEST)))
    zero = splat(f32(0))
    return where_less(numbers, zero, zero - size, size) / unit


@inlined
def half_bits(value: Any) -> Any:
    """The bits of a float16 that a float32 is equal to."""
    size = f32(abs(value))
    sign = u32(0x8000) if value < f32(0) else u32(0)
    if size < f32(_SMALLEST_NORMAL):
        return u32(sign | u32(size * f32(1 / _SMALLEST)))
    return u32(sign | u32(u32(size.view(u32) >> u32(13)) - u32(112 << 10)))


@inlined
def load_blocks(source: Any, starts: Any, per_block: int, target: Any, room: Any) -> None:
    """Element i of sub-block j of the super-blocks at the starts to place 16 * i + j of the target."""
    if per_block == LANES:
        transpose(source, starts[0], LANES, target, 0)
        return
    if starts[1] == starts[0] + BLOCK:
        transpose(source, starts[0], 2 * LANES, target, 0)
        transpose(source, starts[0] + LANES, 2 * LANES, target, BLOCK)
        return
    for i in range(BLOCK):
        room[i] = source[starts[0] + i]
        room[BLOCK + i] = source[starts[1] + i]
    transpose(room, 0, 2 * LANES, target, 0)
    transpose(room, LANES, 2 * LANES, target, BLOCK)


@inlined
def scale_by_unit(values: Any, size: int, per_block: int) -> Any:
    """Values become units of their super-block: (unit, largest magnitude, zero or NaN where one is not finite)."""
    zero = splat(f32(0))
    largest, check = zero, zero
    for i in range(size):
        x = load(values, i * LANES)
        largest = greater(magnitude(x), largest)
        check = fused(x, zero, check)
    unit = unit_of_block(largest, per_block)
    inverse, two = splat(f32(1)) / unit, splat(f32(2))
    for i in range(size):
        x = load(values, i * LANES) * inverse
        store(values, i * LANES, greater(lesser(x, two), zero - two))
    return unit, largest_of_block(largest, per_block), check


@inlined
def lowest_and_highest(values: Any, size: int, per_block: int) -> Any:
    """Lowest and highest of each lane; the lowest not above zero unless all of the super-block is."""
    low = load(values, 0)
    high = low
    for i in range(1, size):
        x = load(values, i * LANES)
        low, high = lesser(x, low), greater(x, high)
    zero = splat(f32(0))
    lowest = zero - largest_of_block(zero - low, per_block)
    return where_less(zero, lowest, low, lesser(low, zero)), high

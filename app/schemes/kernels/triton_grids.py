"""One pass over a CUDA tensor: the scale of each block by its largest magnitude, codes, and their packing.

`worst` gets the bits of the largest magnitude of all where that is infinite, or more where it is NaN.
"""

# Triton compiles what has no types but its own.
# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator, no-any-return"
# ruff: noqa: N803 - Triton writes its compile-time arguments in capitals

import triton
import triton.language as tl

INFINITY = tl.constexpr(0x7F800000)
MAGIC = tl.constexpr(12582912.0)
"""1.5 * 2^23: adding it rounds a float32 of fewer than 22 bits to the nearest whole number, ties to even."""


@triton.jit
def _scale(reach, end, divisor, smallest, largest, KIND: tl.constexpr):
    """`ScaleFormat.nearest(reach / end)`, and of 1 where the reach is 0; and what is stored for it."""
    wanted = tl.where(reach == 0, 1.0, tl.math.div_rn(reach, end))
    size = tl.minimum(tl.maximum(wanted * divisor, smallest), largest)
    code = size
    if KIND == "float16":
        code = size.to(tl.float16)
        size = code.to(tl.float32)
    elif KIND == "bfloat16":
        code = size.to(tl.bfloat16)
        size = code.to(tl.float32)
    elif KIND == "float8_e4m3fn":
        rounded = size.to(tl.float8e4nv)
        code = rounded.to(tl.uint8, bitcast=True)
        size = rounded.to(tl.float32)
    elif KIND == "float8_e8m0fnu":
        word = size.to(tl.int32, bitcast=True)
        up = tl.where((word & 0x7FFFFF) > 0x400000, 0x800000, 0)
        size = ((word & 0x7F800000) + up).to(tl.float32, bitcast=True)
        size = tl.minimum(size, largest)
        code = (size.to(tl.int32, bitcast=True) >> 23).to(tl.uint8)
    return tl.math.div_rn(size, divisor), code


@triton.jit
def _whole(scaled, low, high, offset):
    held = tl.minimum(tl.maximum(scaled, low), high)
    return ((held + MAGIC) - MAGIC).to(tl.int32) + offset


@triton.jit
def _place(scaled, thresholds, STEPS: tl.constexpr):
    """How many thresholds lie below."""
    place = tl.zeros(scaled.shape, tl.int32)
    for step in tl.static_range(STEPS):
        place += (scaled > tl.load(thresholds + step)).to(tl.int32)
    return place


@triton.jit
def _place_of_sixteen(scaled, thresholds):
    """The same for fifteen thresholds, by halving: four comparisons."""
    top = scaled > tl.load(thresholds + 7)
    second = scaled > tl.where(top, tl.load(thresholds + 11), tl.load(thresholds + 3))
    above = tl.where(second, tl.load(thresholds + 13), tl.load(thresholds + 9))
    below = tl.where(second, tl.load(thresholds + 5), tl.load(thresholds + 1))
    third = scaled > tl.where(top, above, below)
    last = tl.where(
        top,
        tl.where(
            second,
            tl.where(third, tl.load(thresholds + 14), tl.load(thresholds + 12)),
            tl.where(third, tl.load(thresholds + 10), tl.load(thresholds + 8)),
        ),
        tl.where(
            second,
            tl.where(third, tl.load(thresholds + 6), tl.load(thresholds + 4)),
            tl.where(third, tl.load(thresholds + 2), tl.load(thresholds)),
        ),
    )
    half = top.to(tl.int32) << 3 | second.to(tl.int32) << 2
    return half | third.to(tl.int32) << 1 | (scaled > last).to(tl.int32)


@triton.jit
def _signed_place(scaled, thresholds, STEPS: tl.constexpr, TIES_LOWER: tl.constexpr):
    """The same for grids that mirror themselves around zero, with a sign bit: thresholds are the positive ones.

    Where a middle goes to the lower level, that is the one of larger magnitude below zero: there it counts as passed.
    """
    word = scaled.to(tl.int32, bitcast=True)
    sign = (word >> 31) & 1
    magnitude = (word & 0x7FFFFFFF) + (sign if TIES_LOWER else 0)
    place = _place(magnitude.to(tl.float32, bitcast=True), thresholds, STEPS)
    return place | tl.where(place > 0, sign << 3, 0)


@triton.jit
def largest_magnitude(values, found, count, TILE: tl.constexpr, ROUNDS: tl.constexpr):
    """The bits of the largest magnitude, at most those of NaN, into `found`, which begins as 0."""
    reach = tl.zeros([TILE], tl.int32)
    first = tl.program_id(0).to(tl.int64) * (TILE * ROUNDS)
    for step in range(ROUNDS):
        here = first + step * TILE + tl.arange(0, TILE)
        word = tl.load(values + here, mask=here < count, other=0.0).to(tl.int32, bitcast=True)
        reach = tl.maximum(reach, word & 0x7FFFFFFF)
    tl.atomic_max(found, tl.max(reach, 0))


@triton.jit
def encode_nibbles(
    values,
    scales,
    packed,
    worst,
    thresholds,
    divisor,
    blocks,
    end,
    smallest,
    largest,
    low,
    high,
    offset,
    SIZE: tl.constexpr,
    TILE: tl.constexpr,
    STEPS: tl.constexpr,
    IS_SIGNED: tl.constexpr,
    TIES_LOWER: tl.constexpr,
    KIND: tl.constexpr,
    HIGH_FIRST: tl.constexpr,
):
    """Blocks of SIZE neighbours, TILE blocks a program, two codes of four bits in a byte."""
    half: tl.constexpr = SIZE // 2
    block = tl.program_id(0).to(tl.int64) * TILE + tl.arange(0, TILE)
    within = tl.arange(0, SIZE)
    here = block[:, None] * SIZE + within[None, :]
    is_there = block < blocks
    tile = tl.load(values + here, mask=is_there[:, None], other=0.0)
    divided = tl.load(divisor)
    magnitude = tl.max(tile.to(tl.int32, bitcast=True) & 0x7FFFFFFF, 1)
    furthest = tl.max(magnitude, 0)
    tl.atomic_max(worst, furthest, mask=furthest >= INFINITY)
    scale, stored = _scale(magnitude.to(tl.float32, bitcast=True), end, divided, smallest, largest, KIND)
    scaled = tile * tl.math.div_rn(1.0, scale)[:, None]
    if STEPS == 0:
        code = _whole(scaled, low, high, offset)
    elif IS_SIGNED:
        code = _signed_place(scaled, thresholds, STEPS, TIES_LOWER)
    elif STEPS == 15:
        code = _place_of_sixteen(scaled, thresholds)
    else:
        code = _place(scaled, thresholds, STEPS)
    first, second = tl.split(tl.reshape(code, (TILE, half, 2)))
    pair = (first << 4 | second) if HIGH_FIRST else (second << 4 | first)
    there = block[:, None] * half + tl.arange(0, half)[None, :]
    tl.store(packed + there, pair.to(tl.uint8), mask=is_there[:, None])
    tl.store(scales + block, stored, mask=is_there)


@triton.jit
def encode_rows(
    values,
    scales,
    packed,
    worst,
    columns,
    stride,
    end,
    smallest,
    largest,
    low,
    high,
    offset,
    TILE: tl.constexpr,
    KIND: tl.constexpr,
):
    """A row a program, a code a byte. What is longer than a tile is read twice, the second time from the cache."""
    row = tl.program_id(0).to(tl.int64)
    here = values + row * columns
    column = tl.arange(0, TILE)
    part = tl.load(here + column, mask=column < columns, other=0.0)
    reach = part.to(tl.int32, bitcast=True) & 0x7FFFFFFF
    for start in range(TILE, columns, TILE):
        other = tl.load(here + start + column, mask=start + column < columns, other=0.0)
        reach = tl.maximum(reach, other.to(tl.int32, bitcast=True) & 0x7FFFFFFF)
    magnitude = tl.max(reach, 0)
    tl.atomic_max(worst, magnitude, mask=magnitude >= INFINITY)
    scale, stored = _scale(magnitude.to(tl.float32, bitcast=True), end, 1.0, smallest, largest, KIND)
    inverse = tl.math.div_rn(1.0, scale)
    tl.store(scales + row, stored)
    there = packed + row * stride
    tl.store(there + column, _whole(part * inverse, low, high, offset).to(tl.uint8), mask=column < columns)
    for start in range(TILE, columns, TILE):
        other = tl.load(here + start + column, mask=start + column < columns, other=0.0)
        code = _whole(other * inverse, low, high, offset)
        tl.store(there + start + column, code.to(tl.uint8), mask=start + column < columns)

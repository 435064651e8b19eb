"""The search of `app.schemes.k_quants_symmetric`, for sixteen sub-blocks at once, one in each lane."""

from typing import Any

import numpy as np

from app.schemes.kernels.k_quant_lanes import extreme_of_block, inlined, stored_half, sum_of_block
from app.schemes.kernels.k_quant_vectors import (
    LANES,
    fused,
    greater,
    lesser,
    load,
    magnitude,
    rounded,
    splat,
    store,
    where_less,
)

f32 = np.float32
_NEVER = 3.0e38
_NO_SCALE = 1e-9


@inlined
def _level(scaled: Any, task: Any) -> Any:
    """The level nearest to each: whole numbers by rounding, others by comparing with every threshold."""
    if task.thresholds.size == 0:
        return greater(lesser(rounded(scaled), splat(task.levels[1])), splat(task.levels[0]))
    found = splat(task.levels[0])
    for k in range(15):
        found = where_less(splat(task.thresholds[k]), scaled, splat(task.levels[k + 1]), found)
    return found


@inlined
def _inverse(scale: Any) -> Any:
    """1 / scale; 0 where a scale is zero."""
    zero, one = splat(f32(0)), splat(f32(1))
    is_zero = where_less(scale, zero, zero, where_less(zero, scale, zero, one))
    return where_less(zero, is_zero, zero, one / where_less(zero, is_zero, one, scale))


@inlined
def _error(values: Any, weights: Any, size: int, scale: Any, task: Any) -> Any:
    """The weighted sum of squares of value - scale * level, found in units of the scale; a scale of zero is tiny."""
    scale = where_less(magnitude(scale), splat(f32(_NO_SCALE)), splat(f32(_NO_SCALE)), scale)
    inverse = splat(f32(1)) / scale
    found = splat(f32(0))
    low, high = splat(task.levels[0]), splat(task.levels[1])
    if task.thresholds.size == 0 and weights.size == 0:
        for i in range(size):
            t = load(values, i * LANES) * inverse
            e = t - greater(lesser(rounded(t), high), low)
            found = fused(e, e, found)
    elif weights.size:
        for i in range(size):
            t = load(values, i * LANES) * inverse
            e = t - _level(t, task)
            found = fused(e * e, load(weights, i * LANES), found)
    else:
        for i in range(size):
            t = load(values, i * LANES) * inverse
            e = t - _level(t, task)
            found = fused(e, e, found)
    return found * (scale * scale)


@inlined
def _quadratic(values: Any, weights: Any, size: int, scale: Any, task: Any) -> Any:
    """Weighted sums of level^2 and level * value, and the scale of least squares."""
    zero, one = splat(f32(0)), splat(f32(1))
    inverse = _inverse(scale)
    squares, products = zero, zero
    low, high = splat(task.levels[0]), splat(task.levels[1])
    if task.thresholds.size == 0 and weights.size == 0:
        for i in range(size):
            x = load(values, i * LANES)
            level = greater(lesser(rounded(x * inverse), high), low)
            squares, products = fused(level, level, squares), fused(level, x, products)
        best = products / where_less(zero, squares, squares, one)
        return squares, products, where_less(zero, squares, best, scale)
    for i in range(size):
        x = load(values, i * LANES)
        level = _level(x * inverse, task)
        weighted = level
        if weights.size:
            weighted = level * load(weights, i * LANES)
        squares, products = fused(weighted, level, squares), fused(weighted, x, products)
    best = products / where_less(zero, squares, squares, one)
    return squares, products, where_less(zero, squares, best, scale)


@inlined
def _extreme(values: Any, weights: Any, size: int) -> Any:
    """The number of largest magnitude in each lane with its sign, and the weighted sum of squares."""
    zero = splat(f32(0))
    low, high, squares = zero, zero, zero
    for i in range(size):
        x = load(values, i * LANES)
        low, high = lesser(x, low), greater(x, high)
        square = x * x
        if weights.size:
            square = square * load(weights, i * LANES)
        squares = squares + square
    return where_less(zero - low, high, high, low), squares


@inlined
def _whole(numbers: Any, unit: Any, task: Any) -> Any:
    return greater(lesser(rounded(numbers / unit), splat(task.highest)), splat(task.lowest))


@inlined
def _nearest(squares: Any, products: Any, best: Any, d: Any, inverse: Any, task: Any) -> Any:
    """The least error, less that of all zeros, of whole scales next to least squares with these levels."""
    one, half, two = splat(f32(1)), splat(f32(0.5)), splat(f32(2))
    first = rounded(best * inverse - half)
    first = greater(lesser(first, splat(task.highest) - one), splat(task.lowest))
    second = first + one
    wide, other = first * d, second * d
    linear = splat(f32(0)) - two * products
    error, another = wide * fused(wide, squares, linear), other * fused(other, squares, linear)
    return lesser(error, another), where_less(another, error, second, first)


@inlined
def _starts(values: Any, weights: Any, size: int, extreme: Any, task: Any, room: Any) -> Any:
    """Quadratics of all starts into `room`, three rows each; the scale of the best."""
    least, scales = splat(f32(_NEVER)), extreme
    for k in range(task.starts.size):
        squares, products, best = _quadratic(values, weights, size, extreme / splat(task.starts[k]), task)
        place = 3 * LANES * k
        store(room, place, squares)
        store(room, place + LANES, products)
        store(room, place + 2 * LANES, best)
        error = splat(f32(0)) - best * products
        scales, least = where_less(error, least, best, scales), lesser(error, least)
    return scales


@inlined
def _around(values: Any, weights: Any, size: int, d: Any, center: Any, task: Any) -> Any:
    """The best of whole scales nearby, of both signs where the other can win."""
    least, scales = splat(f32(_NEVER)), center
    lowest, highest, zero = splat(task.lowest), splat(task.highest), splat(f32(0))
    for step in range(-task.span, task.span + 1):
        scale = center + splat(f32(step))
        for _ in range(task.signs):
            held = greater(lesser(scale, highest), lowest)
            error = _error(values, weights, size, held * d, task)
            scales, least = where_less(error, least, held, scales), lesser(error, least)
            scale = zero - scale
    return least, scales


@inlined
def _trial(largest: Any, per_block: int, unit: Any, divisor: Any, squares: Any, task: Any, room: Any) -> Any:
    """(error of the super-block, d, scales) by the starts' quadratics."""
    d = stored_half(largest / splat(divisor), unit)
    inverse = splat(f32(1)) / d
    error, scale = splat(f32(_NEVER)), splat(f32(0))
    for k in range(task.starts.size):
        place = 3 * LANES * k
        e, s = _nearest(load(room, place), load(room, place + LANES), load(room, place + 2 * LANES), d, inverse, task)
        scale, error = where_less(e, error, s, scale), lesser(e, error)
    return sum_of_block(error + squares, per_block), d, scale


@inlined
def _renewed(values: Any, weights: Any, size: int, per_block: int, d: Any, scales: Any, task: Any) -> Any:
    """d of least squares for scales and the levels that they give."""
    zero, one = splat(f32(0)), splat(f32(1))
    squares, products, _ = _quadratic(values, weights, size, scales * d, task)
    squares = sum_of_block(scales * scales * squares, per_block)
    best = sum_of_block(scales * products, per_block) / where_less(zero, squares, squares, one)
    return where_less(zero, best * d, best, d)


@inlined
def find_symmetric(
    values: Any, weights: Any, size: int, per_block: int, unit: Any, is_searched: int, task: Any, room: Any
) -> Any:
    """(d, scales), d in units."""
    extreme, squares = _extreme(values, weights, size)
    wide = extreme / splat(task.levels[0])
    d = stored_half(extreme_of_block(wide, per_block) / splat(task.lowest), unit)
    plain_d, plain_scales = d, _whole(wide, d, task)
    if not is_searched:
        return plain_d, plain_scales
    plain = sum_of_block(_error(values, weights, size, plain_scales * d, task), per_block)
    largest = extreme_of_block(_starts(values, weights, size, extreme, task, room), per_block)
    scales, least = plain_scales, splat(f32(_NEVER))
    for trial in range(task.trials.size):
        error, tried, scale = _trial(largest, per_block, unit, task.trials[trial], squares, task, room)
        d, scales = where_less(error, least, tried, d), where_less(error, least, scale, scales)
        least = lesser(error, least)
    for count in range(task.rounds):
        if count:
            d = stored_half(_renewed(values, weights, size, per_block, d, scales, task), unit)
        least, scales = _around(values, weights, size, d, scales, task)
    least = sum_of_block(least, per_block)
    return where_less(least, plain, d, plain_d), where_less(least, plain, scales, plain_scales)

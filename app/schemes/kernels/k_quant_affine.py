"""The search of `app.schemes.k_quants_affine`, for sixteen sub-blocks at once, one in each lane."""

from typing import Any

import numpy as np

from app.schemes.k_quants_affine import FINER
from app.schemes.kernels.k_quant_lanes import (
    extreme_of_block,
    inlined,
    largest_of_block,
    lowest_and_highest,
    stored_half,
    sum_of_block,
)
from app.schemes.kernels.k_quant_vectors import (
    LANES,
    fused,
    greater,
    lesser,
    load,
    rounded,
    splat,
    store,
    where_less,
)

f32 = np.float32
_NEVER = 3.0e38
_TINY = 1e-20
_NO_SCALE = 1e-9
_DEGENERATE = 1e-5


@inlined
def _error(values: Any, weights: Any, size: int, scale: Any, offset: Any, top: Any) -> Any:
    """The weighted sum of squares of value + offset - scale * code; no weights where there are none."""
    zero = splat(f32(0))
    inverse = splat(f32(1)) / scale
    offset = offset * inverse
    found = zero
    if weights.size:
        for i in range(size):
            t = fused(load(values, i * LANES), inverse, offset)
            e = t - greater(lesser(rounded(t), top), zero)
            found = fused(e * e, load(weights, i * LANES), found)
    else:
        for i in range(size):
            t = fused(load(values, i * LANES), inverse, offset)
            e = t - greater(lesser(rounded(t), top), zero)
            found = fused(e, e, found)
    return found * (scale * scale)


@inlined
def _quadratic(values: Any, weights: Any, size: int, scale: Any, offset: Any, top: Any) -> Any:
    """Weighted sums of code, code^2 and code * value."""
    zero = splat(f32(0))
    inverse = splat(f32(1)) / scale
    offset = offset * inverse
    code, squares, products = zero, zero, zero
    if weights.size:
        for i in range(size):
            x = load(values, i * LANES)
            q = greater(lesser(rounded(fused(x, inverse, offset)), top), zero)
            weighted = q * load(weights, i * LANES)
            code, squares, products = code + weighted, fused(weighted, q, squares), fused(weighted, x, products)
    else:
        for i in range(size):
            x = load(values, i * LANES)
            q = greater(lesser(rounded(fused(x, inverse, offset)), top), zero)
            code, squares, products = code + q, fused(q, q, squares), fused(q, x, products)
    return code, squares, products


@inlined
def _totals(values: Any, weights: Any, size: int, low: Any) -> Any:
    """Values less `low` from here on; the weights' sum, and weighted sums of value and value^2."""
    zero = splat(f32(0))
    count, total, squares = splat(f32(size)), zero, zero
    if weights.size:
        count = zero
    for i in range(size):
        x = load(values, i * LANES) - low
        store(values, i * LANES, x)
        weighted = x
        if weights.size:
            weight = load(weights, i * LANES)
            count = count + weight
            weighted = x * weight
        total, squares = total + weighted, fused(weighted, x, squares)
    return greater(count, splat(f32(_TINY))), total, squares


@inlined
def _whole(numbers: Any, unit: Any, limit: Any) -> Any:
    return greater(lesser(rounded(numbers / unit), limit), splat(f32(0)))


@inlined
def _nearest(quadratic: Any, totals: Any, low: Any, d: Any, dmin: Any, limit: Any) -> Any:
    """The least error of whole scales next to least squares with their best minima: (error, scale, minimum)."""
    code, squares, products, best = quadratic
    count, total, all_squares = totals
    zero, one, two = splat(f32(0)), splat(f32(1)), splat(f32(2))
    scale = rounded(best / d - splat(f32(0.5)))
    scale = greater(lesser(scale, limit - one), one)
    least, scales, minima = splat(f32(_NEVER)), scale, zero
    inverse = one / dmin
    share = one / count
    for _ in range(2):
        wide = scale * d
        moved = fused(wide, code, zero - total)
        minimum = greater(lesser(rounded(fused(moved, share, zero - low) * inverse), limit), zero)
        offset = fused(minimum, dmin, low)
        error = fused(wide, fused(wide, squares, zero - two * products), all_squares)
        error = fused(offset, fused(count, offset, zero - two * moved), error)
        scales, minima = where_less(error, least, scale, scales), where_less(error, least, minimum, minima)
        least = lesser(error, least)
        scale = scale + one
    return least, scales, minima


@inlined
def _starts(
    values: Any, weights: Any, size: int, top: Any, lowest: Any, reach: Any, totals: Any, starts: Any, room: Any
) -> Any:
    """Quadratics of all starts into `room`, four rows each; scale and offset of the best."""
    count, total, all_squares = totals
    zero, one = splat(f32(0)), splat(f32(1))
    least, scales, offsets = splat(f32(_NEVER)), zero, zero
    for k in range(starts.shape[0]):
        low, high = reach * splat(starts[k, 0]), reach - reach * splat(starts[k, 1])
        scale = (high - low) / top
        code, squares, products = _quadratic(values, weights, size, scale, zero - low, top)
        determinant = count * squares - code * code
        enough = splat(f32(_DEGENERATE)) * count * squares
        best = (count * products - code * total) / where_less(enough, determinant, determinant, one)
        best = where_less(enough, determinant, best, scale)
        offset = (best * code - total) / count
        error = all_squares - best * products + offset * total
        minimum = offset - lowest
        error = error + splat(f32(FINER)) * count * (best * best + minimum * minimum)
        place = 4 * LANES * k
        store(room, place, code)
        store(room, place + LANES, squares)
        store(room, place + 2 * LANES, products)
        store(room, place + 3 * LANES, best)
        scales, offsets = where_less(error, least, best, scales), where_less(error, least, offset, offsets)
        least = lesser(error, least)
    return scales, offsets


@inlined
def _trial(d: Any, dmin: Any, totals: Any, low: Any, task: Any, room: Any) -> Any:
    """(error of each sub-block, scales, minima) by the starts' quadratics."""
    error, scale, minimum = splat(f32(_NEVER)), splat(f32(0)), splat(f32(0))
    for k in range(task.starts.shape[0]):
        place = 4 * LANES * k
        quadratic = (
            load(room, place),
            load(room, place + LANES),
            load(room, place + 2 * LANES),
            load(room, place + 3 * LANES),
        )
        e, s, m = _nearest(quadratic, totals, low, d, dmin, splat(task.limit))
        scale, minimum = where_less(e, error, s, scale), where_less(e, error, m, minimum)
        error = lesser(e, error)
    return error, scale, minimum


@inlined
def _around(values: Any, weights: Any, size: int, top: Any, limit: Any, low: Any, center: Any, span: int) -> Any:
    """The best of scales and minima nearby, where the middle of the grid stays in its place."""
    d, dmin, center_scale, center_minimum = center
    zero, one = splat(f32(0)), splat(f32(1))
    least, scales, minima = splat(f32(_NEVER)), center_scale, center_minimum
    for step in range(-span, span + 1):
        scale = greater(lesser(center_scale + splat(f32(step)), limit), one)
        middle = center_minimum * dmin + (scale - center_scale) * d * (top * splat(f32(0.5)))
        first = rounded(middle / dmin)
        for shift in range(-span, span + 1):
            minimum = greater(lesser(first + splat(f32(shift)), limit), zero)
            error = _error(values, weights, size, scale * d, minimum * dmin + low, top)
            scales, minima = where_less(error, least, scale, scales), where_less(error, least, minimum, minima)
            least = lesser(error, least)
    return least, scales, minima


@inlined
def _renewed(values: Any, weights: Any, size: int, per_block: int, top: Any, low: Any, totals: Any, found: Any) -> Any:
    """d and dmin of least squares for scales, minima and the codes that they give."""
    d, dmin, scale, minimum = found
    count, total, _ = totals
    code, squares, products = _quadratic(values, weights, size, scale * d, minimum * dmin + low, top)
    a = sum_of_block(scale * scale * squares, per_block)
    b = sum_of_block(scale * minimum * code, per_block)
    c = sum_of_block(minimum * minimum * count, per_block)
    x = sum_of_block(scale * fused(low, code, products), per_block)
    y = sum_of_block(minimum * fused(low, count, total), per_block)
    zero, one = splat(f32(0)), splat(f32(1))
    determinant = a * c - b * b
    enough = splat(f32(_DEGENERATE)) * a * c
    inverse = one / where_less(enough, determinant, determinant, one)
    new_d, new_dmin = (x * c - b * y) * inverse, (b * x - a * y) * inverse
    is_kept = where_less(zero, new_d, where_less(zero, new_dmin * dmin, one, zero), zero)
    is_kept = where_less(enough, determinant, is_kept, zero)
    return where_less(zero, is_kept, new_d, d), where_less(zero, is_kept, new_dmin, dmin)


@inlined
def find_affine(
    values: Any, weights: Any, size: int, per_block: int, unit: Any, is_searched: int, task: Any, room: Any
) -> Any:
    """(d, dmin, scales, minima), d and dmin in units; values in units are changed."""
    top, limit = splat(task.top), splat(task.limit)
    zero = splat(f32(0))
    low, high = lowest_and_highest(values, size, per_block)
    reach = greater(high - low, splat(f32(_TINY)))
    wide = where_less(splat(f32(_TINY)), reach, reach, zero) / top
    d = stored_half(largest_of_block(wide, per_block) / limit, unit)
    dmin = stored_half(extreme_of_block(zero - low, per_block) / limit, unit)
    plain_scale, plain_minimum = _whole(wide, d, limit), _whole(zero - low, dmin, limit)
    if not is_searched:
        return d, dmin, plain_scale, plain_minimum
    totals = _totals(values, weights, size, low)
    plain = _error(
        values, weights, size, greater(plain_scale * d, splat(f32(_NO_SCALE))), plain_minimum * dmin + low, top
    )
    plain = sum_of_block(plain, per_block)
    best, offset = _starts(values, weights, size, top, low, reach, totals, task.starts, room)
    largest = largest_of_block(best, per_block) / limit
    extreme = extreme_of_block(offset - low, per_block) / limit
    found_d, found_dmin, scales, minima = d, dmin, plain_scale, plain_minimum
    least = splat(f32(_NEVER))
    for trial in range(task.trials.shape[0]):
        tried_d = stored_half(largest * splat(task.trials[trial, 0]), unit)
        tried_dmin = stored_half(extreme * splat(task.trials[trial, 1]), unit)
        error, scale, minimum = _trial(tried_d, tried_dmin, totals, low, task, room)
        error = sum_of_block(error, per_block)
        found_d = where_less(error, least, tried_d, found_d)
        found_dmin = where_less(error, least, tried_dmin, found_dmin)
        scales, minima = where_less(error, least, scale, scales), where_less(error, least, minimum, minima)
        least = lesser(error, least)
    for count in range(task.rounds):
        found = (found_d, found_dmin, scales, minima)
        if count:
            found_d, found_dmin = _renewed(values, weights, size, per_block, top, low, totals, found)
            found_d, found_dmin = stored_half(found_d, unit), stored_half(found_dmin, unit)
        least, scales, minima = _around(
            values, weights, size, top, limit, low, (found_d, found_dmin, scales, minima), task.span
        )
    least = sum_of_block(least, per_block)
    return (
        where_less(least, plain, found_d, d),
        where_less(least, plain, found_dmin, dmin),
        where_less(least, plain, scales, plain_scale),
        where_less(least, plain, minima, plain_minimum),
    )

"""Pairs of scale and offset as they are stored: `app.schemes.affine_pairs` for one block, in numba."""

# mypy: disable-error-code="untyped-decorator"

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from app.schemes.kernels.sizes import SizeFormat, nearest_size

f32 = np.float32
_LARGEST = np.float64(np.finfo(np.float32).max)

MINIMUM, ZERO_POINT = 0, 1
"""Kinds of offsets: a minimum that is added, an integer that is taken from codes."""


class Pair(NamedTuple):
    """Of one block."""

    kind: np.int64
    scale: np.float32
    offset: np.float32


class PairFormat(NamedTuple):
    """What can be stored."""

    kind: np.int64
    last: np.float32
    """The largest code."""
    scale: SizeFormat
    offset: SizeFormat
    """With 0 as the smallest."""


@njit(nogil=True, error_model="numpy", forceinline=True)
def stored_scale(scale: Any, form: PairFormat) -> Any:
    """The nearest to a float64; 1 for those that are not positive."""
    return nearest_size(f32(min(scale, _LARGEST)) if scale > 0 else f32(1), form.scale)


@njit(nogil=True, error_model="numpy", forceinline=True)
def stored_minimum(minimum: Any, form: PairFormat) -> Any:
    """The nearest to a float64, never -0."""
    size = nearest_size(f32(min(abs(minimum), _LARGEST)), form.offset)
    return f32(-size) if minimum < 0 and size > 0 else size


@njit(nogil=True, error_model="numpy", forceinline=True)
def stored_zero(zero_point: Any, form: PairFormat) -> Any:
    """The nearest integer among the codes."""
    return f32(min(max(np.rint(zero_point), 0.0), np.float64(form.last)))


@njit(nogil=True, error_model="numpy", forceinline=True)
def between(low: Any, high: Any, form: PairFormat) -> Any:
    """The pair whose first and last integer stand for about these float64."""
    if form.kind == MINIMUM:
        minimum = stored_minimum(low, form)
        return Pair(form.kind, stored_scale((high - np.float64(minimum)) / np.float64(form.last), form), minimum)
    low, high = min(low, 0.0), max(high, 0.0)
    scale = stored_scale((high - low) / np.float64(form.last), form)
    return Pair(form.kind, scale, stored_zero(-low / np.float64(scale), form))


@njit(nogil=True, error_model="numpy", forceinline=True)
def fitted(count: Any, sums: Any, pair: Pair, base: Any, norm: Any, is_fixed: Any, form: PairFormat) -> Any:
    """The least-squares line through the codes of a pair, rounded; `is_fixed`: its zero point stays."""
    determinant = count * sums.squares - sums.codes * sums.codes
    slope = (count * sums.products - sums.codes * sums.places) / determinant
    if not (determinant > 0 and slope > 0):
        return pair
    if form.kind == MINIMUM:
        scale = stored_scale(slope / norm, form)
        intercept = (sums.places - np.float64(scale) * norm * sums.codes) / count
        return Pair(form.kind, scale, stored_minimum(np.float64(base) + intercept / norm, form))
    zero = pair.offset if is_fixed else stored_zero(-(sums.places - slope * sums.codes) / count / slope, form)
    wide = np.float64(zero)
    squares = sums.squares - 2 * wide * sums.codes + wide * wide * count
    slope = (sums.products - wide * sums.places) / squares
    if not (squares > 0 and slope > 0):
        return pair
    return Pair(form.kind, stored_scale(slope / norm, form), zero)

"""Scales as a format stores them, `ScaleFormat.nearest` and `stored` in integer arithmetic."""

# mypy: disable-error-code="untyped-decorator"

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from app.formats import FloatFormat, find_format
from app.schemes.kernels.vectors import float_of, word_of
from app.schemes.scale_formats import ScaleFormat

f32, u32 = np.float32, np.uint32


class SizeFormat(NamedTuple):
    """What rounding a float32 to a scale needs; a size is a scale times the divisor of the tensor."""

    divisor: np.float32
    smallest: np.float32
    largest: np.float32
    add: np.uint32
    """Half a step less one bit, in units of the last bit of a float32."""
    odd: np.uint32
    """1 where ties go to even."""
    drop: np.uint32
    keep: np.uint32
    least_normal: np.float32
    magic: np.float32
    """1.5 * 2^23 steps of a subnormal: adding it and taking it away rounds."""
    step_up: np.float32
    step_down: np.float32
    """What reaches the next size above, and the one below that."""


@lru_cache(maxsize=64)
def size_format(scale_format: ScaleFormat) -> SizeFormat:
    """The numbers that `nearest_size` works by."""
    number_format = find_format(scale_format.name)
    assert isinstance(number_format, FloatFormat)
    drop = 23 - number_format.mantissa_bits
    half = (1 << drop >> 1) - 1 if drop else 0
    is_power = scale_format.name == "float8_e8m0fnu"
    least_normal = 2.0**-126 if is_power else float(number_format.min_normal or 2.0**-126)
    is_plain = is_power or least_normal < 2.0**-120
    return SizeFormat(
        f32(scale_format.divisor),
        f32(scale_format.smallest),
        f32(scale_format.largest),
        u32(half),
        u32(bool(drop) and not is_power),
        u32(drop),
        u32((0xFFFFFFFF << drop) & 0xFFFFFFFF),
        f32(0 if is_plain else least_normal),
        f32(0 if is_plain else 1.5 * least_normal * 2.0**drop),
        f32(1 + 1.3 * 2.0**-number_format.mantissa_bits),
        f32(1 - 1.3 * 2.0 ** (1 - number_format.mantissa_bits)),
    )


@njit(nogil=True, error_model="numpy", forceinline=True)
def nearest_size(scale: Any, form: Any) -> Any:
    """The size nearest to a positive scale."""
    size = min(max(f32(scale * form.divisor), form.smallest), form.largest)
    word = word_of(size)
    word = u32(u32(word + form.add + u32(u32(word >> form.drop) & form.odd)) & form.keep)
    rounded = f32(f32(size + form.magic) - form.magic) if size < form.least_normal else float_of(word)
    return min(rounded, form.largest)

"""float32 words to the codes of integers and fixed point of up to 16 bits, saturating or wrapping, in one pass."""

from functools import cache
from typing import Any

from numba import njit

from app.codec.kernels.lanes import (
    FRACTION,
    IMPLICIT_ONE,
    MAGNITUDE,
    Kernel,
    deep_shift,
    i32,
    inlined,
    random_source,
    rounding_step,
    shift_left,
    u32,
)


@cache
def whole_kernel(rounding: str, *, wraps: bool) -> Kernel:
    """`encode(words, codes, parameters, draw)` -> the largest magnitude met; see `WholeParameters`."""
    step, random = rounding_step(rounding), random_source(rounding)
    cut = _wrapping_cut(rounding) if wraps else _saturating_cut(rounding)

    def encode(words: Any, codes: Any, parameters: Any, draw: Any) -> Any:
        unit, limit, limit_change, inverted, added, code_mask = parameters
        low, high, first = draw
        place = u32(first - u32(1))
        worst = u32(0)
        for i in range(words.size):
            word = words[i]
            place = u32(place + u32(1))
            negative = u32(u32(0) - u32(word >> u32(31)))
            magnitude = u32(word & MAGNITUDE)
            worst = max(worst, magnitude)
            significand = u32(u32(magnitude & FRACTION) | min(magnitude, IMPLICIT_ONE))
            exponent = max(i32(magnitude >> u32(23)), i32(1))
            kept, rest = cut(significand, i32(i32(unit) - exponent))
            whole = step(kept, rest, negative, random(place, low, high))
            if not wraps:
                whole = min(whole, u32(limit ^ u32(negative & limit_change)))
            codes[i] = u32(u32(u32(whole ^ u32(negative & inverted)) + u32(negative & added)) & code_mask)
        return worst

    found: Kernel = njit(nogil=True)(encode)
    return found


def _saturating_cut(rounding: str) -> Kernel:
    """Numbers of more than 23 bits are taken too small, which is far beyond every limit still."""
    cut = deep_shift(rounding)
    return inlined(lambda significand, drop: cut(significand, max(drop, i32(1))))


def _wrapping_cut(rounding: str) -> Kernel:
    """Only the lowest bits count: shifting to the left drops the others."""
    cut = deep_shift(rounding)

    def wrapping(significand: Any, drop: Any) -> Any:
        kept, rest = cut(significand, max(drop, i32(1)))
        lifted = shift_left(significand, u32(min(max(i32(i32(0) - drop), i32(0)), i32(31))))
        return (lifted, u32(0)) if drop < i32(1) else (kept, rest)

    return inlined(wrapping)

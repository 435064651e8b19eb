"""float32 words to posits and takums of up to 16 bits: their bit string is cut, as a table by binades says."""

# ruff: noqa: ARG005 - all variants of a step take the same

from functools import cache
from typing import Any

from numba import njit

from app.codec.kernels.lanes import (
    FRACTION,
    IMPLICIT_ONE,
    INFINITY,
    MAGNITUDE,
    Kernel,
    float_bits,
    i32,
    inlined,
    random_source,
    rounding_step,
    shift_left,
    shift_right,
    u32,
    u64,
)


@cache
def tapered_kernel(rounding: str) -> Kernel:
    """`encode(words, codes, binades, powers, spans, last, infinity, not_a_real, draw)`.

    The tables are those of `app.codec.tables.Binades`.
    """
    step, random, share = rounding_step(rounding), random_source(rounding), _share(rounding)

    def encode(
        words: Any,
        codes: Any,
        binades: Any,
        powers: Any,
        spans: Any,
        last: Any,
        infinity: Any,
        not_a_real: Any,
        draw: Any,
    ) -> Any:
        low, high, first = draw
        place = u32(first - u32(1))
        worst = u32(0)
        code_mask = u32(not_a_real | u32(not_a_real - u32(1)))
        for i in range(words.size):
            word = words[i]
            place = u32(place + u32(1))
            negative = u32(u32(0) - u32(word >> u32(31)))
            magnitude = u32(word & MAGNITUDE)
            worst = max(worst, magnitude)
            moved = i32(float_bits(i32(magnitude & FRACTION)) - i32(149 << 23))
            placed = moved if magnitude < IMPLICIT_ONE else i32(magnitude)
            index = max(i32(i32(placed >> i32(23)) + i32(22)), i32(0))
            binade = binades[index]
            fraction = u32(u32(placed) & FRACTION)
            string = u32(fraction + u32(binade >> u64(5)))
            drop = u32(binade & u64(31))
            below = u32(shift_right(string, drop) + u32(binade >> u64(40)))
            rest = share(shift_left(string, u32(u32(32) - drop)), fraction, powers[index], spans[index])
            ordinal = step(below, rest, negative, random(place, low, high))
            ordinal = min(max(ordinal, u32(1)), last)
            ordinal = infinity if magnitude == INFINITY else ordinal
            ordinal = u32(0) if magnitude == u32(0) else ordinal
            ordinal = not_a_real if magnitude > INFINITY else ordinal
            codes[i] = u32(u32(u32(ordinal ^ negative) - negative) & code_mask)
        return worst

    found: Kernel = njit(nogil=True)(encode)
    return found


def _share(rounding: str) -> Kernel:
    """The rest by value in stochastic rounding: only so is the mean of many roundings the number itself."""
    if rounding != "stochastic":
        return inlined(lambda rest, fraction, power, span: rest)

    def by_value(rest: Any, fraction: Any, power: Any, span: Any) -> Any:
        if span == 0.0:
            return rest
        share = (float(u32(fraction | IMPLICIT_ONE)) * power - 1.0) / span
        return u32(min(share * 4294967296.0, 4294967295.0))

    return inlined(by_value)

"""float32 words to the codes of float formats of up to 16 bits: integer arithmetic without branches, one pass."""

# ruff: noqa: ARG001, ARG005 - numba fixes what an intrinsic is given, and all variants of a step take the same

from functools import cache
from typing import Any

from numba import njit

from app.codec.kernels.lanes import (
    ALL_BITS,
    FRACTION,
    IMPLICIT_ONE,
    INFINITY,
    MAGNITUDE,
    TOP_BIT,
    Kernel,
    add_as_floats,
    deep_shift,
    drop_right,
    float_bits,
    i32,
    inlined,
    random_source,
    rounding_step,
    shift_left,
    shift_right,
    u32,
)

SPARE = u32(7)
"""Bits of a word that the significand and a carry leave free: they go to the share of stochastic rounding."""
TOP_SIGNIFICANT = u32(0x40000000)
"""The implicit one, moved up by them."""


@cache
def float_kernel(rounding: str, *, is_common: bool, is_signed: bool) -> Kernel:
    """`encode(words, codes, parameters, edges, draw)` -> the largest magnitude met.

    `parameters` are those of `app.codec.tables.FloatParameters`, `edges` its thresholds. A common format (float16, the
    float8s) is one whose every number is a float32, subnormals included, so that neither the subnormals of float32
    nor its infinity need care of their own.
    """
    step, random, cut = rounding_step(rounding), random_source(rounding), deep_shift(rounding)
    heard = _heard(rounding)
    place_of, signed = _place(is_common=is_common), _sign(is_signed=is_signed)
    edge = _edges(is_common=is_common and rounding.startswith(("nearest", "stochastic")), has_gap=not is_common)

    def encode(words: Any, codes: Any, parameters: Any, edges: Any, draw: Any) -> Any:
        drop, lowest, base, mantissa_bits, limit, over, over_change, nan, sign, first_signed = parameters
        low, high, first = draw
        place = u32(first - u32(1))
        worst = u32(0)
        for i in range(words.size):
            word = words[i]
            place = u32(place + u32(1))
            negative = u32(u32(0) - u32(word >> u32(31)))
            magnitude = u32(word & MAGNITUDE)
            worst = max(worst, magnitude)
            significand, exponent = place_of(magnitude)
            raised = max(exponent, i32(lowest))
            kept, rest = cut(significand, i32(i32(raised - exponent) + i32(drop)))
            rest = heard(rest, drop)
            below = u32(kept + shift_left(u32(u32(raised) - base), mantissa_bits))
            rounded = step(below, rest, negative, random(place, low, high))
            rounded = edge(rounded, magnitude, negative, limit, over, over_change, edges)
            rounded = nan if magnitude > INFINITY else rounded
            has_sign = negative if rounded >= first_signed else u32(0)
            codes[i] = signed(rounded, has_sign, sign, nan)
        return worst

    found: Kernel = njit(nogil=True)(encode)
    return found


@cache
def nearest_kernel() -> Kernel:
    """The same for nearest-even in common formats with signs, whose magic words are float32s: half the instructions.

    Adding 2^23 units of the smallest subnormal leaves a subnormal's magnitude in the last bits of the sum.
    """

    def encode(words: Any, codes: Any, parameters: Any, edges: Any, draw: Any) -> Any:
        drop, lowest, base, mantissa_bits, limit, over, _, nan, sign, first_signed = parameters
        magic = shift_left(u32(lowest + drop), u32(23))
        first_normal = shift_left(lowest, u32(23))
        rebase = shift_left(u32(base - u32(1)), mantissa_bits)
        below_half = u32(shift_left(u32(1), u32(drop - u32(1))) - u32(1))
        worst = u32(0)
        for i in range(words.size):
            word = words[i]
            magnitude = u32(word & MAGNITUDE)
            worst = max(worst, magnitude)
            odd = u32(shift_right(magnitude, drop) & u32(1))
            normal = u32(shift_right(u32(u32(magnitude + below_half) + odd), drop) - rebase)
            subnormal = u32(add_as_floats(magnitude, magic) - magic)
            rounded = subnormal if magnitude < first_normal else normal
            rounded = over if rounded > limit else rounded
            rounded = nan if magnitude > INFINITY else rounded
            shown = sign if rounded >= first_signed else u32(0)
            codes[i] = u32(rounded | (shown if word > MAGNITUDE else u32(0)))
        return worst

    found: Kernel = njit(nogil=True)(encode)
    return found


@cache
def stochastic_kernel(*, has_negative_zero: bool) -> Kernel:
    """`encode(words, codes, parameters, draw)`: stochastic rounding in the formats of `nearest_kernel` that have NaN
    and where the largest number, or the word after it, stands for what is beyond it: `over` is the limit of all.

    A number moves up by a carry: from what is cut off it and the complement of what is drawn, added up.
    """
    random, shown_sign = random_source("stochastic"), _shown_sign(has_negative_zero=has_negative_zero)

    def encode(words: Any, codes: Any, parameters: Any, draw: Any) -> None:
        drop, lowest, base, mantissa_bits, _, over, _, nan, sign, _ = parameters
        low, high, first = draw
        sign_shift = u32(0)
        while shift_right(TOP_BIT, sign_shift) > sign:
            sign_shift = u32(sign_shift + u32(1))
        cut = u32(drop + SPARE)
        undrawn, rebase = u32(u32(32) - cut), shift_left(base, mantissa_bits)
        place = u32(first - u32(1))
        for i in range(words.size):
            word = words[i]
            place = u32(place + u32(1))
            magnitude = u32(word & MAGNITUDE)
            exponent = shift_right(magnitude, u32(23))
            raised = max(exponent, lowest)
            # float32's subnormals get an implicit one too: so far down everything is shifted away.
            significand = u32(u32(shift_left(word, SPARE) | TOP_SIGNIFICANT) & MAGNITUDE)
            kept = drop_right(significand, u32(raised - exponent))
            drawn = shift_right(u32(~random(place, low, high)), undrawn)
            kept = shift_right(u32(kept + drawn), cut)
            rounded = u32(u32(kept + shift_left(raised, mantissa_bits)) - rebase)
            rounded = nan if magnitude > INFINITY else min(rounded, over)
            codes[i] = u32(rounded | shown_sign(rounded, word, sign_shift))

    found: Kernel = njit(nogil=True)(encode)
    return found


def _shown_sign(*, has_negative_zero: bool) -> Kernel:
    def always(rounded: Any, word: Any, sign_shift: Any) -> Any:
        return shift_right(u32(word & TOP_BIT), sign_shift)

    def not_at_zero(rounded: Any, word: Any, sign_shift: Any) -> Any:
        return u32(0) if rounded == u32(0) else shift_right(u32(word & TOP_BIT), sign_shift)

    return inlined(always if has_negative_zero else not_at_zero)


def _heard(rounding: str) -> Kernel:
    """The part of a share that decides: `app.codec.stochastic.share_bits` of it."""
    if rounding != "stochastic":
        return inlined(lambda rest, drop: rest)
    return inlined(lambda rest, drop: u32(rest & ~shift_right(ALL_BITS, u32(drop + SPARE))))


def _sign(*, is_signed: bool) -> Kernel:
    """Negative numbers: their sign, or NaN in a format without signs."""
    if is_signed:
        return inlined(lambda rounded, has_sign, sign, nan: u32(rounded | u32(has_sign & sign)))
    return inlined(lambda rounded, has_sign, sign, nan: nan if has_sign != u32(0) else rounded)


def _place(*, is_common: bool) -> Kernel:
    """The significand, an integer of 24 bits, and the exponent field of a magnitude."""

    def plain(magnitude: Any) -> Any:
        # A subnormal has no implicit one: the smaller of the magnitude and the one is bits that it has already.
        significand = u32(u32(magnitude & FRACTION) | min(magnitude, IMPLICIT_ONE))
        return significand, max(i32(magnitude >> u32(23)), i32(1))

    def normalised(magnitude: Any) -> Any:
        """Subnormals get a leading one, and an exponent field of 0 and below."""
        moved = i32(float_bits(i32(magnitude & FRACTION)) - i32(149 << 23))
        placed = moved if magnitude < IMPLICIT_ONE else i32(magnitude)
        significand = u32(u32(u32(placed) & FRACTION) | IMPLICIT_ONE)
        return u32(0) if magnitude == u32(0) else significand, i32(placed >> i32(23))

    return inlined(plain if is_common else normalised)


def _edges(*, is_common: bool, has_gap: bool) -> Kernel:
    """What becomes of magnitudes beyond the largest, of infinities, and of those in a gap around zero.

    Changes belong to negative numbers: `over ^ change`.
    """

    def at_the_end(rounded: Any, magnitude: Any, negative: Any, limit: Any, over: Any, change: Any, edges: Any) -> Any:
        return over if rounded > limit else rounded

    def by_sign(rounded: Any, magnitude: Any, negative: Any, limit: Any, over: Any, change: Any, edges: Any) -> Any:
        found = u32(over ^ u32(negative & change)) if rounded > limit else rounded
        return edges[0] if magnitude == INFINITY else found

    def with_gap(rounded: Any, magnitude: Any, negative: Any, limit: Any, over: Any, change: Any, edges: Any) -> Any:
        infinity, gap_end, positive_edge, edge_change, first, second, zero = edges
        threshold = u32(positive_edge ^ u32(negative & edge_change))
        near = second if magnitude >= threshold else first
        found = u32(over ^ u32(negative & change)) if rounded > limit else rounded
        found = near if magnitude < gap_end else found
        found = infinity if magnitude == INFINITY else found
        return zero if magnitude == u32(0) else found

    if has_gap:
        return inlined(with_gap)
    return inlined(at_the_end if is_common else by_sign)

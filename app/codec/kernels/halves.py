"""float32 words to bfloat16, float16 and E8M0, in few instructions: torch's casts are fast too.

What the general kernel of floats gives is given here too, NaN without its payload included.
"""

# ruff: noqa: ARG001, ARG005 - numba fixes what an intrinsic is given, and all variants of a step take the same

from functools import cache
from typing import Any

from llvmlite import binding, ir
from numba import njit, uint16, uint32
from numba.extending import intrinsic

from app.codec.kernels.lanes import (
    INFINITY,
    MAGNITUDE,
    Kernel,
    inlined,
    random_source,
    rounding_step,
    shift_left,
    shift_right,
    u32,
)

SMALLEST = u32(0x00400000)
"""2^-127, the smallest number of E8M0, as a float32."""


@cache
def bfloat16_kernel(rounding: str) -> Kernel:
    """`encode(words, codes, draw)`: what is added to a word carries into the half that stays."""
    carry, random = _bfloat16_carry(rounding), random_source(rounding)

    def encode(words: Any, codes: Any, draw: Any) -> None:
        low, high, first = draw
        place = u32(first - u32(1))
        for i in range(words.size):
            word = words[i]
            place = u32(place + u32(1))
            code = shift_right(carry(word, random(place, low, high)), u32(16))
            nan = u32(u32(shift_right(word, u32(16)) & u32(0x8000)) | u32(0x7FC0))
            codes[i] = nan if u32(word & MAGNITUDE) > INFINITY else code

    found: Kernel = njit(nogil=True)(encode)
    return found


def _bfloat16_carry(rounding: str) -> Kernel:
    half, below_half, below_one = u32(0x8000), u32(0x7FFF), u32(0xFFFF)
    carries: dict[str, Kernel] = {
        "nearest_even": lambda word, random: u32(u32(word + below_half) + u32(shift_right(word, u32(16)) & u32(1))),
        "nearest_away": lambda word, random: u32(word + half),
        "toward_zero": lambda word, random: word,
        "toward_positive": lambda word, random: u32(word + (u32(0) if word > MAGNITUDE else below_one)),
        "toward_negative": lambda word, random: u32(word + (below_one if word > MAGNITUDE else u32(0))),
        "to_odd": lambda word, random: u32(word | u32(u32(word & below_one) + below_one)),
        "stochastic": lambda word, random: u32(word + shift_right(u32(~random), u32(16))),
    }
    return inlined(carries[rounding])


@cache
def float16_kernel(rounding: str) -> Kernel | None:
    """`encode(words, codes)` by the processor's own conversion, which rounds to nearest-even.

    Other modes step to the neighbour where that has gone the wrong way. None where the processor has no conversion,
    and for the nearest modes that are not its own.
    """
    if not binding.get_host_cpu_features().get("f16c", False) or rounding in {"nearest_away", "stochastic"}:
        return None
    half_bits, widened_bits, mend = _half_bits(), _widened_bits(), _mend(rounding)

    def encode(words: Any, codes: Any) -> None:
        for i in range(words.size):
            word = words[i]
            sign = u32(shift_right(word, u32(16)) & u32(0x8000))
            half = half_bits(word)
            rounded = mend(u32(half), u32(widened_bits(half) & MAGNITUDE), u32(word & MAGNITUDE), sign)
            codes[i] = u32(sign | u32(0x7E00)) if u32(word & MAGNITUDE) > INFINITY else rounded

    found: Kernel = njit(nogil=True)(encode)
    return found


def _mend(rounding: str) -> Kernel:
    """`mend(half, back, magnitude, sign)`: magnitudes are compared as integers, float32's and that which comes back."""

    def inward(half: Any, back: Any, magnitude: Any, sign: Any) -> Any:
        return u32(half - u32(back > magnitude))

    def outward(half: Any, back: Any, magnitude: Any, sign: Any) -> Any:
        return u32(half + u32(back < magnitude))

    steps: dict[str, Kernel] = {
        "nearest_even": lambda half, back, magnitude, sign: half,
        "toward_zero": inward,
        "toward_positive": lambda half, back, magnitude, sign: (
            inward(half, back, magnitude, sign) if sign != u32(0) else outward(half, back, magnitude, sign)
        ),
        "toward_negative": lambda half, back, magnitude, sign: (
            outward(half, back, magnitude, sign) if sign != u32(0) else inward(half, back, magnitude, sign)
        ),
        "to_odd": lambda half, back, magnitude, sign: u32(inward(half, back, magnitude, sign) | u32(back != magnitude)),
    }
    inward, outward = inlined(inward), inlined(outward)
    return inlined(steps[rounding])


def _half_bits() -> Kernel:
    def build(context: Any, word: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            value = builder.bitcast(arguments[0], ir.FloatType())
            return builder.bitcast(builder.fptrunc(value, ir.HalfType()), ir.IntType(16))

        return uint16(uint32), generate

    found: Kernel = intrinsic(build)
    return found


def _widened_bits() -> Kernel:
    def build(context: Any, half: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            value = builder.bitcast(arguments[0], ir.HalfType())
            return builder.bitcast(builder.fpext(value, ir.FloatType()), ir.IntType(32))

        return uint32(uint16), generate

    found: Kernel = intrinsic(build)
    return found


@cache
def e8m0_kernel(rounding: str) -> Kernel:
    """`encode(words, codes, draw)`: a power of two is its own exponent field, and a carry from the largest gives NaN.

    Between 2^-127 and 2^-126 lie subnormals, and below is no number: the modes that point down find NaN there.
    """
    step, random = rounding_step(rounding), random_source(rounding)
    points_down = rounding in {"toward_zero", "toward_negative"}

    def encode(words: Any, codes: Any, draw: Any) -> None:
        low, high, first = draw
        place = u32(first - u32(1))
        for i in range(words.size):
            word = words[i]
            place = u32(place + u32(1))
            field = shift_right(word, u32(23))
            is_first = field == u32(0)
            rest = shift_left(word, u32(10)) if is_first else shift_left(word, u32(9))
            rest = u32(0) if word < SMALLEST else rest
            rounded = step(field, rest, u32(0), random(place, low, high))
            if points_down:
                rounded = u32(0xFF) if word < SMALLEST else rounded
            is_number = u32(word - u32(1)) < INFINITY - u32(1)
            codes[i] = min(rounded, u32(0xFF)) if is_number else u32(0xFF)

    found: Kernel = njit(nogil=True)(encode)
    return found

"""float32 words to bfloat16, float16 and E8M0, nearest-even, in few instructions: torch's casts run at memory speed.

What the general kernel of floats gives is given here too, NaN without its payload included.
"""

# ruff: noqa: ARG001 - numba fixes what an intrinsic is given

from functools import cache
from typing import Any

from llvmlite import binding, ir  # type: ignore[import-untyped]
from numba import njit, uint16, uint32
from numba.extending import intrinsic

from app.codec.kernels.lanes import INFINITY, MAGNITUDE, Kernel, shift_right, u32


@cache
def bfloat16_kernel() -> Kernel:
    """`encode(words, codes)`."""

    def encode(words: Any, codes: Any) -> None:
        for i in range(words.size):
            word = words[i]
            odd = u32(shift_right(word, u32(16)) & u32(1))
            code = shift_right(u32(u32(word + u32(0x7FFF)) + odd), u32(16))
            nan = u32(u32(shift_right(word, u32(16)) & u32(0x8000)) | u32(0x7FC0))
            codes[i] = nan if u32(word & MAGNITUDE) > INFINITY else code

    found: Kernel = njit(nogil=True)(encode)
    return found


@cache
def float16_kernel() -> Kernel | None:
    """`encode(words, codes)` by the processor's own conversion; None where it has none."""
    if not binding.get_host_cpu_features().get("f16c", False):
        return None

    def build(context: Any, word: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            value = builder.bitcast(arguments[0], ir.FloatType())
            return builder.bitcast(builder.fptrunc(value, ir.HalfType()), ir.IntType(16))

        return uint16(uint32), generate

    half_bits: Kernel = intrinsic(build)

    def encode(words: Any, codes: Any) -> None:
        for i in range(words.size):
            word = words[i]
            nan = u32(u32(shift_right(word, u32(16)) & u32(0x8000)) | u32(0x7E00))
            codes[i] = nan if u32(word & MAGNITUDE) > INFINITY else u32(half_bits(word))

    found: Kernel = njit(nogil=True)(encode)
    return found


@cache
def e8m0_kernel() -> Kernel:
    """`encode(words, codes)`: a power of two is its own exponent field, and NaN what a carry makes of the largest."""

    def encode(words: Any, codes: Any) -> None:
        for i in range(words.size):
            word = words[i]
            field = shift_right(word, u32(23))
            rounded = shift_right(u32(u32(word + u32(0x3FFFFF)) + u32(field & u32(1))), u32(23))
            # Subnormals: below 1.5 * 2^-127 and on it, the number is 2^-127.
            rounded = u32(word > u32(0x00600000)) if field == u32(0) else rounded
            is_number = u32(word - u32(1)) < u32(0x7F800000)
            codes[i] = min(rounded, u32(0xFF)) if is_number else u32(0xFF)

    found: Kernel = njit(nogil=True)(encode)
    return found

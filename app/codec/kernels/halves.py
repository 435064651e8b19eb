"""float32 words to bfloat16 and float16, nearest-even: few instructions, because torch's own casts run at memory speed.

What the general kernel of floats gives is given here too, NaN without its payload included.
"""

from functools import cache
from typing import Any

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
    from llvmlite import binding  # noqa: PLC0415 - a part of numba

    if not binding.get_host_cpu_features().get("f16c", False):
        return None

    @intrinsic  # type: ignore[untyped-decorator]  # numba has no types
    def half_bits(context: Any, word: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            from llvmlite import ir  # noqa: PLC0415

            value = builder.bitcast(arguments[0], ir.FloatType())
            return builder.bitcast(builder.fptrunc(value, ir.HalfType()), ir.IntType(16))

        return uint16(uint32), generate

    def encode(words: Any, codes: Any) -> None:
        for i in range(words.size):
            word = words[i]
            nan = u32(u32(shift_right(word, u32(16)) & u32(0x8000)) | u32(0x7E00))
            codes[i] = nan if u32(word & MAGNITUDE) > INFINITY else u32(half_bits(word))

    found: Kernel = njit(nogil=True)(encode)
    return found

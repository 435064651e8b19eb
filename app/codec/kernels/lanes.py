"""Arithmetic on 32-bit lanes, and what rounding does to the magnitude below; all of it is inlined into the loops.

Numba widens small integers to 64 bits where it can, which halves the lanes of a vector: shifts are written in LLVM.
"""

# ruff: noqa: ARG001, ARG005 - numba fixes what an intrinsic is given, and all variants of a step take the same

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from llvmlite import ir
from numba import int32, njit, uint32
from numba.extending import intrinsic

from app.codec.stochastic import FACTORS

u32, i32, u64 = np.uint32, np.int32, np.uint64

MAGNITUDE = u32(0x7FFFFFFF)
FRACTION = u32(0x007FFFFF)
IMPLICIT_ONE = u32(0x00800000)
INFINITY = u32(0x7F800000)
TOP_BIT = u32(0x80000000)
ALL_BITS = u32(0xFFFFFFFF)

Kernel = Callable[..., Any]
"""A compiled function; numba has no types to offer."""


def _shift(instruction: str) -> Kernel:
    def build(context: Any, words: Any, count: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return getattr(builder, instruction)(*arguments)

        return uint32(uint32, uint32), generate

    found: Kernel = intrinsic(build)
    return found


shift_left = _shift("shl")
"""Of two uint32, by 0 to 31 bits."""
shift_right = _shift("lshr")
"""Of two uint32, by 0 to 31 bits, zeros coming in."""


def _drop_right(context: Any, word: Any, count: Any) -> Any:
    """Vector shifts give 0 for 32 and more by themselves: the comparison that LLVM asks for vanishes in them."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        word, count = arguments
        stays = builder.icmp_unsigned("<", count, ir.Constant(ir.IntType(32), 32))
        return builder.select(stays, builder.lshr(word, count), ir.Constant(ir.IntType(32), 0))

    return uint32(uint32, uint32), generate


drop_right: Kernel = intrinsic(_drop_right)
"""`shift_right` by any number of bits: 0 from 32 on."""


def _float_bits(context: Any, word: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(builder.sitofp(arguments[0], ir.FloatType()), ir.IntType(32))

    return int32(int32), generate


float_bits: Kernel = intrinsic(_float_bits)
"""The bits of the float32 of a signed 32-bit integer."""


def _add_as_floats(context: Any, left: Any, right: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        addends = [builder.bitcast(word, ir.FloatType()) for word in arguments]
        return builder.bitcast(builder.fadd(*addends), ir.IntType(32))

    return uint32(uint32, uint32), generate


add_as_floats: Kernel = intrinsic(_add_as_floats)
"""The bits of the sum of two float32, rounded to nearest-even by the processor."""


def inlined(function: Kernel) -> Kernel:
    """The function for use in kernels."""
    found: Kernel = njit(nogil=True)(function)
    return found


@cache
def rounding_step(rounding: str) -> Kernel:
    """`step(below, rest, negative, random)`: the magnitude that the mode gives.

    `rest` is what was cut off, the first bit of it at the top; `negative` is all ones or 0.
    """
    steps: dict[str, Kernel] = {
        "nearest_even": lambda below, rest, negative, random: u32(
            below + u32(u32(rest + u32(below & u32(1))) > TOP_BIT)
        ),
        "nearest_away": lambda below, rest, negative, random: u32(below + u32(rest >= TOP_BIT)),
        "toward_zero": lambda below, rest, negative, random: below,
        "toward_positive": lambda below, rest, negative, random: u32(
            below + u32(u32(rest > u32(0)) & u32(u32(1) + negative))
        ),
        "toward_negative": lambda below, rest, negative, random: u32(below + u32(u32(rest > u32(0)) & negative)),
        "to_odd": lambda below, rest, negative, random: u32(below | u32(rest > u32(0))),
        "stochastic": lambda below, rest, negative, random: u32(below + u32(random < rest)),
    }
    return inlined(steps[rounding])


@cache
def random_source(rounding: str) -> Kernel:
    """`random(place, low, high)`: the bits of `app.codec.stochastic` for a place modulo 2^32 and the halves of its key.

    0 for modes that need none.
    """
    if rounding != "stochastic":
        return inlined(lambda place, low, high: u32(0))
    first, second, third = (u32(factor) for factor in FACTORS)

    def bits(place: Any, low: Any, high: Any) -> Any:
        x = u32(u32(place ^ low) * first)
        x = u32(u32(u32(x ^ shift_right(x, u32(15))) * second) + high)
        return u32(u32(x ^ shift_right(x, u32(14))) * third)

    return inlined(bits)


@cache
def deep_shift(rounding: str) -> Kernel:
    """`cut(significand, drop)` -> (kept, rest): the lowest `drop` bits (at least 1) of fewer than 25 are cut off.

    Only stochastic rounding asks how far below half a number is; the other modes take any depth from 31 as 31.
    """

    def shallow(significand: Any, drop: Any) -> Any:
        count = u32(min(drop, i32(31)))
        return shift_right(significand, count), shift_left(significand, u32(u32(32) - count))

    def deep(significand: Any, drop: Any) -> Any:
        count = u32(min(drop, i32(31)))
        kept, near = shift_right(significand, count), shift_left(significand, u32(u32(32) - count))
        far = shift_right(significand, u32(min(max(i32(drop - i32(32)), i32(0)), i32(31))))
        return kept, near if drop < i32(32) else far

    return inlined(deep if rounding == "stochastic" else shallow)

"""Sums over pairs of float32 in float64, sixteen lanes at a time, in one order on every machine.

Squares of float32 are exact in float64: whether a processor rounds between multiplying and adding makes no difference.
"""

# mypy: disable-error-code="untyped-decorator,misc,no-untyped-call"
# ruff: noqa: ARG001 - numba fixes what an intrinsic is given

from typing import Any

import numpy as np
from llvmlite import ir
from numba import float32, float64, int64, njit, types
from numba.core import cgutils
from numba.extending import intrinsic

LANES = 16
COLUMNS = 3
"""Of sums: of x^2, y^2 and (x - y)^2."""

_LONG, _DOUBLE = ir.IntType(64), ir.DoubleType()
_FLOATS, _DOUBLES = ir.VectorType(ir.FloatType(), LANES), ir.VectorType(_DOUBLE, LANES)
_WORDS = ir.VectorType(_LONG, LANES)


def _larger(builder: Any, one: Any, other: Any) -> Any:
    return builder.select(builder.icmp_unsigned(">", one, other), one, other)


def _folded(builder: Any, vector: Any, join: Any) -> Any:
    """Halves are joined until one lane is left."""
    count = LANES
    while count > 1:
        count //= 2
        halves = (
            ir.Constant(ir.VectorType(ir.IntType(32), count), list(range(start, start + count))) for start in (0, count)
        )
        vector = join(*(builder.shuffle_vector(vector, vector, half) for half in halves))
    return builder.extract_element(vector, ir.IntType(32)(0))


def _loaded(builder: Any, array: Any, place: Any) -> Any:
    pointer = builder.bitcast(builder.gep(builder.extract_value(array, 4), [place]), _FLOATS.as_pointer())
    return builder.fpext(builder.load(pointer, align=4), _DOUBLES)


def _sums(context: Any, x: Any, start: Any, y: Any, place: Any, count: Any) -> Any:
    """`(x, start, y, place, count)`: sums of x^2, y^2, (x - y)^2 and the largest |x - y| of whole vectors of pairs."""
    array = types.Array(float32, 1, "C")
    result = types.UniTuple(float64, 4)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        x, start, y, place, count = arguments
        zeros = [ir.Constant(_DOUBLES, [0.0] * LANES)] * 3 + [ir.Constant(_WORDS, [0] * LANES)]
        room = [cgutils.alloca_once(builder, zero.type) for zero in zeros]
        for zero, memory in zip(zeros, room, strict=True):
            builder.store(zero, memory)
        with cgutils.for_range_slice(builder, _LONG(0), count, _LONG(LANES), _LONG) as (index, _):
            one = _loaded(builder, x, builder.add(start, index))
            other = _loaded(builder, y, builder.add(place, index))
            error = builder.fsub(one, other)
            exact = ("contract",)
            for memory, number in ((room[0], one), (room[1], other)):
                square = builder.fmul(number, number, flags=exact)
                builder.store(builder.fadd(builder.load(memory), square, flags=exact), memory)
            builder.store(builder.fadd(builder.load(room[2]), builder.fmul(error, error)), room[2])
            # as words, in which a NaN is larger than all
            size = builder.and_(builder.bitcast(error, _WORDS), ir.Constant(_WORDS, [(1 << 63) - 1] * LANES))
            builder.store(_larger(builder, size, builder.load(room[3])), room[3])
        sums = [_folded(builder, builder.load(each), builder.fadd) for each in room[:3]]
        largest = _folded(builder, builder.load(room[3]), lambda a, b: _larger(builder, a, b))
        return context.make_tuple(builder, result, [*sums, builder.bitcast(largest, _DOUBLE)])

    return result(array, int64, array, int64, int64), generate


_vector_sums: Any = intrinsic(_sums)


@njit(nogil=True, error_model="numpy")
def add_pairs(x: Any, start: Any, y: Any, place: Any, count: Any, sums: Any, row: Any) -> Any:
    """Adds `count` pairs from two places on to a row of sums; gives the largest |x - y|, any number beside a NaN."""
    whole = count // LANES * LANES
    squares, others, errors, largest = _vector_sums(x, np.int64(start), y, np.int64(place), np.int64(whole))
    for i in range(whole, count):
        one, other = np.float64(x[start + i]), np.float64(y[place + i])
        error = one - other
        squares, others, errors = squares + one * one, others + other * other, errors + error * error
        largest = max(largest, abs(error))
    sums[row, 0] += squares
    sums[row, 1] += others
    sums[row, 2] += errors
    return largest


@njit(nogil=True, error_model="numpy")
def note_peak(x: Any, start: Any, y: Any, place: Any, count: Any, largest: Any, origin: Any, peak: Any) -> None:
    """Where the error of some pairs is larger than before, `peak` gets it and the place of the first such pair.

    `origin` is what is added to a place among the pairs.
    """
    if not largest > peak[0]:
        return
    for i in range(count):
        if abs(np.float64(x[start + i]) - np.float64(y[place + i])) == largest:
            peak[0], peak[1] = largest, origin + i
            return


@njit(nogil=True, cache=True, error_model="numpy")
def sum_pairs(x: Any, y: Any, block: Any, tile: Any, sums: Any, peak: Any) -> None:
    """The sums of blocks of so many pairs, a tile at a time, and the largest error."""
    for row in range(len(sums)):
        end = min((row + 1) * block, x.size)
        for start in range(row * block, end, tile):
            count = min(tile, end - start)
            largest = add_pairs(x, start, y, start, count, sums, row)
            note_peak(x, start, y, start, count, largest, start, peak)

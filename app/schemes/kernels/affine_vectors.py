"""Vectors and numbers at addresses: numba counts references to arrays wherever they pass, and to addresses it does not.

Who hands an address on keeps its array alive.
"""

# mypy: disable-error-code="no-untyped-call"

from typing import Any

from llvmlite import ir
from numba import int64, uint16, void
from numba.core import cgutils

from app.schemes.kernels.vectors import LANES, _instruction, floats, wide, words

_LONG = ir.IntType(64)
_SHORT = ir.IntType(16)
_NOTHING = ir.Constant(ir.IntType(8).as_pointer(), None)


def _put(kind: Any, element: Any, size: int) -> Any:
    """`put(address, place, value)`, places counted in elements of so many bytes; what is too wide loses its top."""

    def write(builder: Any, address: Any, place: Any, value: Any) -> Any:
        there = builder.inttoptr(builder.add(address, builder.mul(place, _LONG(size))), kind.as_pointer())
        builder.store(value if value.type == kind else builder.trunc(value, kind), there, align=size)
        return _NOTHING

    return _instruction(void, (int64, int64, element), write)


put_bytes = _put(ir.VectorType(ir.IntType(8), LANES), words, 1)
"""The low bytes of sixteen words."""
put_shorts = _put(ir.VectorType(_SHORT, LANES), words, 2)
"""The low halves of sixteen words."""
put_short = _put(_SHORT, uint16, 2)
"""One 16-bit number."""


def _short(builder: Any, address: Any, place: Any) -> Any:
    there = builder.add(address, builder.mul(place, _LONG(2)))
    return builder.zext(builder.load(builder.inttoptr(there, _SHORT.as_pointer())), _LONG)


short_of = _instruction(int64, (int64, int64), _short)
"""One 16-bit number, without the sign that an index could have."""
without = _instruction(
    wide,
    (wide, int64),
    lambda builder, vector, lane: builder.insert_element(vector, ir.IntType(32)(0xFFFFFFFF), lane),
)
"""Thirty-two words, that lane at its largest."""
_FLOATS = ir.VectorType(ir.FloatType(), LANES)
put_floats = _put(_FLOATS, floats, 4)
"""Sixteen float32."""
put_words = _put(ir.VectorType(ir.IntType(32), LANES), words, 4)
"""Sixteen words."""
put_wide = _put(ir.VectorType(ir.IntType(32), 2 * LANES), wide, 4)
"""Thirty-two words."""


def _called(name: str) -> Any:
    def emit(builder: Any, *values: Any) -> Any:
        kind = ir.FunctionType(_FLOATS, [_FLOATS] * len(values))
        found = cgutils.get_or_insert_function(builder.module, kind, f"llvm.{name}.v{LANES}f32")
        return builder.call(found, values)

    return emit


fused = _instruction(floats, (floats, floats, floats), _called("fma"))
"""`fused(a, b, c)` = a * b + c, rounded once."""
rounded = _instruction(floats, (floats,), _called("rint"))
"""To whole numbers, half to even."""
magnitude = _instruction(floats, (floats,), _called("fabs"))
"""Absolute values."""


def _fetched(builder: Any, address: Any, place: Any) -> Any:
    pointer, number = ir.IntType(8).as_pointer(), ir.IntType(32)
    kind = ir.FunctionType(ir.VoidType(), [pointer, number, number, number])
    there = builder.inttoptr(builder.add(address, builder.mul(place, _LONG(4))), pointer)
    found = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
    builder.call(found, [there, number(0), number(3), number(1)])
    return _NOTHING


prefetch = _instruction(void, (int64, int64), _fetched)
"""The line of the float32 at that place will be read; nothing happens where there is no memory."""


def _row(builder: Any, address: Any, place: Any) -> Any:
    there = builder.add(address, builder.mul(place, _LONG(4)))
    return builder.inttoptr(there, _FLOATS.as_pointer())


def _transposed(builder: Any, source: Any, stride: Any, target: Any) -> Any:
    """Four rounds of shuffles that interleave: after each, the index of a row has moved by one bit into the lanes."""
    rows = [builder.load(_row(builder, source, builder.mul(stride, _LONG(row))), align=4) for row in range(LANES)]
    half = LANES // 2
    low = [lane // 2 + LANES * (lane % 2) for lane in range(LANES)]
    orders = [ir.Constant(ir.VectorType(ir.IntType(32), LANES), [lane + first for lane in low]) for first in (0, half)]
    for _ in range(4):
        rows = [builder.shuffle_vector(rows[row], rows[row + half], order) for row in range(half) for order in orders]
    for row in range(LANES):
        builder.store(rows[row], _row(builder, target, _LONG(LANES * row)), align=4)
    return _NOTHING


transpose = _instruction(void, (int64, int64, int64), _transposed)
"""`transpose(source, stride, target)`: sixteen rows of sixteen, to lanes that are rows one after another."""

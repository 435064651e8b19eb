"""Vectors and numbers at addresses: numba counts references to arrays wherever they pass, and to addresses it does not.

Who hands an address on keeps its array alive.
"""

from typing import Any

from llvmlite import ir
from numba import int64, uint16, void

from app.schemes.kernels.vectors import LANES, _instruction, wide, words

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

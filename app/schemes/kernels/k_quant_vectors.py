"""Vectors of sixteen float32 for kernels: a lane for each sub-block, so that every sum has one order on all machines.

LLVM lowers them to what the processor has; `fused` rounds once, everywhere.
"""

# mypy: disable-error-code="misc,no-untyped-call"
# ruff: noqa: ARG001 - numba fixes what an intrinsic is given

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, models, overload, register_model

from app.codec.kernels.lanes import Kernel

LANES = 16
_VECTOR = ir.VectorType(ir.FloatType(), LANES)
_BYTES = ir.VectorType(ir.IntType(8), LANES)
_ALIGNMENT = 4


class Lanes(types.Type):  # type: ignore[name-defined, unused-ignore]
    """Sixteen float32 in one register."""

    def __init__(self) -> None:
        """The only type of its kind."""
        super().__init__(name="Lanes")


LANES_TYPE = Lanes()


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):  # type: ignore[name-defined, unused-ignore]
    def __init__(self, manager: Any, lanes: Any) -> None:
        super().__init__(manager, lanes, _VECTOR)


def _place(context: Any, builder: Any, signature: Any, arguments: Any, vector: Any) -> Any:
    """The address of the first of sixteen elements."""
    array = context.make_array(signature.args[0])(context, builder, arguments[0])
    return builder.bitcast(builder.gep(array.data, [arguments[1]]), vector.as_pointer())


def _load(context: Any, array: Any, index: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load(_place(context, builder, signature, arguments, _VECTOR), align=_ALIGNMENT)

    return LANES_TYPE(array, types.intp), generate


def _store(context: Any, array: Any, index: Any, value: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.store(arguments[2], _place(context, builder, signature, arguments, _VECTOR), align=_ALIGNMENT)
        return context.get_dummy_value()

    return types.void(array, types.intp, LANES_TYPE), generate


def _store_bytes(context: Any, array: Any, index: Any, value: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        whole = builder.fptosi(arguments[2], ir.VectorType(ir.IntType(32), LANES))
        narrow = builder.trunc(whole, _BYTES)
        builder.store(narrow, _place(context, builder, signature, arguments, _BYTES), align=1)
        return context.get_dummy_value()

    return types.void(array, types.intp, LANES_TYPE), generate


def _splat(context: Any, value: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        first = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), arguments[0], ir.IntType(32)(0))
        zeros = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
        return builder.shuffle_vector(first, ir.Constant(_VECTOR, ir.Undefined), zeros)

    return LANES_TYPE(types.float32), generate


def _transposed(context: Any, source: Any, start: Any, stride: Any, target: Any, place: Any) -> Any:
    """Four rounds of shuffles that interleave: after each, the index of a row has moved by one bit into the lanes."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        rows, here = [], arguments[1]
        for _ in range(LANES):
            pointer = builder.bitcast(builder.gep(data, [here]), _VECTOR.as_pointer())
            rows.append(builder.load(pointer, align=_ALIGNMENT))
            here = builder.add(here, arguments[2])
        half = LANES // 2
        low = [lane // 2 + LANES * (lane % 2) for lane in range(LANES)]
        masks = [
            ir.Constant(ir.VectorType(ir.IntType(32), LANES), [lane + offset for lane in low]) for offset in (0, half)
        ]
        for _ in range(4):
            rows = [builder.shuffle_vector(rows[row], rows[row + half], mask) for row in range(half) for mask in masks]
        data = context.make_array(signature.args[3])(context, builder, arguments[3]).data
        for row in range(LANES):
            index = builder.add(arguments[4], ir.IntType(64)(LANES * row))
            builder.store(rows[row], builder.bitcast(builder.gep(data, [index]), _VECTOR.as_pointer()), align=4)
        return context.get_dummy_value()

    return types.void(source, types.intp, types.intp, target, types.intp), generate


load: Kernel = intrinsic(_load)
"""`load(array, index)`: sixteen float32 from there on."""
store: Kernel = intrinsic(_store)
"""`store(array, index, lanes)`."""
store_bytes: Kernel = intrinsic(_store_bytes)
"""`store_bytes(bytes, index, lanes)`: whole numbers as sixteen bytes, modulo 256."""
splat: Kernel = intrinsic(_splat)
"""The same float32 in all lanes."""
transpose: Kernel = intrinsic(_transposed)
"""`transpose(source, start, stride, target, place)`: sixteen rows of sixteen, to lanes that are rows."""


def _exponent_part(context: Any, lanes: Any) -> Any:
    """Without sign and mantissa bits."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        words = ir.VectorType(ir.IntType(32), LANES)
        masks = ir.Constant(words, [0x7F800000] * LANES)
        return builder.bitcast(builder.and_(builder.bitcast(arguments[0], words), masks), _VECTOR)

    return LANES_TYPE(LANES_TYPE), generate


power_below: Kernel = intrinsic(_exponent_part)
"""The power of two at or below each normal magnitude."""


def _swapped(distance: int) -> Kernel:
    """Lane i gets lane i ^ distance."""

    def build(context: Any, lanes: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            mask = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [lane ^ distance for lane in range(LANES)])
            return builder.shuffle_vector(arguments[0], arguments[0], mask)

        return LANES_TYPE(LANES_TYPE), generate

    found: Kernel = intrinsic(build)
    return found


swap_1, swap_2, swap_4, swap_8 = (_swapped(distance) for distance in (1, 2, 4, 8))
"""Lane i gets lane i ^ 1, and so on: what sums and largest numbers of super-blocks are made of."""


def _call(name: str, count: int) -> Kernel:
    """An LLVM intrinsic over vectors."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        function_type = ir.FunctionType(_VECTOR, [_VECTOR] * count)
        function = cgutils.get_or_insert_function(builder.module, function_type, f"llvm.{name}.v{LANES}f32")
        return builder.call(function, arguments)

    def one(context: Any, first: Any) -> Any:
        return LANES_TYPE(LANES_TYPE), generate

    def three(context: Any, first: Any, second: Any, third: Any) -> Any:
        return LANES_TYPE(LANES_TYPE, LANES_TYPE, LANES_TYPE), generate

    found: Kernel = intrinsic(one if count == 1 else three)
    return found


fused = _call("fma", 3)
"""`fused(a, b, c)` = a * b + c, rounded once."""
rounded = _call("rint", 1)
"""To whole numbers, half to even."""
magnitude = _call("fabs", 1)
"""Absolute values."""


def _compared(comparison: str, *, keeps: bool) -> Kernel:
    """`choose(left, right, yes, no)`, or the one of left and right for which the comparison holds."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        holds = builder.fcmp_ordered(comparison, arguments[0], arguments[1])
        yes, no = arguments[:2] if keeps else arguments[2:]
        return builder.select(holds, yes, no)

    def two(context: Any, left: Any, right: Any) -> Any:
        return LANES_TYPE(LANES_TYPE, LANES_TYPE), generate

    def four(context: Any, left: Any, right: Any, yes: Any, no: Any) -> Any:
        return LANES_TYPE(LANES_TYPE, LANES_TYPE, LANES_TYPE, LANES_TYPE), generate

    found: Kernel = intrinsic(two if keeps else four)
    return found


lesser = _compared("<", keeps=True)
"""The smaller of each pair of lanes; of finite numbers only."""
greater = _compared(">", keeps=True)
"""The larger of each pair of lanes."""
where_less = _compared("<", keeps=False)
"""`where_less(left, right, yes, no)`: yes where left < right."""


def _arithmetic(symbol: Callable[..., Any], instruction: str) -> None:
    def build(context: Any, left: Any, right: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return getattr(builder, instruction)(*arguments)

        return LANES_TYPE(LANES_TYPE, LANES_TYPE), generate

    operation: Kernel = intrinsic(build)

    def typed(left: Any, right: Any) -> Any:
        if isinstance(left, Lanes) and isinstance(right, Lanes):
            return lambda left, right: operation(left, right)  # noqa: PLW0108 - numba reads its source
        return None

    typed.__annotations__.clear()  # numba compares signatures, and a lambda has none
    overload(symbol)(typed)


_arithmetic(operator.add, "fadd")
_arithmetic(operator.sub, "fsub")
_arithmetic(operator.mul, "fmul")
_arithmetic(operator.truediv, "fdiv")

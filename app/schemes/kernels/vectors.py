"""Vectors of sixteen float32 or 32-bit words as values in numba: what is written once lowers to any processor.

Sums over lanes have one order on every machine: halves are added until one lane is left.
"""

# mypy: disable-error-code="untyped-decorator,misc,no-untyped-call"
# ruff: noqa: ARG001, ARG002, ARG005 - numba fixes what an intrinsic is given

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import binding, ir
from numba import float32, int64, types, uint8, uint16, uint32, void
from numba.core import cgutils, config
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, models, register_model

LANES = 16


class Vector(types.Type):
    """So many lanes of one of numba's numbers."""

    def __init__(self, element: Any, count: int) -> None:
        self.element, self.count = element, count
        super().__init__(name=f"Vector({element}, {count})")


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager: Any, vector: Any) -> None:
        lane = ir.FloatType() if vector.element == float32 else ir.IntType(vector.element.bitwidth)
        super().__init__(manager, vector, ir.VectorType(lane, vector.count))


floats = Vector(float32, LANES)
words = Vector(uint32, LANES)
shorts = Vector(uint16, 2 * LANES)
wide = Vector(uint32, 2 * LANES)

_LANE = ir.IntType(32)
_FLOAT_LANES, _WORD_LANES = ir.VectorType(ir.FloatType(), LANES), ir.VectorType(_LANE, LANES)
_SHORT_LANES, _WIDE_LANES = ir.VectorType(ir.IntType(16), 2 * LANES), ir.VectorType(_LANE, 2 * LANES)


class _SameTwice(AbstractTemplate):
    def generic(self, args: Any, kws: Any) -> Any:
        left, right = args
        return signature(left, left, left) if isinstance(left, Vector) and left == right else None


def _operator(symbol: Any, of_floats: str, of_words: str) -> None:
    infer_global(symbol)(type(f"_{symbol.__name__}", (_SameTwice,), {"key": symbol}))

    @lower_builtin(symbol, Vector, Vector)
    def lower(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        name = of_floats if signature.args[0].element == float32 else of_words
        return getattr(builder, name)(*arguments)


_operator(operator.add, "fadd", "add")
_operator(operator.sub, "fsub", "sub")
_operator(operator.mul, "fmul", "mul")
_operator(operator.truediv, "fdiv", "")
_operator(operator.and_, "", "and_")
_operator(operator.or_, "", "or_")
_operator(operator.xor, "", "xor")
_operator(operator.lshift, "", "shl")
_operator(operator.rshift, "", "lshr")


def _instruction(result: Any, arguments: tuple[Any, ...], emit: Callable[..., Any]) -> Any:
    """An intrinsic of given types; `emit` is handed the builder and LLVM's values."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return emit(builder, *values)

    def typed(*given: Any) -> Any:
        return result(*arguments), generate

    builds = (
        lambda context, a: typed(a),
        lambda context, a, b: typed(a, b),
        lambda context, a, b, c: typed(a, b, c),
        lambda context, a, b, c, d: typed(a, b, c, d),
    )
    return intrinsic(builds[len(arguments) - 1])


def _splat(builder: Any, value: Any, kind: Any) -> Any:
    first = builder.insert_element(ir.Constant(kind, ir.Undefined), value, _LANE(0))
    return builder.shuffle_vector(
        first, ir.Constant(kind, ir.Undefined), ir.Constant(ir.VectorType(_LANE, LANES), None)
    )


word_of = _instruction(uint32, (float32,), lambda builder, value: builder.bitcast(value, _LANE))
"""The word of one float."""
float_of = _instruction(float32, (uint32,), lambda builder, word: builder.bitcast(word, ir.FloatType()))
"""The float of one word."""
spread = _instruction(floats, (float32,), lambda builder, value: _splat(builder, value, _FLOAT_LANES))
"""One float32 in every lane."""
spread_word = _instruction(words, (uint32,), lambda builder, value: _splat(builder, value, _WORD_LANES))
"""One word in every lane."""
bits_of = _instruction(words, (floats,), lambda builder, vector: builder.bitcast(vector, _WORD_LANES))
"""The words of floats."""
floats_of = _instruction(floats, (words,), lambda builder, vector: builder.bitcast(vector, _FLOAT_LANES))
"""The floats of words."""
to_floats = _instruction(floats, (words,), lambda builder, vector: builder.sitofp(vector, _FLOAT_LANES))
"""Signed words as floats."""
smaller = _instruction(
    floats, (floats, floats), lambda builder, a, b: builder.select(builder.fcmp_ordered("<", a, b), a, b)
)
"""Lane by lane; of no NaN."""
larger = _instruction(
    floats, (floats, floats), lambda builder, a, b: builder.select(builder.fcmp_ordered(">", a, b), a, b)
)
"""Lane by lane; of no NaN."""
larger_word = _instruction(
    words, (words, words), lambda builder, a, b: builder.select(builder.icmp_unsigned(">", a, b), a, b)
)
"""Lane by lane."""
smaller_word = _instruction(
    words, (words, words), lambda builder, a, b: builder.select(builder.icmp_unsigned("<", a, b), a, b)
)
"""Lane by lane."""
above = _instruction(
    words, (floats, floats), lambda builder, a, b: builder.sext(builder.fcmp_ordered(">", a, b), _WORD_LANES)
)
"""All ones where a > b, else 0."""
word_above = _instruction(
    words, (words, words), lambda builder, a, b: builder.sext(builder.icmp_unsigned(">", a, b), _WORD_LANES)
)
"""All ones where a > b, else 0."""


def _choose(builder: Any, mask: Any, a: Any, b: Any) -> Any:
    return builder.select(builder.icmp_signed("<", mask, ir.Constant(_WORD_LANES, None)), a, b)


choose = _instruction(floats, (words, floats, floats), _choose)
"""Lanes of a where the mask of `above` is ones, else of b."""
choose_word = _instruction(words, (words, words, words), _choose)
"""The same of words."""


def _reduced(vector: str, lane: Any, name: str) -> Any:
    def emit(builder: Any, value: Any) -> Any:
        kind = ir.FunctionType(lane, [value.type])
        found = cgutils.get_or_insert_function(builder.module, kind, f"llvm.vector.reduce.{name}.{vector}")
        return builder.call(found, [value])

    return emit


largest_word = _instruction(uint32, (words,), _reduced("v16i32", _LANE, "umax"))
"""Of all lanes, as numbers without sign."""
least_wide = _instruction(uint32, (wide,), _reduced("v32i32", _LANE, "umin"))
"""Of all lanes, as numbers without sign."""


def _sum(builder: Any, vector: Any) -> Any:
    count = LANES
    while count > 1:
        count //= 2
        halves = (ir.Constant(ir.VectorType(_LANE, count), list(range(start, start + count))) for start in (0, count))
        low, high = (builder.shuffle_vector(vector, vector, half) for half in halves)
        vector = builder.fadd(low, high)
    return builder.extract_element(vector, _LANE(0))


total = _instruction(float32, (floats,), _sum)
"""The sum of lanes, by halves."""


def _address(builder: Any, array: Any, place: Any, kind: Any) -> Any:
    """Of contiguous arrays: the pointer to its data is the fifth thing in numba's struct of it."""
    pointer = builder.gep(builder.extract_value(array, 4), [place])
    return builder.bitcast(pointer, kind.as_pointer())


def _access(kind: Any, vector: Any, element: Any, *, is_store: bool = False, align: int = 1) -> Any:
    """`load(array, place)` or `store(array, place, vector)`, places counted in elements of the array."""

    def load(builder: Any, array: Any, place: Any) -> Any:
        return builder.load(_address(builder, array, place, kind), align=align)

    def store(builder: Any, array: Any, place: Any, value: Any) -> Any:
        narrow = value if value.type == kind else builder.trunc(value, kind)
        builder.store(narrow, _address(builder, array, place, kind), align=align)
        return ir.Constant(ir.IntType(8).as_pointer(), None)

    array = types.Array(element, 1, "C")
    if is_store:
        return _instruction(void, (array, int64, vector), store)
    return _instruction(vector, (array, int64), load)


load = _access(_FLOAT_LANES, floats, float32)
"""`load(array, place)`: sixteen float32 from that place on."""
store = _access(_FLOAT_LANES, floats, float32, is_store=True)
store_bytes = _access(ir.VectorType(ir.IntType(8), LANES), words, uint8, is_store=True)
"""The low bytes of sixteen words."""
store_shorts = _access(ir.VectorType(ir.IntType(16), LANES), words, uint16, is_store=True)
"""The low halves of sixteen words."""
short_at = _instruction(
    int64,
    (types.Array(uint16, 1, "C"), int64),
    lambda builder, array, place: builder.zext(
        builder.load(_address(builder, array, place, ir.IntType(16))), ir.IntType(64)
    ),
)
"""One 16-bit number, without the sign that an index could have."""
_LONG = ir.IntType(64)
load_long = _instruction(
    types.uint64,
    (types.Array(uint8, 1, "C"), int64),
    lambda builder, array, place: builder.load(_address(builder, array, place, _LONG), align=1),
)
"""Eight bytes, the first in the lowest bits."""
_BYTES = ir.VectorType(ir.IntType(8), LANES)
load_bytes = _instruction(
    words,
    (types.Array(uint8, 1, "C"), int64),
    lambda builder, array, place: builder.zext(
        builder.load(_address(builder, array, place, _BYTES), align=1), _WORD_LANES
    ),
)
"""Sixteen bytes as words."""
load_quads = _instruction(
    words,
    (types.Array(uint8, 1, "C"), int64),
    lambda builder, array, place: builder.load(_address(builder, array, place, _WORD_LANES), align=1),
)
"""Sixty-four bytes as sixteen words."""
store_quads = _access(_WORD_LANES, words, uint8, is_store=True)
"""Sixteen words as sixty-four bytes."""
store_long = _access(_LONG, types.uint64, uint8, is_store=True)
"""Eight bytes, the lowest bits first."""
store_pairs = _access(ir.VectorType(ir.IntType(16), LANES), words, uint8, is_store=True)
"""The low halves of sixteen words, as thirty-two bytes."""


def _at_address(vector: Any, kind: Any, size: int, align: int) -> Any:
    """`load(address, place)`: numba counts references to arrays wherever they pass, and to addresses it does not."""

    def read(builder: Any, address: Any, place: Any) -> Any:
        there = builder.add(address, builder.mul(place, ir.Constant(_LONG, size)))
        return builder.load(builder.inttoptr(there, kind.as_pointer()), align=align)

    return _instruction(vector, (int64, int64), read)


load_row = _at_address(shorts, _SHORT_LANES, 2, 64)
"""Thirty-two 16-bit numbers, from a place that is a multiple of 64 bytes."""
load_floats = _at_address(floats, _FLOAT_LANES, 4, 4)
"""Sixteen float32."""
load_wide = _at_address(wide, _WIDE_LANES, 4, 4)
"""Thirty-two words."""
store_words = _access(_WORD_LANES, words, uint32, is_store=True)
"""Sixteen words."""
to_words = _instruction(words, (floats,), lambda builder, vector: builder.fptosi(vector, _WORD_LANES))
"""Floats within their range as signed words, what is behind the point cut off."""


def _wide(builder: Any, value: Any) -> Any:
    first = builder.insert_element(ir.Constant(_WIDE_LANES, ir.Undefined), value, _LANE(0))
    zeros = ir.Constant(ir.VectorType(_LANE, 2 * LANES), None)
    return builder.shuffle_vector(first, ir.Constant(_WIDE_LANES, ir.Undefined), zeros)


spread_wide = _instruction(wide, (uint32,), _wide)
"""One word in each of thirty-two lanes."""
load_codes = _at_address(words, _WORD_LANES, 4, 4)
"""Sixteen words."""
float_at = _at_address(float32, ir.FloatType(), 4, 4)
"""One float32."""


def _saturating(builder: Any, a: Any, b: Any) -> Any:
    kind = ir.FunctionType(a.type, [a.type, b.type])
    found = cgutils.get_or_insert_function(builder.module, kind, "llvm.uadd.sat.v32i16")
    return builder.call(found, [a, b])


add_saturating = _instruction(shorts, (shorts, shorts), _saturating)
"""Sums of 16 bits that stop at 65535."""


def _with_phase(builder: Any, sums: Any, number: Any, factors: Any) -> Any:
    """(number * factor) mod 2^16 is a fraction of a step with a sign; half of it, squared, without the last 16 bits."""
    short = builder.trunc(number, ir.IntType(16))
    first = builder.insert_element(ir.Constant(_SHORT_LANES, ir.Undefined), short, _LANE(0))
    zeros = ir.Constant(ir.VectorType(_LANE, 2 * LANES), None)
    spread = builder.shuffle_vector(first, ir.Constant(_SHORT_LANES, ir.Undefined), zeros)
    phases = builder.ashr(builder.mul(spread, factors), ir.Constant(_SHORT_LANES, [1] * 2 * LANES))
    wide = builder.sext(phases, _WIDE_LANES)
    squares = builder.lshr(builder.mul(wide, wide), ir.Constant(_WIDE_LANES, [16] * 2 * LANES))
    return _saturating(builder, sums, builder.trunc(squares, _SHORT_LANES))


add_phase = _instruction(shorts, (shorts, int64, shorts), _with_phase)
"""How far number * factor / 2^16 lies from a whole number, squared and times 2^14, is added to each of 32 sums of 16
bits, which stop at 65535: `add_phase(sums, number, factors)`."""
widened = _instruction(wide, (shorts,), lambda builder, vector: builder.zext(vector, _WIDE_LANES))
"""To 32 bits."""
wide_of = _instruction(
    wide,
    (types.Array(uint32, 1, "C"), int64),
    lambda builder, array, place: builder.load(_address(builder, array, place, _WIDE_LANES), align=4),
)
"""Thirty-two words of an array."""
no_shorts = _instruction(shorts, (int64,), lambda builder, value: ir.Constant(_SHORT_LANES, None))
"""Zeros, whatever it is given."""
no_wide = _instruction(wide, (int64,), lambda builder, value: ir.Constant(_WIDE_LANES, None))
"""Zeros, whatever it is given."""


def _numbered(builder: Any, vector: Any) -> Any:
    five = ir.Constant(_WIDE_LANES, [5] * 2 * LANES)
    return builder.or_(builder.shl(vector, five), ir.Constant(_WIDE_LANES, list(range(2 * LANES))))


numbered = _instruction(wide, (wide,), _numbered)
"""Each sum of at most 27 bits times 32, plus the number of its lane: the least names the first of the least."""
lane_of = _instruction(uint32, (wide, int64), lambda builder, vector, lane: builder.extract_element(vector, lane))
"""One lane."""


def _has_picks() -> bool:
    """Whether code is made for processors that pick from sixteen floats at once."""
    chosen = getattr(config, "CPU_FEATURES", None)
    if chosen is not None:
        return "+avx512f" in chosen
    return bool(binding.get_host_cpu_features().get("avx512f", False))


def _pick(builder: Any, table: Any, index: Any) -> Any:
    if _has_picks():
        kind = ir.FunctionType(_FLOAT_LANES, [_FLOAT_LANES, _WORD_LANES])
        found = cgutils.get_or_insert_function(builder.module, kind, "llvm.x86.avx512.permvar.sf.512")
        return builder.call(found, [table, index])
    entries = [_splat(builder, builder.extract_element(table, _LANE(lane)), _FLOAT_LANES) for lane in range(LANES)]
    for bit in range(4):
        place = ir.Constant(_WORD_LANES, [1 << bit] * LANES)
        is_set = builder.icmp_unsigned("!=", builder.and_(index, place), ir.Constant(_WORD_LANES, None))
        entries = [builder.select(is_set, high, low) for low, high in zip(entries[0::2], entries[1::2], strict=True)]
    return entries[0]


def _place(builder: Any, values: Any, thresholds: Any) -> Any:
    """By halving where sixteen floats can be picked from at once, else by counting."""
    if not _has_picks():
        count = ir.Constant(_WORD_LANES, None)
        for lane in range(LANES - 1):
            one = _splat(builder, builder.extract_element(thresholds, _LANE(lane)), _FLOAT_LANES)
            count = builder.sub(count, builder.sext(builder.fcmp_ordered(">", values, one), _WORD_LANES))
        return count
    place = ir.Constant(_WORD_LANES, None)
    for step in (8, 4, 2, 1):
        order = ir.Constant(_WORD_LANES, [min(lane + step - 1, LANES - 1) for lane in range(LANES)])
        moved = builder.shuffle_vector(thresholds, ir.Constant(_FLOAT_LANES, ir.Undefined), order)
        middle = _splat(builder, builder.extract_element(moved, _LANE(0)), _FLOAT_LANES)
        if step < 8:
            middle = _pick(builder, moved, place)
        here = ir.Constant(_WORD_LANES, [step] * LANES)
        is_above = builder.fcmp_ordered(">", values, middle)
        place = builder.select(is_above, builder.or_(place, here), place)
    return place


place_of = _instruction(words, (floats, floats), _place)
"""How many of fifteen ascending thresholds (the sixteenth float is not looked at) lie below each float."""
pick = _instruction(floats, (floats, words), _pick)
"""`pick(table, index)`: of sixteen floats the one that each lane's index (0 to 15) names."""

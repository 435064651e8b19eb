"""Arithmetic against hardware through NumPy, Berkeley's SoftPosit, and an exhaustive look-up of small formats."""

import math
import operator
import random
import time
from collections.abc import Callable
from fractions import Fraction
from math import isqrt

import numpy as np
import pytest
import softposit
from hypothesis import given
from hypothesis import strategies as st

from app.errors import InvalidInput
from app.exact import Finite, Infinity, NaN, Number, decode, encode, parse, to_number
from app.exact.arithmetic import (
    Operation,
    Result,
    add,
    calculate,
    divide,
    fused_multiply_add,
    multiply,
    square_root,
    subtract,
)
from app.formats import FloatFormat, Format, find_format
from tests.exact.arithmetic_oracle import MODES, agrees

BINARY: dict[Operation, Callable[[Fraction, Fraction], Fraction]] = {
    Operation.ADD: operator.add,
    Operation.SUBTRACT: operator.sub,
    Operation.MULTIPLY: operator.mul,
    Operation.DIVIDE: operator.truediv,
}
SMALL = (
    *("float6_e2m3fn", "float6_e3m2fn", "binary6p3sf", "binary6p2se", "binary6p3ue", "e3m2", "e3m2:specials=nan-only"),
    *("e2m3:no-subnormals:specials=none", "e3m2:no-negative-zero", "posit6", "posit6:es=1", "takum_linear6"),
    *("int6", "uint6", "int6:sign-magnitude", "int6:ones-complement", "q2.3", "uq3.3", "nf4", "fp4_bnb"),
)


def random_codes(number_format: Format, count: int, seed: int) -> list[int]:
    """Random codes, half of them of special sizes: zeros, ends, neighbours of powers of two."""
    source, width = random.Random(seed), number_format.width
    edges = [0, 1, 2, 1 << (width - 1), (1 << (width - 1)) - 1, (1 << width) - 1]
    if isinstance(number_format, FloatFormat):
        one = number_format.bias << number_format.mantissa_bits
        inf = number_format.infinity_magnitude or 0
        edges += [one, one + 1, one - 1, number_format.max_magnitude, inf, inf | 1, inf | number_format.quiet_bit]
        edges += [each ^ number_format.sign_mask for each in edges]
    return [source.choice(edges) if source.random() < 0.25 else source.getrandbits(width) for _ in range(count)]


@pytest.mark.parametrize("name", ["float16", "float32", "float64"])
def test_ieee_operations_are_those_of_the_hardware(name: str) -> None:
    number_format, dtype = find_format(name), np.dtype(name)
    word = np.dtype(f"u{dtype.itemsize}")
    left = np.array(random_codes(number_format, 1500, 1), dtype=word)
    right = np.array(random_codes(number_format, 1500, 2), dtype=word)
    # Numbers of like size, so that sums cancel and round, not only swallow one another.
    right[::3] = left[::3] ^ np.array(random.Random(3).choices(range(1 << 9), k=500), dtype=word)
    operations = {
        Operation.ADD: np.add,
        Operation.SUBTRACT: np.subtract,
        Operation.MULTIPLY: np.multiply,
        Operation.DIVIDE: np.divide,
    }
    for operation, in_numpy in operations.items():
        with np.errstate(all="ignore"):
            expected = in_numpy(left.view(dtype), right.view(dtype)).view(word)
        for a, b, code in zip(left.tolist(), right.tolist(), expected.tolist(), strict=True):
            same_as(code, calculate(operation, (decode(a, number_format), decode(b, number_format)), number_format))
    with np.errstate(all="ignore"):
        roots = np.sqrt(left.view(dtype)).view(word)
    for a, code in zip(left.tolist(), roots.tolist(), strict=True):
        same_as(code, square_root(decode(a, number_format), number_format))


def same_as(code: int, result: Result) -> None:
    """Hardware chooses the sign of a NaN that it makes, so NaNs are alike."""
    expected = decode(code, result.stored.format)
    if expected.kind.value == "nan":
        assert result.stored.kind.value == "nan", result
    else:
        assert result.stored.code == code, result


@pytest.mark.parametrize("name", ["float16", "float32", "float64"])
def test_every_root_brackets_its_square(name: str) -> None:
    """In each directed mode, by squaring: no root is trusted to another root."""
    number_format = find_format(name)
    for code in random_codes(number_format, 300, 5):
        operand = decode(code, number_format)
        if operand.value is None or operand.value <= 0:
            continue
        low = square_root(operand, number_format, "toward_negative").stored
        high = square_root(operand, number_format, "toward_positive").stored
        assert low.value is not None
        assert high.value is not None
        assert low.value**2 <= operand.value <= high.value**2
        assert high.code - low.code == (low.value**2 != operand.value)
        odd = square_root(operand, number_format, "to_odd").stored
        assert odd.code in (low.code, high.code)
        assert odd.code & 1 or odd.value == low.value == high.value


@pytest.mark.skipif(not hasattr(math, "fma"), reason="math.fma is new in Python 3.13")
def test_fused_multiply_add_is_that_of_the_hardware() -> None:
    float64 = find_format("float64")
    codes = random_codes(float64, 6000, 7)
    for a, b, c in zip(codes[::3], codes[1::3], codes[2::3], strict=True):
        x, y, z = (float(np.uint64(each).view(np.float64)) for each in (a, b, c))
        try:
            expected = math.fma(x, y, z)
        except OverflowError:
            expected = math.inf * math.copysign(1, x) * math.copysign(1, y)
        except ValueError:
            expected = math.nan
        result = fused_multiply_add(*(decode(each, float64) for each in (a, b, c)), float64)
        same_as(int(np.float64(expected).view(np.uint64)), result)


@given(st.data())
def test_fused_multiply_add_rounds_the_exact_sum_once(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(("float16", "float32", "float64", "float128", "posit32", "q7.8", "float80")))
    number_format = find_format(name)
    rounding = data.draw(st.sampled_from(MODES))
    codes = [data.draw(st.integers(0, (1 << number_format.width) - 1)) for _ in range(3)]
    values = [decode(code, number_format).value for code in codes]
    if any(value is None for value in values):
        return
    left, right, addend = (value for value in values if value is not None)
    total = left * right + addend
    result = fused_multiply_add(*(decode(code, number_format) for code in codes), number_format, rounding)
    if total:
        size = abs(total.numerator).bit_length() + total.denominator.bit_length()
        if size < 30_000:
            number = Finite(total < 0, abs(total.numerator), total.denominator)
            assert result.encoding.code == encode(number, number_format, rounding).code


@pytest.mark.parametrize("width", [8, 16])
def test_posits_are_those_of_softposit(width: int) -> None:
    number_format = find_format(f"posit{width}")
    codes = random_codes(number_format, 2400, width)
    pairs = list(zip(codes[::2], codes[1::2], strict=True))
    for operation, symbol in (
        (Operation.ADD, "+"),
        (Operation.SUBTRACT, "-"),
        (Operation.MULTIPLY, "*"),
        (Operation.DIVIDE, "/"),
    ):
        for a, b in pairs:
            ours = calculate(operation, (decode(a, number_format), decode(b, number_format)), number_format)
            theirs = in_softposit(symbol, a, b, width)
            assert ours.stored.code == theirs, (symbol, a, b)
    for a in codes:
        value = softposit.posit_2(0, x=width)
        value.fromBits(a << (32 - width))
        assert square_root(decode(a, number_format), number_format).stored.code == value.sqrt().v.v >> (32 - width), a


def in_softposit(symbol: str, left: int, right: int, width: int) -> int:
    operands = []
    for code in (left, right):
        value = softposit.posit_2(0, x=width)
        value.fromBits(code << (32 - width))
        operands.append(value)
    operation = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}[symbol]
    return int(operation(*operands).v.v) >> (32 - width)


@pytest.mark.parametrize("name", SMALL)
def test_small_formats_in_every_mode(name: str) -> None:
    """A share of what tests/campaigns/arithmetic.py does in full."""
    number_format = find_format(name)
    source = random.Random(name)
    for _ in range(150):
        left, right = (decode(source.getrandbits(number_format.width), number_format) for _ in range(2))
        if left.value is None or right.value is None:
            continue
        for operation, exactly in BINARY.items():
            if operation is Operation.DIVIDE and right.value == 0:
                continue
            exact = exactly(left.value, right.value)
            for mode in MODES:
                if exact == 0:
                    continue
                result = calculate(operation, (left, right), number_format, mode)
                assert agrees(result.stored, exact, mode), (operation, left, right, mode, result)


@pytest.mark.parametrize("name", [each for each in SMALL if not each.startswith(("uint", "posit", "takum"))])
def test_roots_of_small_formats_by_squaring(name: str) -> None:
    """Nearest: no other value's square side is closer; decided with squares of midpoints alone."""
    number_format = find_format(name)
    values = sorted(
        {value for value in map(number_format.value_of, range(1 << number_format.width)) if value is not None}
    )
    for code in range(1 << number_format.width):
        operand = decode(code, number_format)
        if operand.value is None or operand.value <= 0:
            continue
        stored = square_root(operand, number_format).stored
        assert stored.value is not None
        place = values.index(stored.value)
        if place > 0:
            middle = (values[place - 1] + stored.value) / 2
            assert middle < 0 or middle**2 <= operand.value
        if place + 1 < len(values):
            assert ((values[place + 1] + stored.value) / 2) ** 2 >= operand.value


def test_a_root_closer_to_a_midpoint_than_any_digits_shows() -> None:
    """A codebook whose midpoint is the first 60 digits of the root of 2, or those and one more unit."""
    digits = isqrt(2 * 10**120)
    for last in (0, 1):
        middle = f"1.{str(digits + last)[1:]}"
        book = find_format(f"codebook:1,{_twice_less_one(middle)}")
        result = square_root(parse("2"), book)
        assert result.stored.value == (1 if last else Fraction(_twice_less_one(middle)))


def _twice_less_one(decimal: str) -> str:
    """2x - 1, whose midpoint with 1 is x."""
    places = len(decimal) - 2
    whole = 2 * int(decimal.replace(".", "")) - 10**places
    return f"{str(whole)[:-places] or '0'}.{str(whole)[-places:]}"


FLOAT16 = find_format("float16")


@pytest.mark.parametrize(
    ("operation", "operands", "rounding", "code"),
    [
        ("add", "1 -1", "nearest_even", 0x0000),
        ("add", "1 -1", "toward_negative", 0x8000),
        ("add", "0 -0", "nearest_even", 0x0000),
        ("add", "0 -0", "toward_negative", 0x8000),
        ("add", "-0 -0", "nearest_even", 0x8000),
        ("subtract", "-0 0", "nearest_even", 0x8000),
        ("subtract", "0 0", "toward_negative", 0x8000),
        ("add", "0 0", "toward_negative", 0x0000),
        ("multiply", "-0 3", "nearest_even", 0x8000),
        ("multiply", "-0 -inf", "nearest_even", 0x7E00),
        ("divide", "1 -inf", "nearest_even", 0x8000),
        ("divide", "-1 0", "nearest_even", 0xFC00),
        ("divide", "-1 -0", "nearest_even", 0x7C00),
        ("divide", "0 0", "nearest_even", 0x7E00),
        ("divide", "inf 0", "nearest_even", 0x7C00),
        ("divide", "inf inf", "nearest_even", 0x7E00),
        ("add", "inf -inf", "nearest_even", 0x7E00),
        ("add", "inf -65504", "nearest_even", 0x7C00),
        ("subtract", "1 inf", "nearest_even", 0xFC00),
        ("square_root", "-0", "nearest_even", 0x8000),
        ("square_root", "-1", "nearest_even", 0x7E00),
        ("square_root", "inf", "nearest_even", 0x7C00),
        ("fused_multiply_add", "1 -1 1", "toward_negative", 0x8000),
        ("fused_multiply_add", "0 -1 -0", "nearest_even", 0x8000),
        ("fused_multiply_add", "0 inf 1", "nearest_even", 0x7E00),
        ("fused_multiply_add", "0 inf nan(0x5)", "nearest_even", 0x7E05),
        ("add", "nan(0x12) nan(0x34)", "nearest_even", 0x7E12),
        ("add", "1 -nan(0x34)", "nearest_even", 0xFE34),
        ("subtract", "1 nan(0x34)", "nearest_even", 0x7E34),
        ("multiply", "snan(0x34) 0", "nearest_even", 0x7E34),
        ("add", "65504 16", "nearest_even", 0x7C00),
        ("add", "65504 16", "toward_zero", 0x7BFF),
    ],
)
def test_specials_of_ieee(operation: str, operands: str, rounding: str, code: int) -> None:
    numbers = [parse(text) for text in operands.split()]
    assert calculate(Operation(operation), numbers, FLOAT16, rounding).stored.code == code


@pytest.mark.parametrize(
    ("operation", "operands", "raised"),
    [
        ("add", "1 1", ""),
        ("divide", "1 3", "inexact"),
        ("divide", "1 0", "divide_by_zero"),
        ("divide", "0 0", "invalid"),
        ("add", "inf -inf", "invalid"),
        ("add", "snan 1", "invalid"),
        ("add", "nan 1", ""),
        ("square_root", "-4", "invalid"),
        ("multiply", "65504 2", "inexact overflow"),
        ("multiply", "0x1p-24 0.5", "inexact underflow"),
        ("multiply", "0x1p-14 0.5", ""),
        ("multiply", "0x1.ffcp-15 0x1.ffcp-1", "inexact underflow"),
        ("square_root", "2", "inexact"),
    ],
)
def test_flags(operation: str, operands: str, raised: str) -> None:
    flags = calculate(Operation(operation), [parse(text) for text in operands.split()], FLOAT16).flags
    names = ("inexact", "invalid", "divide_by_zero", "overflow", "underflow")
    assert [name for name in names if getattr(flags, name)] == raised.split()


def test_formats_without_infinity() -> None:
    one, zero = parse("1"), parse("0")
    assert divide(one, zero, find_format("float8_e4m3fn")).stored.code == 0x7F
    assert divide(one, zero, find_format("float8_e4m3fn"), overflow="saturate").stored.value == 448
    assert divide(parse("-1"), zero, find_format("float4_e2m1fn")).stored.value == -6
    for name in ("posit8", "takum_linear8"):
        tapered = find_format(name)
        for overflow in ("ieee", "saturate"):
            assert divide(one, zero, tapered, overflow=overflow).stored.kind.value == "nar"
        assert square_root(parse("-1"), tapered).stored.kind.value == "nar"
        nar = decode(0x80, tapered)
        assert add(nar, one, tapered).stored.code == 0x80
    assert subtract(one, one, find_format("float8_e8m0fnu")).flags.invalid


@pytest.mark.parametrize(
    ("operation", "operands", "name", "code"),
    [
        ("divide", "1 0", "int8", "arithmetic.division-by-zero"),
        ("divide", "0 0", "q7.8", "arithmetic.division-by-zero"),
        ("divide", "1 0", "nf4", "arithmetic.division-by-zero"),
        ("divide", "0 0", "float4_e2m1fn", "number.no-nan"),
        ("square_root", "-1", "int8", "arithmetic.negative-root"),
        ("add", "1e999999999 1", "float16", "arithmetic.far-operand"),
    ],
)
def test_refusals(operation: str, operands: str, name: str, code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        calculate(Operation(operation), [parse(text) for text in operands.split()], find_format(name))
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("operands", "rounding", "overflow", "value"),
    [
        ("7 2", "nearest_even", None, 4),
        ("5 2", "nearest_even", None, 2),
        ("-7 2", "toward_zero", None, -3),
        ("-7 2", "toward_negative", None, -4),
        ("127 0.5", "nearest_even", None, 127),
        ("127 0.5", "nearest_even", "wrap", -2),
        ("-128 -1", "nearest_even", "wrap", -128),
    ],
)
def test_integers_divide_in_the_mode(operands: str, rounding: str, overflow: str | None, value: int) -> None:
    left, right = (parse(text) for text in operands.split())
    assert divide(left, right, find_format("int8"), rounding, overflow).stored.value == value


def test_invalid_codes_of_x87_are_invalid_operands() -> None:
    float80 = find_format("float80")
    unnormal = decode(1 << 64, float80)
    result = add(unnormal, parse("1"), float80)
    assert (result.stored.kind.value, result.flags.invalid) == ("nan", True)


@pytest.mark.parametrize(
    "name", ["float128", "float80", "binary16p1se", "binary15p1ue", "posit64", "takum_linear64", "uq1.127"]
)
def test_numbers_far_apart_are_added_fast_and_right(name: str) -> None:
    number_format = find_format(name)
    large, small = (decode(code, number_format) for code in (number_format.code_at(number_format.last_ordinal), 1))
    started = time.process_time()
    for rounding in MODES:
        for result in (
            subtract(large, small, number_format, rounding),
            fused_multiply_add(small, small, large, number_format, rounding),
            fused_multiply_add(large, large, small, number_format, rounding),
            multiply(small, small, number_format, rounding),
            divide(small, large, number_format, rounding),
        ):
            assert isinstance(result.stored.code, int)
    assert (time.process_time() - started) / 30 < 0.05
    if isinstance(number_format, FloatFormat) and number_format.signed:
        below = number_format.max_magnitude - 1
        assert subtract(large, small, number_format, "toward_zero").stored.code == number_format.code_of(below)
        assert subtract(large, small, number_format).stored.code == large.code


def number_of(code: int, number_format: Format) -> Number:
    return to_number(decode(code, number_format))


@given(st.integers(0, 0xFFFF), st.integers(0, 0xFFFF), st.sampled_from(MODES))
def test_addition_commutes_and_negation_mirrors_the_modes(a: int, b: int, rounding: str) -> None:
    left, right = number_of(a, FLOAT16), number_of(b, FLOAT16)
    if isinstance(left, NaN) or isinstance(right, NaN):
        return
    result = add(left, right, FLOAT16, rounding).stored
    assert add(right, left, FLOAT16, rounding).stored == result
    mirrored = {"toward_positive": "toward_negative", "toward_negative": "toward_positive"}.get(rounding, rounding)
    opposite = subtract(_negated(left), right, FLOAT16, mirrored).stored
    if result.value:
        assert opposite.value == -result.value
    else:
        assert opposite.kind == result.kind


def _negated(number: Finite | Infinity) -> Number:
    return Finite(not number.negative, *number.ratio()) if isinstance(number, Finite) else Infinity(not number.negative)

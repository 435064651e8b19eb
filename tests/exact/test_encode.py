"""The places where a rounding can go wrong, format by format; laws for all formats stand in test_rounding_laws."""

import struct
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import InvalidInput
from app.exact import (
    Finite,
    Outcome,
    decode,
    encode,
    from_fraction,
    neighbours,
    parse,
    ulp,
)
from app.formats import CATALOG, FloatFormat, Format, IntegerFormat, Notation, find_format

FLOATS = [f for f in CATALOG if isinstance(f, FloatFormat) and f.width <= 16]
FLOAT32, FLOAT64 = find_format("float32"), find_format("float64")


def names(number_format: Format) -> str:
    return number_format.name


@pytest.mark.parametrize("number_format", [f for f in FLOATS if f.has_zero and f.signed], ids=names)
@pytest.mark.parametrize("text", ["1e-999999999", "1e-60"])
def test_below_the_smallest(number_format: FloatFormat, text: str) -> None:
    sign = number_format.sign_mask
    minus_zero = sign if number_format.has_negative_zero else 0
    tiny, negative = parse(text), parse(f"-{text}")
    for mode in ("nearest_even", "nearest_away", "toward_zero"):
        assert encode(tiny, number_format, mode).code == 0
        assert encode(negative, number_format, mode).code == minus_zero
        assert encode(tiny, number_format, mode).outcome is Outcome.UNDERFLOW
    assert encode(tiny, number_format, "toward_positive").code == 1
    assert encode(negative, number_format, "toward_positive").code == minus_zero
    assert encode(negative, number_format, "toward_negative").code == 1 | sign
    assert encode(tiny, number_format, "to_odd").code == 1


@pytest.mark.parametrize(
    ("text", "rounding", "overflow", "code"),
    [
        ("0", "nearest_even", None, 0xFF),
        ("-0", "nearest_even", "saturate", 0xFF),
        ("-1", "nearest_even", None, 0xFF),
        ("-inf", "nearest_even", "saturate", 0xFF),
        ("inf", "nearest_even", None, 0xFF),
        ("inf", "nearest_even", "saturate", 0xFE),
        ("1e-999999999", "nearest_even", None, 0),
        ("1e-60", "nearest_even", None, 0),
        ("0x1.8p-128", "nearest_even", None, 0),
        ("0x1p-128", "nearest_away", None, 0),
        ("1e-60", "toward_positive", None, 0),
        ("1e-60", "to_odd", None, 0),
        ("1e-60", "toward_zero", None, 0xFF),
        ("1e-60", "toward_negative", None, 0xFF),
        ("1e-60", "toward_zero", "saturate", 0),
        ("0x1p-127", "toward_zero", None, 0),
        ("3", "nearest_even", None, 128),
        ("6", "nearest_even", None, 130),
        ("3", "nearest_away", None, 129),
    ],
)
def test_scale_format(text: str, rounding: str, overflow: str | None, code: int) -> None:
    assert encode(parse(text), find_format("e8m0"), rounding, overflow).code == code


@pytest.mark.parametrize(
    ("text", "format_name", "code"),
    [
        ("128", "int8", 0x80),
        ("-129", "int8", 0x7F),
        ("300.5", "uint8", 300 % 256),
        ("-1", "uint8", 0xFF),
        ("18446744073709551617", "uint64", 1),
        ("1e30", "int32", 10**30 % 2**32),
        ("-1e30", "uint32", -(10**30) % 2**32),
        ("3e999999999", "int64", 0),
        ("0x7p70", "int64", 0),
        ("9" * 4096, "uint16", (10**4096 - 1) % 2**16),
        ("1" * 4000 + ".5", "uint8", (10**4000 // 9 + 1) % 256),
        ("128", "q7.8", 0x8000),
        ("-129.25", "q7.8", 0x7EC0),
        ("1e30", "uq0.8", 0),
        ("1", "int1", 1),
        ("3", "uint128", 3),
        ("-1", "uint128", 2**128 - 1),
    ],
)
def test_wrapping_is_modulo_two_to_the_width(text: str, format_name: str, code: int) -> None:
    assert encode(parse(text), find_format(format_name), overflow="wrap").code == code


def test_wrapping_a_number_that_is_never_written_out() -> None:
    huge = Finite(negative=True, numerator=7, denominator=3, exponent10=90_000, exponent2=3)
    assert not huge.is_expandable
    whole = 7 * 10**90_000 * 8
    nearest = whole // 3 + (whole % 3 == 2)
    assert encode(huge, find_format("int64"), overflow="wrap").code == -nearest % 2**64


@pytest.mark.parametrize("number_format", [f for f in CATALOG if isinstance(f, IntegerFormat)], ids=names)
def test_integers_saturate_and_refuse_nan(number_format: IntegerFormat) -> None:
    for text in ("inf", "1e999999999", str(number_format.max + 1), f"{number_format.max}.5"):
        assert encode(parse(text), number_format).code == number_format.code_of(number_format.max)
    for text in ("inf", "1e999999999", str(1 - number_format.min)):
        assert encode(parse(f"-{text}"), number_format).code == number_format.code_of(number_format.min)
    with pytest.raises(InvalidInput, match=r"number\.no-nan"):
        encode(parse("nan"), number_format)
    if number_format.notation is Notation.TWOS_COMPLEMENT:
        with pytest.raises(InvalidInput, match=r"number\.infinity-wrap"):
            encode(parse("inf"), number_format, overflow="wrap")
    else:
        with pytest.raises(InvalidInput, match=r"overflow\.not-for-format"):
            encode(parse("1"), number_format, overflow="wrap")


@pytest.mark.parametrize(
    ("text", "bit"), [("0", 0), ("-0", 0), ("1", 1), ("1e-999999999", 1), ("inf", 1), ("-3", 1), ("1e9999", 1)]
)
def test_bool_is_nonzero(text: str, bit: int) -> None:
    assert encode(parse(text), find_format("bool")).code == bit


@pytest.mark.parametrize(
    ("rounding", "overflow", "format_name", "code"),
    [
        ("stochastic", None, "float16", "rounding.stochastic"),
        ("up", None, "float16", "rounding.unknown"),
        ("nearest_even", "clip", "float16", "overflow.unknown"),
        ("nearest_even", "wrap", "float16", "overflow.not-for-format"),
        ("nearest_even", "ieee", "int8", "overflow.not-for-format"),
    ],
)
def test_modes_that_do_not_fit(rounding: str, overflow: str | None, format_name: str, code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        encode(parse("1"), find_format(format_name), rounding, overflow)
    assert refused.value.code == code


@given(st.fractions(min_value=-(10**39), max_value=10**39))
def test_float32_and_float16_as_by_search_of_neighbours(value: Fraction) -> None:
    """Nearest by definition: no representable number is closer, and of two equally close ones the code is even."""
    for number_format in (FLOAT32, find_format("float16"), find_format("bfloat16")):
        encoding = encode(from_fraction(value), number_format)
        stored = decode(encoding.code, number_format)
        if stored.value is None:
            continue
        error = abs(stored.value - value)
        for near in neighbours(encoding.code, number_format):
            other = None if near is None else decode(near, number_format).value
            if other is not None:
                assert error < abs(other - value) or (error == abs(other - value) and encoding.code % 2 == 0)


@given(st.integers(0, 2**64 - 1))
def test_float64_as_python_has_it(code: int) -> None:
    expected = struct.unpack("<d", struct.pack("<Q", code))[0]
    stored = decode(code, FLOAT64)
    if stored.value is None:
        assert expected != expected or abs(expected) == float("inf")
    else:
        assert stored.value == Fraction(expected)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_float64_to_float16_as_struct_packs_it(value: float) -> None:
    number = Finite(str(value).startswith("-"), *abs(Fraction(value)).as_integer_ratio())
    code = encode(number, find_format("float16")).code
    try:
        expected = struct.unpack("<H", struct.pack("<e", value))[0]
    except OverflowError:
        expected = 0xFC00 if value < 0 else 0x7C00
    assert code == expected


def test_neighbours_of_zeros_and_nan() -> None:
    assert neighbours(0x0000, find_format("float16")) == (0x8001, 0x0001)
    assert neighbours(0x8000, find_format("float16")) == (0x8001, 0x0001)
    assert neighbours(0x8001, find_format("float16")) == (0x8002, 0x8000)
    assert neighbours(0x81, find_format("e4m3fnuz")) == (0x82, 0x00)
    assert neighbours(0x80, find_format("e4m3fnuz")) == (None, None)
    assert neighbours(0x00, find_format("e8m0")) == (None, 0x01)
    assert neighbours(0xFE, find_format("int8:ones-complement")) == (0xFD, 0xFF)
    assert neighbours(0x81, find_format("int8:sign-magnitude")) == (0x82, 0x80)
    assert neighbours(0x9, find_format("fp4_bnb")) == (0xE, 0x8)


@pytest.mark.parametrize("number_format", FLOATS, ids=names)
def test_ulp_is_the_step_outward(number_format: FloatFormat) -> None:
    for magnitude in range(number_format.max_magnitude):
        stored, after = decode(magnitude, number_format), decode(magnitude + 1, number_format)
        assert ulp(stored) == after.value - stored.value


@pytest.mark.parametrize(
    ("text", "format_name", "code"),
    [
        ("-0", "int8:ones-complement", 0xFF),
        ("-0.4", "int8:sign-magnitude", 0x80),
        ("-2.5", "int8:ones-complement", 0xFD),
        ("-3.5", "int8:sign-magnitude", 0x84),
        ("-0", "fp4_bnb", 0x8),
        ("-1e-9999999", "fp4_bnb", 0x8),
        ("-0", "nf4", 0x7),
        ("-0", "uint8", 0),
        ("-0", "binary8p1uf", 0),
        ("-0", "e4m3:unsigned", 0),
        ("-0", "float8_e4m3fnuz", 0),
        ("-0", "posit16", 0),
        ("-0", "int1:ones-complement", 1),
    ],
)
def test_minus_zero_is_kept_where_there_is_one(text: str, format_name: str, code: int) -> None:
    assert encode(parse(text), find_format(format_name)).code == code

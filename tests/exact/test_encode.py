"""One rounding, in every mode, at every place where it can go wrong, against the definition itself.

The oracle knows nothing of codes: it looks for the neighbours of a fraction in the sorted list of all values.
"""

import bisect
import struct
from fractions import Fraction
from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import InvalidInput
from app.exact import Finite, Kind, Outcome, Rounding, decode, encode, from_fraction, neighbours, parse, ulp
from app.formats import CATALOG, FloatFormat, Format, IntegerFormat, find_format

SMALL = [f for f in CATALOG if f.width <= 16 and f.name != "bool"]
FLOATS = [f for f in SMALL if isinstance(f, FloatFormat)]
TINY = [f for f in SMALL if f.width <= 8]
FLOAT32, FLOAT64 = find_format("float32"), find_format("float64")


def names(number_format: Format) -> str:
    return number_format.name


@cache
def values(number_format: Format) -> tuple[list[Fraction], list[int]]:
    """All finite values in order with their codes; zero with the code of +0."""
    found: dict[Fraction, int] = {}
    for code in range(1 << number_format.width):
        stored = decode(code, number_format)
        if stored.value is not None:
            found.setdefault(stored.value, code)
    order = sorted(found)
    return order, [found[value] for value in order]


def nearest_even_by_search(value: Fraction, number_format: Format) -> int:
    """For values inside the format's range."""
    order, codes = values(number_format)
    at = bisect.bisect_left(order, value)
    if order[at] == value:
        return codes[at]
    below, above = value - order[at - 1], order[at] - value
    if below != above:
        return codes[at - 1] if below < above else codes[at]
    return codes[at - 1] if codes[at - 1] % 2 == 0 else codes[at]


def without_sign_of_zero(code: int, number_format: Format) -> int:
    stored = decode(code, number_format)
    return 0 if stored.kind is Kind.ZERO else code


@pytest.mark.parametrize("number_format", SMALL, ids=names)
def test_every_code_encodes_back_to_itself(number_format: Format) -> None:
    for code in range(1 << number_format.width):
        stored = decode(code, number_format)
        if stored.value is not None:
            number = Finite(stored.negative, abs(stored.value.numerator), stored.value.denominator)
            encoding = encode(number, number_format)
            assert (encoding.code, encoding.outcome) == (code, Outcome.EXACT)


@pytest.mark.parametrize("number_format", SMALL, ids=names)
def test_every_midpoint_and_both_sides_of_it(number_format: Format) -> None:
    """Exhaustive up to 8 bits; every 5th of the 65,536 otherwise (all of them are compared in tests/codec)."""
    order, codes = values(number_format)
    pairs = list(pairwise(range(len(order))))
    for left, right in pairs if number_format.width <= 8 else pairs[::5]:
        if order[left] < 0 < order[right]:
            continue
        middle = (order[left] + order[right]) / 2
        nudge = (order[right] - order[left]) / 10**30
        even = codes[left] if codes[left] % 2 == 0 else codes[right]
        got = [
            without_sign_of_zero(encode(from_fraction(value), number_format).code, number_format)
            for value in (middle - nudge, middle, middle + nudge)
        ]
        assert got == [codes[left], even, codes[right]], middle


@pytest.mark.parametrize("number_format", TINY, ids=names)
@pytest.mark.parametrize("rounding", list(Rounding))
def test_modes_between_all_neighbours(number_format: Format, rounding: Rounding) -> None:
    order, codes = values(number_format)
    for (left, low), (right, high) in pairwise(zip(order, codes, strict=True)):
        for numerator in (1, 2, 3):  # a quarter, a half, three quarters
            value = left + (right - left) * Fraction(numerator, 4)
            negative = value < 0
            inner, outer = (high, low) if negative else (low, high)
            expected = {
                Rounding.NEAREST_EVEN: low if numerator == 1 or (numerator == 2 and low % 2 == 0) else high,
                Rounding.NEAREST_AWAY: outer if numerator == 2 else low if numerator == 1 else high,
                Rounding.TOWARD_ZERO: inner,
                Rounding.TOWARD_POSITIVE: high,
                Rounding.TOWARD_NEGATIVE: low,
                Rounding.TO_ODD: low if low % 2 else high,
            }[rounding]
            got = encode(from_fraction(value), number_format, rounding).code
            assert without_sign_of_zero(got, number_format) == expected, value


@pytest.mark.parametrize("number_format", FLOATS, ids=names)
def test_beyond_the_largest(number_format: FloatFormat) -> None:
    largest = number_format.max
    top = number_format.max_magnitude
    half_step = (largest - decode(top - 1, number_format).value) / 2
    if number_format.infinity_magnitude is not None:
        beyond = number_format.infinity_magnitude
    else:
        beyond = number_format.nan_magnitude or number_format.sign_mask
    if number_format.name == "float8_e8m0fnu":
        half_step = largest / 2  # the next power of two would be twice as large
    tie = from_fraction(largest + half_step)
    assert encode(tie, number_format).code == (top if top % 2 == 0 else beyond)
    assert encode(tie, number_format, "nearest_away").code == beyond
    assert encode(tie, number_format, overflow="saturate").code == top
    for huge in (from_fraction(largest * 2), parse("1e999999999")):
        assert encode(huge, number_format).code == beyond
        assert encode(huge, number_format, overflow="saturate").code == top
        assert encode(huge, number_format, "toward_zero").code == top
        assert encode(huge, number_format, "toward_negative").code == top
        assert encode(huge, number_format, "toward_positive").code == beyond
        assert encode(huge, number_format, "to_odd").code == (top if top % 2 else beyond)
        assert encode(huge, number_format).outcome is Outcome.OVERFLOW
    assert encode(parse("inf"), number_format, overflow="saturate").code == top


@pytest.mark.parametrize("number_format", [f for f in FLOATS if f.has_zero], ids=names)
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
    ],
)
def test_wrapping_is_modulo_two_to_the_width(text: str, format_name: str, code: int) -> None:
    assert encode(parse(text), find_format(format_name), overflow="wrap").code == code


def test_wrapping_a_number_that_is_never_written_out() -> None:
    huge = Finite(negative=True, numerator=7, denominator=3, exponent10=20_000, exponent2=3)
    assert not huge.is_expandable
    whole = 7 * 10**20_000 * 8
    nearest = whole // 3 + (whole % 3 == 2)
    assert encode(huge, find_format("int64"), overflow="wrap").code == -nearest % 2**64


@pytest.mark.parametrize("number_format", [f for f in CATALOG if isinstance(f, IntegerFormat)], ids=names)
def test_integers_saturate_and_refuse_nan(number_format: IntegerFormat) -> None:
    mask = (1 << number_format.width) - 1
    for text in ("inf", "1e999999999", str(number_format.max + 1), f"{number_format.max}.5"):
        assert encode(parse(text), number_format).code == number_format.max
        assert encode(parse(f"-{text}"), number_format).code == number_format.min & mask
    with pytest.raises(InvalidInput, match=r"number\.no-nan"):
        encode(parse("nan"), number_format)
    with pytest.raises(InvalidInput, match=r"number\.infinity-wrap"):
        encode(parse("inf"), number_format, overflow="wrap")


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


@pytest.mark.parametrize("number_format", SMALL, ids=names)
def test_neighbours_are_next_in_order(number_format: Format) -> None:
    order, codes = values(number_format)
    has_infinity = isinstance(number_format, FloatFormat) and number_format.has_infinity
    for at, code in enumerate(codes):
        before, after = neighbours(code, number_format)
        if at > 0:
            assert decode(before, number_format).value == order[at - 1]
        elif has_infinity:
            assert decode(before, number_format).kind is Kind.INFINITY
            assert neighbours(before, number_format) == (None, code)
        else:
            assert before is None
        if at < len(codes) - 1:
            assert decode(after, number_format).value == order[at + 1]
        elif has_infinity:
            assert decode(after, number_format).kind is Kind.INFINITY
            assert neighbours(after, number_format) == (code, None)
        else:
            assert after is None


def test_neighbours_of_zeros_and_nan() -> None:
    assert neighbours(0x0000, find_format("float16")) == (0x8001, 0x0001)
    assert neighbours(0x8000, find_format("float16")) == (0x8001, 0x0001)
    assert neighbours(0x8001, find_format("float16")) == (0x8002, 0x8000)
    assert neighbours(0x81, find_format("e4m3fnuz")) == (0x82, 0x00)
    assert neighbours(0x80, find_format("e4m3fnuz")) == (None, None)
    assert neighbours(0x00, find_format("e8m0")) == (None, 0x01)


@pytest.mark.parametrize("number_format", FLOATS, ids=names)
def test_ulp_is_the_step_outward(number_format: FloatFormat) -> None:
    for magnitude in range(number_format.max_magnitude):
        stored, after = decode(magnitude, number_format), decode(magnitude + 1, number_format)
        assert ulp(stored) == after.value - stored.value


@pytest.mark.parametrize(
    ("text", "code", "is_dropped"),
    [
        ("nan(0x1ff)", 0x7FFF, False),
        ("-nan(0)", 0xFE00, False),
        ("nan(0x200)", 0x7E00, True),  # that bit is the quiet bit, no place of the payload
        ("nan(0x3ff)", 0x7E00, True),
        ("snan", 0x7C01, False),
        ("-snan(0x1ff)", 0xFDFF, False),
        ("snan(0x200)", 0x7E00, True),
    ],
)
def test_a_payload_lies_below_the_quiet_bit_or_is_dropped(text: str, code: int, is_dropped: bool) -> None:
    encoding = encode(parse(text), find_format("float16"))
    assert (encoding.code, encoding.payload_dropped) == (code, is_dropped)

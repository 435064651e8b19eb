"""Number text: what is read, what is refused, and where the caret points."""

import struct
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import NumberSyntaxError
from app.exact import LONGEST_TEXT, Finite, Infinity, NaN, decode, encode, parse
from app.exact.text import number_text, stored_text
from app.formats import CATALOG, FloatFormat, find_format

FLOAT64 = find_format("float64")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.1", Fraction(1, 10)),
        ("010", Fraction(10)),
        (" 1 ", Fraction(1)),
        (".5", Fraction(1, 2)),
        ("5.", Fraction(5)),
        ("+1e3", Fraction(1000)),
        ("-25E-2", Fraction(-1, 4)),
        ("0x1F", Fraction(31)),
        ("0X1f", Fraction(31)),
        ("0x1.8p3", Fraction(12)),
        ("0x.8P+1", Fraction(1)),
        ("0x1.8", Fraction(3, 2)),
        ("-0x1p-2", Fraction(-1, 4)),
        ("0b101", Fraction(5)),
        ("0B11", Fraction(3)),
        ("0o17", Fraction(15)),
        ("0x1e5", Fraction(0x1E5)),
        ("18446744073709551617", Fraction(2**64 + 1)),
    ],
)
def test_reads_exactly(text: str, value: Fraction) -> None:
    number = parse(text)
    assert isinstance(number, Finite)
    assert number.fraction() == value


@pytest.mark.parametrize("text", ["-0", "-0.0", "-0e9", "-0x0p0"])
def test_minus_zero_keeps_its_sign(text: str) -> None:
    number = parse(text)
    assert isinstance(number, Finite)
    assert number.negative
    assert number.is_zero


@pytest.mark.parametrize("text", ["inf", "-Infinity", "INF", "+infinity", "-iNf"])
def test_infinities(text: str) -> None:
    assert parse(text) == Infinity(text.startswith("-"))


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("nan", NaN(False)),
        ("-NaN", NaN(True)),
        ("+nan", NaN(False)),
        ("nan(0x123)", NaN(False, 0x123)),
        ("nan(7)", NaN(False, 7)),
        ("-snan", NaN(True, None, True)),
        ("snan(0X1)", NaN(False, 1, True)),
    ],
)
def test_nans(text: str, number: NaN) -> None:
    assert parse(text) == number


@pytest.mark.parametrize(
    ("text", "code", "position"),
    [
        ("", "number.empty", 0),
        ("   ", "number.empty", 0),
        (" " * LONGEST_TEXT, "number.empty", 0),
        ("1" * (LONGEST_TEXT + 1), "number.too-long", LONGEST_TEXT),
        ("\u22121", "number.minus-sign", 0),
        ("1e\u22125", "number.minus-sign", 2),
        ("\uff11", "number.foreign-digit", 0),
        ("1\u0663", "number.foreign-digit", 1),
        ("\u00b2", "number.foreign-digit", 0),
        ("\u2460", "number.foreign-digit", 0),
        ("\u00bd", "number.foreign-digit", 0),
        ("\u221e", "number.foreign-digit", 0),
        ("1,5", "number.separator", 1),
        ("1 000", "number.separator", 1),
        ("1_000", "number.separator", 1),
        ("1'000", "number.separator", 1),
        ("0x_1", "number.separator", 2),
        ("1.2.3", "number.second-point", 3),
        ("..1", "number.second-point", 1),
        ("1..", "number.second-point", 2),
        ("1e5.5", "number.second-point", 3),
        ("0b1.1", "number.second-point", 3),
        ("1e", "number.exponent-missing", 2),
        ("1e+", "number.exponent-missing", 3),
        ("0x1p", "number.exponent-missing", 4),
        (".", "number.digits-missing", 1),
        ("-", "number.digits-missing", 1),
        ("0x", "number.digits-missing", 2),
        ("0b", "number.digits-missing", 2),
        ("0b2", "number.digit-of-base", 2),
        ("0o18", "number.digit-of-base", 3),
        ("0xg", "number.digit-of-base", 2),
        ("0x1g", "number.digit-of-base", 3),
        ("e5", "number.unexpected-character", 0),
        ("--1", "number.operator", 1),
        ("+-1", "number.operator", 1),
        ("9**9**9", "number.double-star", 2),
        ("1<<3", "number.operator", 1),
        ("10!", "number.operator", 2),
        ("1\x00", "number.invisible-character", 1),
        ("1\n", "number.invisible-character", 1),
        ("1\r\nX: y", "number.invisible-character", 1),
        ("\u00a01", "number.invisible-character", 0),
        ("1\u2003", "number.invisible-character", 1),
        ("1\u200b2", "number.invisible-character", 1),
        ("\ufeff1", "number.invisible-character", 0),
        ("1\u202e2", "number.invisible-character", 1),
        ("1\ud800", "number.invisible-character", 1),
        ("__import__('os')", "number.separator", 0),
        ("{{7*7}}", "number.unexpected-character", 0),
        ("${7*7}", "number.unexpected-character", 0),
        ("%s%n", "number.operator", 0),
        ("<script>", "number.operator", 0),
        ("1f", "number.unexpected-character", 1),
        ("infinite", "number.unexpected-character", 3),
        ("nano", "number.unexpected-character", 3),
        ("nan(", "number.payload", 4),
        ("nan(x)", "number.payload", 4),
        ("nan(0x1", "number.payload", 7),
        ("snan(0)", "number.signalling-payload", 6),
        ("True", "number.unexpected-character", 0),
    ],
)
def test_refuses_with_a_hint_and_a_place(text: str, code: str, position: int) -> None:
    with pytest.raises(NumberSyntaxError) as refused:
        parse(text)
    assert (refused.value.code, refused.value.figures["position"]) == (code, position)


def test_characters_that_cannot_be_seen_are_named_not_echoed() -> None:
    for character in "\x00\n\u00a0\u200b\u202e\ufeff\ud800":
        with pytest.raises(NumberSyntaxError) as refused:
            parse(f"1{character}2")
        shown = str(refused.value.figures["character"])
        assert shown.startswith(f"U+{ord(character):04X}")
        assert character not in shown


@pytest.mark.parametrize(
    ("text", "format_name", "code"),
    [
        ("2049.00000000000000000000001", "float16", 0x6801),
        ("1.0000000596046447753906250000000001", "float32", 0x3F800001),
        ("1.000000059604644775390625", "float32", 0x3F800000),
        ("65520", "float16", 0x7C00),
        ("65519.999", "float16", 0x7BFF),
        ("1e999999999", "float64", 0x7FF0000000000000),
        ("-1e-999999999", "float64", 0x8000000000000000),
        ("1e9999999999999999999", "float8_e4m3fn", 0x7F),
        ("0x1p99999999999999999999", "float32", 0x7F800000),
        ("0x1p1024", "float64", 0x7FF0000000000000),
        ("0x1p-1075", "float64", 0),
        ("1.7976931348623159e308", "float64", 0x7FF0000000000000),
        ("0." + "0" * 4000 + "1", "float64", 0),
        ("0." + "0" * 4000 + "1e4001", "float64", 0x3FF0000000000000),
        ("9" * LONGEST_TEXT, "float32", 0x7F800000),
        ("nan(0x123)", "float32", 0x7FC00123),
        ("snan(0x123)", "float32", 0x7F800123),
        ("-nan", "float16", 0xFE00),
        ("464", "float8_e4m3fn", 0x7E),
        ("464.00000000000000000000000001", "float8_e4m3fn", 0x7F),
        ("18446744073709551615", "uint64", 0xFFFFFFFFFFFFFFFF),
        ("-9223372036854775808", "int64", 0x8000000000000000),
        ("9007199254740993", "int64", 2**53 + 1),
        ("127.5", "int8", 0x7F),
        ("-129", "int8", 0x80),
        ("126.5", "int8", 0x7E),
        ("3", "float8_e8m0fnu", 0x80),
        ("1.5", "float8_e8m0fnu", 0x80),
    ],
)
def test_text_to_code(text: str, format_name: str, code: int) -> None:
    assert encode(parse(text), find_format(format_name)).code == code


def _float64_code(value: float) -> int:
    return int(struct.unpack("<Q", struct.pack("<d", value))[0])


# Halfway cases, long digits, and both ends of the range: where converters of decimal text are known to slip.
HARD = [
    "2.2250738585072011e-308",
    "2.2250738585072012e-308",
    "2.2250738585072014e-308",
    "4.9406564584124654e-324",
    "2.4703282292062327e-324",
    "2.4703282292062328e-324",
    "2.47032822920623272088284396434110686182e-324",
    "2.47032822920623272088284396434110686183e-324",
    "1.7976931348623157e308",
    "1.7976931348623158e308",
    "179769313486231580793728971405301e276",
    "9007199254740993",
    "9007199254740993.00000000000000000000000000000000000001",
    "8.41e21",
    "2.0844e-319",
    "9.5e-3",
    "1e23",
    "5e-324",
    "6.9294956446009195e15",
    "3.518437208883201171875e13",
    "62.5364939768271845828",
    "0.500000000000000166533453693773481063544750213623046875",
    "1.00000000000000011102230246251565404236316680908203125",
    "1.00000000000000011102230246251565404236316680908203124",
    "1.00000000000000011102230246251565404236316680908203126",
    "104308485241983990666713401708072175773165034278682682111762292935809",
    "7.8459735791271921e65",
    "1" + "0" * 400 + "e-400",
    "0." + "0" * 400 + "1e401",
]


@pytest.mark.parametrize("text", HARD)
@pytest.mark.parametrize("sign", ["", "-"])
def test_hard_decimals_as_python_reads_them(text: str, sign: str) -> None:
    assert encode(parse(sign + text), FLOAT64).code == _float64_code(float(sign + text))


@pytest.mark.parametrize(("change", "expected"), [(-1, 0), (0, 0), (1, 1)])
def test_eight_hundred_digits_at_exactly_half(change: int, expected: int) -> None:
    # Half of the smallest float64 has 750 significant digits.
    digits = 5**1075 * 10**40 + change
    assert encode(parse(f"{digits}e-1115"), FLOAT64).code == expected
    assert _float64_code(float(f"{digits}e-1115")) == expected


@given(st.from_regex(r"\A[+-]?([0-9]{1,40}(\.[0-9]{0,40})?|\.[0-9]{1,40})([eE][+-]?[0-9]{1,3})?\Z"))
def test_decimals_as_python_reads_them(text: str) -> None:
    assert encode(parse(text), FLOAT64).code == _float64_code(float(text))


@given(st.from_regex(r"\A[+-]?0x[0-9a-f]{1,30}(\.[0-9a-f]{0,30})?(p[+-]?[0-9]{1,3})?\Z"))
def test_hex_floats_as_python_reads_them(text: str) -> None:
    assert encode(parse(text), FLOAT64).code == _float64_code(float.fromhex(text))


@given(st.text(max_size=30))
def test_any_text_is_read_or_refused_inside_it(text: str) -> None:
    try:
        parse(text)
    except NumberSyntaxError as refused:
        position = refused.figures["position"]
        assert isinstance(position, int)
        assert 0 <= position <= len(text)


@given(st.floats(allow_nan=False))
def test_what_is_printed_reads_back(value: float) -> None:
    stored = decode(_float64_code(value), FLOAT64)
    assert encode(parse(stored_text(stored)), FLOAT64).code == stored.code


@pytest.mark.parametrize("number_format", [f for f in CATALOG if f.width <= 16], ids=lambda f: f.name)
def test_every_code_printed_reads_back(number_format: FloatFormat) -> None:
    step = 1 if number_format.width <= 8 else 7  # coprime to every field boundary
    for code in range(0, 1 << number_format.width, step):
        text = stored_text(decode(code, number_format))
        assert encode(parse(text), number_format).code == code, text


@pytest.mark.parametrize("text", ["1e999999999", "-1e-999999999", "0x1p+99999999999", "-0x3p-99999999999"])
def test_numbers_out_of_reach_print_unexpanded(text: str) -> None:
    number = parse(text)
    assert parse(number_text(number)) == number

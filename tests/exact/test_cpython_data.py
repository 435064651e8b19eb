"""CPython's own test data for decimal conversion, where the interpreter has its `test` package, and cases like it."""

import random
import re
import struct
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path

import pytest

from app.exact import decode, encode, parse
from app.exact.text import value_text
from app.formats import find_format

FLOAT64 = find_format("float64")
SPEC = find_spec("test")
FOLDER = Path(SPEC.submodule_search_locations[0]) if SPEC and SPEC.submodule_search_locations else Path("absent")
WIDE = Context(prec=2000)


def lines_of(name: str) -> list[str]:
    path = FOLDER / name
    if not path.is_file():
        pytest.skip(f"this Python comes without test/{name}")
    lines = (line.strip() for line in path.read_text(encoding="ascii").splitlines())
    return [line for line in lines if line and not line.startswith(("#", "--"))]


def code_by_python(text: str) -> int:
    """CPython's strtod rounds once, correctly (David Gay's algorithm)."""
    return int(struct.unpack("<Q", struct.pack("<d", float(text)))[0])


def assert_as_python(text: str) -> None:
    encoding = encode(parse(text), FLOAT64)
    assert encoding.code == code_by_python(text), text


def test_floating_points() -> None:
    """The numbers of Verdonk, Cuyt and Verschaeren, ACM TOMS 27:2, 2001: each close to a midpoint or a border."""
    lines = lines_of("floating_points.txt")
    assert len(lines) > 900
    for text in lines:
        assert_as_python(text)
        stored = decode(encode(parse(text), FLOAT64).code, FLOAT64)
        if stored.value is not None:
            assert encode(parse(value_text(stored)), FLOAT64).code == stored.code


def test_formatfloat_testcases() -> None:
    """`%.3f 1.2345 -> 1.234`: our exact decimal of the stored number, rounded to those places by `decimal`."""
    checked = 0
    for line in lines_of("formatfloat_testcases.txt"):
        match = re.fullmatch(r"%\.(\d+)([fe]) (\S+) -> (\S+)", line)
        if match is None:
            continue
        places, kind, text, expected = int(match[1]), match[2], match[3], match[4]
        exactly = Decimal(value_text(decode(encode(parse(text), FLOAT64).code, FLOAT64)))
        if kind == "f":
            rounded = exactly.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_EVEN, context=WIDE)
            assert f"{rounded:f}" == expected, line
        else:
            rounded = Context(prec=places + 1, rounding=ROUND_HALF_EVEN).plus(exactly)
            assert Decimal(expected) == rounded, line
        checked += 1
    assert checked > 100


def test_numbers_at_and_beside_midpoints() -> None:
    """Cases of the same kind for any Python: exact midpoints, and the last digit one up and one down."""
    source = random.Random(754)
    for _ in range(300):
        code = source.getrandbits(63) % 0x7FE0000000000000
        low, high = (decode(each, FLOAT64).value for each in (code, code + 1))
        assert low is not None
        assert high is not None
        middle = (low + high) / 2
        places = middle.denominator.bit_length() - 1
        whole = middle.numerator * 5**places
        assert Fraction(whole, 10**places) == middle
        if len(str(whole)) > 1000:
            continue
        for nudge in (-1, 0, 1):
            assert_as_python(f"{10 * whole + nudge}e{-places - 1}")


def test_the_ends_of_float64() -> None:
    for text in (
        *("5e-324", "2.4703282292062327e-324", "2.4703282292062328e-324", "2.470328229206232720e-324", "1e-400"),
        *("1.7976931348623157e308", "1.7976931348623158e308", "1.7976931348623159e308", "179769313486231580793e289"),
        *("2.2250738585072011e-308", "2.2250738585072012e-308", "2.2250738585072014e-308", "-0e999", "1e309"),
    ):
        assert_as_python(text)

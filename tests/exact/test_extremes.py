"""The longest texts and the widest formats answer within a moment: encode, text, distance, neighbours, ulp."""

import time
from decimal import Decimal
from fractions import Fraction

import pytest

from app.exact import LONGEST_TEXT, decode, encode, neighbours, parse, to_number, ulp
from app.exact.distance import distance
from app.exact.text import exact_text, hexfloat_text, number_text, stored_text, value_text
from app.formats import find_format
from app.formats.bits import power_of_two

LIMIT_MS = 50
TEXTS = {
    "integer": "9" * LONGEST_TEXT,
    "tiny": "0." + "0" * (LONGEST_TEXT - 3) + "1",
    "nines": "0." + "9" * (LONGEST_TEXT - 2),
    "long subnormal": "1." + "7" * (LONGEST_TEXT - 8) + "e-4950",
    "long and large": "1." + "7" * (LONGEST_TEXT - 7) + "e4931",
    "long and far down": "1." + "7" * (LONGEST_TEXT - 8) + "e-9860",
    "long and far up": "1." + "7" * (LONGEST_TEXT - 7) + "e9863",
    "hex": "0x" + "f" * (LONGEST_TEXT - 2),
    "hex fraction": "0x1." + "f" * (LONGEST_TEXT - 12) + "p-16390",
    "hex far": "0x1." + "f" * (LONGEST_TEXT - 12) + "p32760",
    "power": "1e9863",
    "power down": "-7e-12000",
    "far": "1e" + "9" * (LONGEST_TEXT - 2),
    "far down": "1e-" + "9" * (LONGEST_TEXT - 3),
}
FORMATS = ("float128", "float80", "binary16p1ue", "posit128", "posit128:es=8", "int128", "q0.127", "takum_linear128")


def answer(text: str, name: str) -> None:
    number_format, number = find_format(name), parse(text)
    if number.negative and not number_format.signed:
        return
    for rounding in ("nearest_even", "to_odd"):
        encoding = encode(number, number_format, rounding, "saturate")
        stored = decode(encoding.code, number_format)
        value_text(stored), stored_text(stored), hexfloat_text(stored), number_text(number), ulp(stored)
        found = distance(number, stored)
        assert found is not None
        found.absolute(), found.ulps()
        for code in neighbours(encoding.code, number_format):
            if code is not None:
                value_text(decode(code, number_format))


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_everything_about_a_long_number_in_two_modes_takes_a_moment(text: str, name: str) -> None:
    taken = []
    for _ in range(3):
        start = time.process_time()
        answer(text, name)
        taken.append(1000 * (time.process_time() - start))
        if taken[-1] < LIMIT_MS:
            return
    raise AssertionError(f"{min(taken):.0f} ms")


@pytest.mark.parametrize("exponent", [-16494, -32767, -1074, 16383, 32766])
def test_powers_of_two_as_exact_decimals(exponent: int) -> None:
    start = time.process_time()
    text = exact_text(power_of_two(exponent))
    assert 1000 * (time.process_time() - start) < LIMIT_MS
    # Decimal reads any length; Fraction of a text is held to Python's limit of 4,300 digits.
    assert Fraction(Decimal(text)) == power_of_two(exponent)


@pytest.mark.parametrize("name", ["float128", "float80", "binary16p1ue", "binary16p2sf", "posit64:es=8", "e15m60"])
def test_the_ends_of_wide_formats_read_back(name: str) -> None:
    number_format = find_format(name)
    for ordinal in (1, 2, number_format.last_ordinal, number_format.last_ordinal - 1):
        code = number_format.code_at(ordinal)
        text = stored_text(decode(code, number_format))
        assert len(text) <= LONGEST_TEXT
        assert encode(parse(text), number_format).code == code
        assert encode(to_number(decode(code, number_format)), number_format).code == code


@pytest.mark.parametrize("text", ["7^-40000", "-1/(5*7^39000)", "2^30000*3^-60000"])
def test_a_number_far_away_is_its_error_in_twelve_formats_at_once(text: str) -> None:
    number = parse(text)
    names = ("float64", "float32", "float16", "bfloat16", "posit16", "q7.8", "int8", "nf4", "int64", "q0.15", "int4")
    start = time.process_time()
    for name in names:
        found = distance(number, decode(encode(number, find_format(name)).code, find_format(name)))
        assert found is not None
        assert found.absolute() != "0"
    assert time.process_time() - start < 0.25, "its text of 34,000 digits was made for each"
    assert number_text(number).startswith("-") is number.negative

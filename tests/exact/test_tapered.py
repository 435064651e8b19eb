"""Posits and takums: against SoftPosit, and against their own definitions at widths that it does not have."""

import random
from fractions import Fraction

import pytest
import softposit
from hypothesis import given
from hypothesis import strategies as st

from app.exact import Finite, Kind, Outcome, Rounding, decode, encode, from_fraction, parse, ulp
from app.formats import PositFormat, TakumFormat, find_format


def softposit_code(value: float, width: int) -> int:
    """posit_2 keeps its bits at the top of a 32-bit word."""
    return softposit.posit_2(value, x=width).v.v >> (32 - width)


@pytest.mark.parametrize("width", [3, 5, 8, 11, 16, 19, 24, 32])
def test_softposit_reads_the_same_numbers(width: int) -> None:
    number_format = find_format(f"posit{width}")
    codes = range(1 << width) if width <= 11 else random.Random(width).sample(range(1 << width), 1500)
    for code in codes:
        stored = decode(code, number_format)
        if stored.kind is Kind.NAR:
            continue
        assert Fraction(float(softposit.posit_2(bits=code, x=width))) == stored.value


@pytest.mark.parametrize("width", [3, 5, 8, 11, 16, 19, 24, 32])
def test_softposit_rounds_the_same_way(width: int) -> None:
    number_format = find_format(f"posit{width}")
    source = random.Random(-width)
    for _ in range(1200):
        bits = source.choice((0, 1, 3, 8, 30))
        value = (1 + source.randrange(1 << bits) / (1 << bits)) * 2.0 ** source.randint(-4 * width, 4 * width)
        value *= source.choice((1, -1))
        ours = encode(from_fraction(Fraction(value)), number_format).code
        assert ours == softposit_code(value, width), value


def test_the_cut_between_two_powers_lies_in_the_bit_string() -> None:
    """Posit Standard 2022, 4.1: posit8 has nothing between 2^20 and 2^24, and 2^22 is its cut."""
    posit8 = find_format("posit8")
    top = posit8.last_ordinal
    assert posit8.parts(top - 1).value == 2**20
    assert [encode(from_fraction(Fraction(2**22 + step)), posit8).code - top for step in (-1, 0, 1)] == [-1, -1, 0]


@pytest.mark.parametrize("name", ["posit8", "posit32", "posit128", "posit16:es=0", "posit64:es=8", "takum_linear64"])
@pytest.mark.parametrize("rounding", list(Rounding))
def test_no_number_becomes_zero_or_nar(name: str, rounding: Rounding) -> None:
    number_format = find_format(name)
    last = number_format.last_ordinal
    for text in ("1e999999999", "1e20000", "0x1p40000"):
        assert encode(parse(text), number_format, rounding).code == last
        assert encode(parse(f"-{text}"), number_format, rounding).code == number_format.code_at(-last)
    for text in ("1e-999999999", "1e-20000", "0x1p-40000"):
        assert encode(parse(text), number_format, rounding).code == 1
        assert encode(parse(f"-{text}"), number_format, rounding).code == number_format.code_at(-1)
    assert encode(parse("nan"), number_format).code == number_format.nar_code
    assert encode(parse("-inf"), number_format).code == number_format.nar_code
    assert encode(parse("-inf"), number_format, overflow="saturate").code == number_format.code_at(-last)


WIDE = [find_format(f"posit{width}:es={size}") for width in (17, 32, 64, 128) for size in (0, 1, 2, 5, 8)]
WIDE += [find_format(f"takum_linear{width}") for width in (13, 16, 32, 64, 128)]


@given(st.sampled_from(WIDE), st.data())
def test_every_code_comes_back_and_its_half_decides(
    number_format: PositFormat | TakumFormat, data: st.DataObject
) -> None:
    """One more bit gives the number at which rounding turns: below it down, above it up, on it to the even code."""
    code = data.draw(st.integers(1, number_format.last_ordinal - 1))
    value, following = number_format.value_of(code), number_format.value_of(code + 1)
    for rounding in Rounding:
        encoding = encode(from_fraction(value), number_format, rounding)
        assert (encoding.code, encoding.outcome) == (code, Outcome.EXACT)
    is_widest = number_format.width == 128
    half = (value + following) / 2 if is_widest else longer(number_format).value_of(2 * code + 1)
    if is_widest and number_format.parts(code).fraction_bits == 0:
        return
    nudge = (following - value) / 10**50
    expected = [code, code + code % 2, code + 1]
    assert [encode(from_fraction(half + step * nudge), number_format).code for step in (-1, 0, 1)] == expected
    negative = [encode(from_fraction(-half - step * nudge), number_format).code for step in (-1, 0, 1)]
    assert negative == [number_format.code_at(-each) for each in expected]


def longer(number_format: PositFormat | TakumFormat) -> PositFormat | TakumFormat:
    kind, _, options = number_format.name.partition(":")
    letters = kind.rstrip("0123456789")
    found = find_format(f"{letters}{number_format.width + 1}" + (f":{options}" if options else ""))
    assert isinstance(found, PositFormat | TakumFormat)
    return found


def takum_by_paper(code: int, width: int) -> Fraction:
    """Hunhold 2024 (arXiv:2404.18603, definition 2) with the linear value of arXiv:2408.10594: ((1 - 3S) + f) * 2^e."""
    bits = f"{code:0{width}b}".ljust(12, "0")
    sign, direction, regime_field = int(bits[0]), int(bits[1]), int(bits[2:5], 2)
    regime = regime_field if direction else 7 - regime_field
    tail = bits[5 : 5 + regime]
    characteristic = (int(tail, 2) if tail else 0) + (2**regime - 1 if direction else 1 - 2 ** (regime + 1))
    rest = bits[5 + regime :]
    fraction = Fraction(int(rest, 2), 2 ** len(rest)) if rest else Fraction(0)
    exponent = (-1) ** sign * (characteristic + sign)
    return (1 - 3 * sign + fraction) * Fraction(2) ** exponent


@pytest.mark.parametrize("width", [2, 3, 5, 8, 11, 12, 13, 16])
def test_takums_are_as_the_papers_define_them(width: int) -> None:
    number_format = find_format(f"takum_linear{width}")
    for code in range(0, 1 << width, 1 if width < 13 else 37):
        if code not in (0, number_format.nar_code):
            assert decode(code, number_format).value == takum_by_paper(code, width), code


def test_the_ends_of_takums() -> None:
    takum = find_format("takum_linear16")
    assert takum.min_positive == Fraction(1, 2**255) * (1 + Fraction(1, 16))
    assert takum.max == 2**254 * (2 - Fraction(1, 16))
    assert encode(Finite(negative=False, numerator=1, exponent2=-255), takum).code == 1


def test_the_ulp_of_a_short_takum_is_its_stored_bit() -> None:
    """takum_linear8 has three fraction bits at 1: the next number is 1.125, whatever a longer takum would append."""
    number_format = find_format("takum_linear8")
    one = decode(0x40, number_format)
    assert one.value == 1
    assert ulp(one) == decode(0x41, number_format).value - 1 == Fraction(1, 8)

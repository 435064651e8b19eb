"""The place of any point among a format's numbers, against the plain list of them, and against encoding downward."""

from bisect import bisect_right
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.exact import encode, from_fraction
from app.formats import find_format
from app.formats.bits import floor_log2
from app.tasks.number_line_ordinals import locator_of

LISTED = (
    *("float8_e4m3fn", "float8_e5m2", "float8_e8m0fnu", "float8_e4m3fnuz", "float4_e2m1fn", "binary8p3se"),
    *("binary6p4uf", "e0m5", "e3m0", "e3m0:no-subnormals", "e4m3:no-subnormals", "e3m2:no-subnormals:no-zero"),
    *("e3m2:unsigned", "e2m2:unsigned:no-subnormals:no-zero", "e3m2:bias=-5", "posit2", "posit3", "posit8"),
    *("posit8:es=0", "posit8:es=4", "posit2:es=3", "takum_linear2", "takum_linear5", "takum_linear8"),
    *("takum_linear12", "int8", "uint4", "int5:sign-magnitude", "int5:ones-complement", "bool", "q3.4", "uq0.6"),
    *("nf4", "fp4_bnb", "codebook:-1,0,1,2.5"),
)


@pytest.mark.parametrize("name", LISTED)
def test_every_point_has_the_place_that_the_list_of_numbers_gives_it(name: str) -> None:
    number_format = find_format(name)
    locate = locator_of(number_format)
    ordinals = range(number_format.first_ordinal, number_format.last_ordinal + 1)
    numbers = [number_format.value_of(number_format.code_at(ordinal)) or Fraction(0) for ordinal in ordinals]
    points = [Fraction(0), 3 * numbers[-1] + 1, 3 * numbers[0] - 1, numbers[-1]]
    points += [point for low, high in pairwise(numbers) for point in (low, (low + high) / 2, low + (high - low) / 7)]
    points += [numbers[0] - Fraction(1, 10**60), numbers[-1] + Fraction(1, 10**60)]
    for point in points:
        place = bisect_right(numbers, point) - 1
        expected = place + number_format.first_ordinal, place >= 0 and numbers[place] == point
        assert locate(point.numerator, point.denominator) == expected, point


@pytest.mark.parametrize("name", ["float16", "float32", "float64", "float128", "float80", "int64", "q15.16"])
@settings(max_examples=60, deadline=None)
@given(numerator=st.integers(-(10**9), 10**9), denominator=st.integers(1, 10**9), power=st.integers(-40, 12))
def test_wide_formats_agree_with_rounding_downward(name: str, numerator: int, denominator: int, power: int) -> None:
    number_format = find_format(name)
    point = Fraction(numerator, denominator) * Fraction(2) ** power
    point = max(Fraction(number_format.min), min(point, Fraction(number_format.max)))
    ordinal, is_exact = locator_of(number_format)(point.numerator, point.denominator)
    code = encode(from_fraction(point), number_format, "toward_negative").code
    assert number_format.ordinal_of(code) == ordinal
    assert (number_format.value_of(code) == point) is is_exact


@pytest.mark.parametrize("name", ["posit32", "posit64", "posit16:es=1", "takum_linear32", "takum_linear64"])
@settings(max_examples=60, deadline=None)
@given(share=st.fractions(0, 1), other=st.integers(-(2**64), 2**64))
def test_a_point_between_two_tapered_numbers_lies_after_the_lower_one(name: str, share: Fraction, other: int) -> None:
    number_format = find_format(name)
    span = number_format.last_ordinal - number_format.first_ordinal
    ordinal = number_format.first_ordinal + other % span
    low, high = (number_format.value_of(number_format.code_at(each)) for each in (ordinal, ordinal + 1))
    assert low is not None
    assert high is not None
    point = low + (high - low) * share
    expected = (ordinal + 1, True) if share == 1 else (ordinal, share == 0)
    assert locator_of(number_format)(point.numerator, point.denominator) == expected


@given(st.integers(1, 10**40), st.integers(1, 10**40))
def test_the_exponent_is_that_of_the_binade(numerator: int, denominator: int) -> None:
    exponent = floor_log2(numerator, denominator)
    assert Fraction(2) ** exponent <= Fraction(numerator, denominator) < Fraction(2) ** (exponent + 1)

"""Precision and common numbers of formats, held against every number of narrow formats, and against known figures."""

from fractions import Fraction
from itertools import pairwise, product

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app import exact
from app.errors import InvalidInput
from app.formats import CATALOG, Format, find_format
from app.formats.bits import floor_log2
from app.tasks.compare_formats import compare_formats, range_of
from app.tasks.compare_grids import numbers_of
from app.tasks.compare_number import bit_fields, by_error, compare_number
from app.tasks.compare_precision import bits_at, precision_of
from app.tasks.compare_shared import count_numbers, shared_numbers, short_text
from app.tasks.format_list import find_formats
from app.tasks.logarithm import log2

NARROW = (
    *("float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e8m0fnu", "float4_e2m1fn", "float6_e3m2fn"),
    *("e3m4:no-subnormals", "e0m5", "e3m0", "e4m0", "e3m2:no-subnormals:no-zero", "e5m2:bias=3:unsigned"),
    *("binary8p3se", "binary8p1uf", "binary5p2sf", "posit8", "posit6:es=4", "posit5:es=8", "posit2", "posit9:es=0"),
    *("takum_linear8", "takum_linear5", "takum_linear3", "takum_linear2", "takum_linear10", "takum_linear12"),
    *("int8", "uint8", "int1", "uint1", "int5:sign-magnitude", "q3.4", "uq0.6", "q2.0"),
    *("nf4", "bool", "codebook:-1,0,1", "codebook:-3,-1", "codebook:0.1,0.2,0.7,-4"),
)
WIDE = ("float16", "bfloat16", "posit16", "takum_linear16", "int16", "q0.15", "e6m9:specials=none")


def all_numbers(number_format: Format) -> frozenset[Fraction]:
    values = (number_format.value_of(code) for code in range(1 << number_format.width))
    return frozenset(value for value in values if value is not None)


def read_back(text: str) -> Fraction:
    """The example's text; only decimals, powers of two and hex floats are made."""
    sign, body = (-1, text[1:]) if text.startswith("-") else (1, text)
    if body.startswith("2^"):
        return sign * Fraction(2) ** int(body[2:])
    if body.startswith("0x1."):
        digits, _, exponent = body[4:].partition("p")
        return sign * (1 + Fraction(int(digits, 16), 16 ** len(digits))) * Fraction(2) ** int(exponent)
    return sign * Fraction(body)


@pytest.fixture(scope="module")
def numbers() -> dict[str, frozenset[Fraction]]:
    return {name: all_numbers(find_format(name)) for name in (*NARROW, *WIDE)}


@pytest.mark.parametrize("first", NARROW)
def test_common_numbers_are_those_of_the_sets(first: str, numbers: dict[str, frozenset[Fraction]]) -> None:
    for second in NARROW:
        ours, theirs = numbers[first], numbers[second]
        found = shared_numbers(find_format(first), find_format(second))
        counts = (found.both, found.only_first, found.only_second)
        assert counts == (len(ours & theirs), len(ours - theirs), len(theirs - ours)), (first, second)
        assert bool(found.first_examples) == bool(found.only_first), (first, second)
        assert bool(found.second_examples) == bool(found.only_second), (first, second)
        assert {read_back(text) for text in found.first_examples} <= ours - theirs
        assert {read_back(text) for text in found.second_examples} <= theirs - ours


def test_common_numbers_of_formats_of_16_bits(numbers: dict[str, frozenset[Fraction]]) -> None:
    for first, second in product(WIDE, WIDE):
        found = shared_numbers(find_format(first), find_format(second))
        assert found.both == len(numbers[first] & numbers[second]), (first, second)


custom_floats = st.builds(
    "e{}m{}:bias={}:specials={}{}".format,
    st.integers(1, 5),
    st.integers(1, 4),
    st.integers(-3, 20),
    st.sampled_from(["ieee", "nan-only", "none", "infinity-nan"]),
    st.sampled_from(["", ":unsigned", ":no-subnormals", ":unsigned:no-subnormals:no-zero"]),
)
fixed_points = st.builds("{}q{}.{}".format, st.sampled_from(["", "u"]), st.integers(0, 5), st.integers(1, 5))
posits = st.builds("posit{}:es={}".format, st.integers(2, 11), st.integers(0, 8))
takums = st.builds("takum_linear{}".format, st.integers(2, 13))
integers = st.builds("{}int{}".format, st.sampled_from(["", "u"]), st.integers(1, 10))
narrow_names = st.one_of(custom_floats, fixed_points, posits, takums, integers)


@settings(max_examples=150, deadline=None)
@given(narrow_names, narrow_names)
@example("e1m1:bias=0:specials=none:no-subnormals", "uint1")
def test_common_numbers_of_any_two_formats(first: str, second: str) -> None:
    one, other = find_format(first), find_format(second)
    ours, theirs = all_numbers(one), all_numbers(other)
    found = shared_numbers(one, other)
    assert (found.both, found.only_first) == (len(ours & theirs), len(ours - theirs))
    assert bool(found.first_examples) == bool(found.only_first)
    assert {read_back(text) for text in found.first_examples} <= ours - theirs


@settings(max_examples=100, deadline=None)
@given(narrow_names)
@example("nf4")
@example("codebook:0.1,0.2,0.7,-4")
def test_precision_is_that_of_every_pair_of_neighbours(name: str) -> None:
    number_format = find_format(name)
    positives = sorted(value for value in all_numbers(number_format) if value > 0)
    segments = precision_of(number_format)
    assert all(one.high == other.low for one, other in pairwise(segments))
    if len(positives) < 2:
        return
    assert segments[0].low.value == positives[0]
    assert segments[-1].high.value == positives[-1]
    for low, high in pairwise(positives):
        steps = low / (high - low)
        segment = next(each for each in segments if each.low.value <= low < each.high.value)
        if not segment.is_flat:
            assert steps == segment.low_ratio * low / segment.low.value
        elif low == segment.low.value and log2(low).is_integer():
            assert steps == segment.low_ratio
        else:
            # Within a binade of a float the precision is taken at its start, where it is least.
            assert segment.low_ratio <= steps < 2 * segment.low_ratio


def test_known_precision() -> None:
    float32 = precision_of(find_format("float32"))
    assert [(each.low.exponent, each.low_bits, each.high_bits) for each in float32] == [(-149, 1, 24), (-126, 24, 24)]
    assert float32[-1].high.value == Fraction(2**24 - 1) * 2**104
    assert bits_at(precision_of(find_format("posit16")), 0) == 12
    assert bits_at(precision_of(find_format("posit32")), 0) == 28
    assert bits_at(precision_of(find_format("int8")), 6) == 7
    assert bits_at(precision_of(find_format("float8_e8m0fnu")), 5) == 1
    assert bits_at(precision_of(find_format("float16")), 16) is None
    assert bits_at(precision_of(find_format("float128")), -16400) == 95
    assert precision_of(find_format("bool")) == ()


def test_known_counts() -> None:
    assert count_numbers(find_format("float16")) == 2 * 31 * 1024 - 1
    assert count_numbers(find_format("float64")) == 2 * 2047 * 2**52 - 1
    assert count_numbers(find_format("float128")) == 2 * 32767 * 2**112 - 1
    assert count_numbers(find_format("float80")) == 2 * 32767 * 2**63 - 1
    assert count_numbers(find_format("posit64")) == 2**64 - 1
    assert count_numbers(find_format("takum_linear64")) == 2**64 - 1
    assert count_numbers(find_format("int128")) == 2**128
    assert count_numbers(find_format("uq64.64")) == 2**128
    # Every int24 is a float32; of int32, those with at most 24 significant bits.
    assert shared_numbers(find_format("int24"), find_format("float32")).only_first == 0
    of_int32 = sum(2 ** min(23, exponent) for exponent in range(31)) * 2 + 2
    assert shared_numbers(find_format("int32"), find_format("float32")).both == of_int32
    assert shared_numbers(find_format("tfloat32"), find_format("float32")).only_first == 0
    assert shared_numbers(find_format("float64"), find_format("float80")).only_first == 0


def test_every_listed_format_counts_no_more_numbers_than_codes() -> None:
    for number_format in CATALOG:
        found = count_numbers(number_format)
        assert 2 <= found <= 1 << number_format.width, number_format.name
        if number_format.width <= 8:
            assert found == len(all_numbers(number_format)), number_format.name


@given(st.fractions(min_value=Fraction(1, 10**40)))
def test_floor_of_the_logarithm(value: Fraction) -> None:
    exponent = floor_log2(*value.as_integer_ratio())
    assert Fraction(2) ** exponent <= value < Fraction(2) ** (exponent + 1)


@given(st.integers(-(2**70), 2**70), st.integers(-300, 300))
def test_short_texts_read_back(significand: int, exponent: int) -> None:
    value = significand * Fraction(2) ** exponent
    text = short_text(value)
    assert read_back(text) == value
    if "^" not in text:
        number = exact.parse(text)
        assert isinstance(number, exact.Finite)
        assert number.fraction() == value


@given(st.sampled_from(NARROW), st.fractions(max_denominator=4096))
def test_a_number_belongs_to_a_format_when_a_code_means_it(name: str, value: Fraction) -> None:
    number_format = find_format(name)
    assert numbers_of(number_format).contains(value) == (value in all_numbers(number_format))


def test_a_comparison_puts_the_first_format_beside_the_others() -> None:
    formats = tuple(map(find_format, ("float32", "bfloat16", "int8")))
    found = compare_formats(formats)
    assert [each.second.name for each in found.pairs] == ["bfloat16", "int8"]
    assert found.pairs[0].only_second == 0
    assert found.matrix[1] == (65279, 65279, 256)
    assert [each.format.name for each in found.ranges] == ["float32", "bfloat16", "int8"]
    assert range_of(formats[0]).min_normal == Fraction(1, 2**126)
    assert range_of(formats[2]).min_normal is None


def test_one_number_in_several_formats() -> None:
    names = ("float32", "bfloat16", "float8_e8m0fnu", "int8", "posit8")
    rows = compare_number("0.1", map(find_format, names), "nearest_even")
    assert [row.stored and row.stored.hex for row in rows] == ["0x3dcccccd", "0x3dcd", "0x7c", "0x00", "0x25"]
    assert rows[0].stored is not None
    assert rows[0].stored.error is not None
    assert rows[0].stored.error.absolute == "0.000000001490116119384765625"
    assert rows[0].stored.error.relative == "1.4901161193847656e-8"
    assert [row.format.name for row in by_error(rows)][:2] == ["float32", "bfloat16"]


def test_what_a_format_refuses_is_told_in_its_row() -> None:
    rows = compare_number("nan", map(find_format, ("int8", "float16", "posit8")), "nearest_even")
    refusals = [row.refusal and row.refusal.id for row in rows]
    assert refusals == ["number.no-nan", None, None]
    assert rows[1].stored is not None
    assert rows[1].stored.is_exact
    assert rows[2].stored is not None
    assert (rows[2].stored.hex, rows[2].stored.value, rows[2].stored.kind) == ("0x80", "nan", "nar")
    assert [row.format.name for row in by_error(rows)] == ["posit8", "float16", "int8"]


def test_errors_are_sorted_from_exact_to_infinite() -> None:
    names = ("float8_e5m2", "int8", "float16", "float32", "uint16")
    rows = compare_number("65536", map(find_format, names), "nearest_even")
    assert [row.format.name for row in by_error(rows)] == ["float32", "uint16", "int8", "float8_e5m2", "float16"]


def test_a_number_or_a_mode_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"number\."):
        compare_number("1..2", (find_format("int8"),), "nearest_even")
    with pytest.raises(InvalidInput, match=r"rounding\.unknown"):
        compare_number("1", (), "sideways")


@given(st.sampled_from([*NARROW, *WIDE]), st.data())
def test_fields_are_the_bits_of_the_code(name: str, data: st.DataObject) -> None:
    number_format = find_format(name)
    code = data.draw(st.integers(0, (1 << number_format.width) - 1))
    fields = bit_fields(code, number_format)
    assert "".join(field.bits for field in fields) == f"{code:0{number_format.width}b}"
    assert all(field.bits for field in fields)


def test_names_between_commas_are_refused_with_the_way_to_write_them() -> None:
    with pytest.raises(InvalidInput, match=r"formats\.separator"):
        find_formats("float16,posit16")
    assert [each.name for each in find_formats("codebook:-1,0,1 float16")] == ["codebook:-1,0,1", "float16"]

"""Names that spell a format out: what they parse to, how they print, and how each wrong one is refused."""

import re
from itertools import product
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import AppError, InvalidInput
from app.formats import (
    BLOCKS,
    CATALOG,
    CodebookFormat,
    FixedPointFormat,
    FloatFormat,
    Format,
    IntegerFormat,
    Notation,
    PositFormat,
    Specials,
    TakumFormat,
    find_any_format,
    find_format,
)
from app.formats.names.custom_floats import CustomParts, default_bias
from app.wording.sentences import SENTENCES

OPTIONS = ("unsigned", "no-subnormals", "no-zero", "no-negative-zero")


@st.composite
def custom_names(draw: st.DrawFn) -> str:
    """Any choice of exponent, mantissa and options, in any order and letter case; not every one is a format."""
    exponent_bits, mantissa_bits = draw(st.integers(0, 15)), draw(st.integers(0, 112))
    options = draw(st.lists(st.sampled_from(OPTIONS), unique=True))
    if draw(st.booleans()):
        options.append(f"bias={draw(st.integers(-40, 300) | st.integers(-33000, 33000))}")
    if draw(st.booleans()):
        options.append(f"specials={draw(st.sampled_from(list(Specials)))}")
    options = draw(st.permutations(options))
    name = ":".join((f"e{exponent_bits}m{mantissa_bits}", *options))
    return name.upper() if draw(st.booleans()) else name


def other_names() -> st.SearchStrategy[str]:
    widths = st.integers(1, 128)
    decimals = st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-1000, max_value=1000)
    return st.one_of(
        st.builds("{}int{}".format, st.sampled_from(("", "u")), widths),
        st.builds("int{}:{}".format, widths, st.sampled_from(("sign-magnitude", "ones-complement"))),
        st.builds("posit{}:es={}".format, st.integers(2, 128), st.integers(0, 8)),
        st.builds("takum_linear{}".format, st.integers(2, 128)),
        st.builds("{}q{}.{}".format, st.sampled_from(("", "u")), st.integers(0, 63), st.integers(1, 64)),
        st.sampled_from([f"binary8p{p}{kind}" for p, kind in product(range(1, 8), ("se", "sf", "ue", "uf"))]),
        st.lists(decimals, min_size=2, max_size=12, unique=True).map(
            lambda each: "codebook:" + ",".join(map(str, each))
        ),
    )


def found_or_refused(name: str) -> Format | InvalidInput:
    try:
        return find_format(name)
    except InvalidInput as refusal:
        return refusal


@given(custom_names() | other_names())
def test_a_name_is_refused_with_a_sentence_or_prints_as_itself(name: str) -> None:
    found = found_or_refused(name)
    if isinstance(found, AppError):
        assert SENTENCES[found.code].format(**found.figures)
        return
    again = find_format(found.name)
    assert again == found
    assert again.name == found.name
    assert hash(again) == hash(found)
    assert find_format(f"  {found.name.upper()} ") == found


@given(custom_names())
def test_a_custom_float_is_what_its_name_says(name: str) -> None:
    found = found_or_refused(name)
    if isinstance(found, AppError):
        return
    name = name.lower()
    assert isinstance(found, FloatFormat)
    if found in CATALOG:
        return  # an alias wins over the rule
    match = re.match(r"e(\d+)m(\d+)", name)
    assert match is not None
    assert (found.exponent_bits, found.mantissa_bits) == (int(match[1]), int(match[2]))
    assert found.signed is (":unsigned" not in name)
    assert found.has_subnormals is (":no-subnormals" not in name)
    assert found.has_zero is (":no-zero" not in name)
    assert found.allows_negative_zero is (":no-negative-zero" not in name)
    bias = re.search(r"bias=(-?\d+)", name)
    assert found.bias == (int(bias[1]) if bias else default_bias(found.exponent_bits))
    assert sum(bits for _, bits in found.field_widths) == found.width <= 128
    assert found.min <= 0 <= found.max or not found.has_zero
    assert found.value_of(found.code_of(found.max_magnitude)) == found.max
    assert found.min_positive > 0


@pytest.mark.parametrize(
    ("name", "width"),
    [
        ("e5m10", 16),
        ("e4m3:bias=8:specials=nan-only", 8),
        ("int5:sign-magnitude", 5),
        ("posit12:es=1", 12),
        ("takum_linear16", 16),
        ("q7.8", 16),
        ("uq8.8", 16),
        ("binary8p3se", 8),
        ("codebook:-1,0,1", 2),
        ("e15m112", 128),
        ("e0m1", 2),
        ("uint128", 128),
        ("i7", 7),
        ("s3", 3),
        ("u128", 128),
    ],
)
def test_widths_of_spelled_formats(name: str, width: int) -> None:
    assert find_format(name).width == width


@pytest.mark.parametrize(
    ("name", "canonical"),
    [
        ("posit16:es=2", "posit16"),
        ("e5m10:bias=15", "e5m10"),
        ("e5m10:specials=ieee", "e5m10"),
        ("e4m3:unsigned:bias=8", "e4m3:bias=8:unsigned"),
        ("e4m3:specials=ieee", "e4m3:specials=ieee"),
        ("i8", "int8"),
        ("codebook:1.50,+2,0.10", "codebook:1.5,2,0.1"),
        ("codebook:1e3,1e-20", "codebook:1000,1e-20"),
    ],
)
def test_names_have_one_canonical_form(name: str, canonical: str) -> None:
    assert find_format(name).name == canonical


def test_a_bare_name_that_is_taken_means_the_listed_format() -> None:
    """An alias wins: e4m3 is OCP's format without infinity, and the IEEE-like one has to say so."""
    assert find_format("e4m3").name == "float8_e4m3fn"
    ieee = find_format("e4m3:specials=ieee")
    assert isinstance(ieee, FloatFormat)
    assert ieee.has_infinity
    assert find_format(ieee.name) == ieee


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("e16m3", "format.option-range"),
        ("e5m113", "format.option-range"),
        ("e15m112:specials=nan-only:unsigned:bias=99999", "format.option-range"),
        ("e0m0:unsigned", "format.no-bits"),
        ("e0m0:specials=none:unsigned", "format.no-bits"),
        ("e5m2:bias=40000", "format.bias"),
        ("e5m2:bias=-40000", "format.bias"),
        ("e5m2:specials=some", "format.specials"),
        ("e5m2:spicy", "format.option-unknown"),
        ("e5m2:unsigned:unsigned", "format.option-twice"),
        ("e5m2:unsigned=1", "format.option-value"),
        ("e5m2:bias", "format.option-value"),
        ("e5m2:bias=1.5", "format.option-range"),
        ("e0m4:specials=ieee", "format.no-exponent-for-specials"),
        ("e0m4:no-subnormals", "format.no-exponent-for-normals"),
        ("e4m3:no-zero", "format.zero-without-subnormals"),
        ("e4m3:unsigned:no-negative-zero", "format.no-minus-zero-anyway"),
        ("e4m3:specials=none:no-negative-zero", "format.minus-zero-means-nothing"),
        ("e1m0", "format.nothing-left"),
        ("binary2p1se", "format.option-range"),
        ("binary17p3se", "format.option-range"),
        ("binary8p8se", "format.option-range"),
        ("binary8p9ue", "format.option-range"),
        ("int129", "format.option-range"),
        ("int8:sign-magnitude:ones-complement", "format.two-notations"),
        ("uint8:sign-magnitude", "format.option-unknown"),
        ("posit1", "format.option-range"),
        ("posit129", "format.option-range"),
        ("posit8:es=9", "format.option-range"),
        ("takum_linear1", "format.option-range"),
        ("takum_linear129", "format.option-range"),
        ("q100.100", "format.too-wide"),
        ("q0.0", "format.no-bits"),
        ("codebook:1", "format.codebook-size"),
        ("codebook:0,0", "format.codebook-size"),
        ("codebook:1,x", "format.codebook-value"),
        ("codebook:1,2,1", "format.codebook-twice"),
        ("codebook:" + ",".join(map(str, range(257))), "format.codebook-size"),
        ("mxfp4", "format.is-block"),
        ("e5m10x", "format.unknown"),
        ("posit8es1", "format.unknown"),
        ("takum16", "format.unknown"),
    ],
)
def test_every_refusal_has_its_sentence(name: str, code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        find_format(name)
    assert refused.value.code == code
    assert SENTENCES[code].format(**refused.value.figures)


def test_blocks_are_found_by_name_and_alias() -> None:
    for block in BLOCKS:
        for name in (block.name, *block.origin.aliases):
            assert find_any_format(name) is block


def test_parts_print_the_name_that_they_were_read_from() -> None:
    for exponent_bits, specials, signed in product(range(1, 6), Specials, (True, False)):
        parts = CustomParts(exponent_bits=exponent_bits, mantissa_bits=4, bias=2, specials=specials, signed=signed)
        built = parts.build(frozenset({"e3m4"}))
        assert find_format(built.name) == built


def test_spelled_kinds() -> None:
    kinds = {
        "e5m10": FloatFormat,
        "int5": IntegerFormat,
        "q3.4": FixedPointFormat,
        "posit9": PositFormat,
        "takum_linear9": TakumFormat,
        "codebook:1,2": CodebookFormat,
    }
    assert {name: type(find_format(name)) for name in kinds} == kinds
    found = find_format("int5:ones-complement")
    assert isinstance(found, IntegerFormat)
    assert found.notation is Notation.ONES_COMPLEMENT


@pytest.mark.parametrize("exponent", ["", "e999", "e-999"])
def test_the_longest_codebook_is_read_sorted_and_asked_for_its_order_at_once(exponent: str) -> None:
    before = process_time()
    name = "codebook:" + ",".join(f"{place * 7 % 256}{exponent}" for place in range(256))
    book = find_format(name)
    assert [book.ordinal_of(book.code_at(ordinal)) for ordinal in range(256)] == list(range(256))
    values = [book.value_of(book.code_at(ordinal)) for ordinal in range(256)]
    assert values == sorted(values, key=lambda value: value or 0)
    assert process_time() - before < 0.2, "each of its numbers was compared with each other one, or multiplied up"

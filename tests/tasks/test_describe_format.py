"""The facts on a format's card, each held against counting, against the encoder, and against other libraries."""

import re
import struct
from collections import Counter
from fractions import Fraction
from itertools import product
from time import process_time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import InvalidInput
from app.exact import Finite, Kind, decode, encode, from_fraction, parse
from app.formats import (
    BLOCKS,
    CATALOG,
    BooleanFormat,
    CodebookFormat,
    Family,
    FloatFormat,
    Format,
    IntegerFormat,
    PositFormat,
    TakumFormat,
    find_any_format,
    find_format,
)
from app.formats.bits import floor_log2
from app.tasks.describe_format import decimal_digits, describe_format, round_trip_digits
from app.tasks.format_binades import binade_runs, binades, count_binades, place_of_one
from app.tasks.format_blocks import describe_block
from app.tasks.format_codes import code_page, find_code, page_count, page_of, read_page
from app.tasks.format_equals import same_values, value_key
from app.tasks.format_families import FAMILIES
from app.tasks.format_fields import field_bits
from app.tasks.format_figures import figures_of, in_hexadecimal, in_powers
from app.tasks.format_landmarks import landmarks
from app.tasks.format_libraries import library_figures, torch_dtype_name
from app.tasks.format_map import format_map
from app.tasks.format_search import FormatSearch, search_formats

SPELLED = (
    *("e5m10", "e4m3:bias=8:specials=nan-only", "e3m2:unsigned", "e0m3", "e1m2", "e2m0:specials=none", "e3m0"),
    *("e5m2:no-subnormals", "e4m3:no-negative-zero", "e2m3:bias=-40", "e3m3:bias=60", "e6m1", "e2m5", "binary5p3ue"),
    *("int1", "int5:sign-magnitude", "int4:ones-complement", "uint7", "posit2", "posit3", "posit7:es=0", "posit10"),
    *("takum_linear2", "takum_linear12", "q0.5", "q3.4", "uq0.8", "codebook:-1,0,1", "codebook:0,0.5,2,0,-3"),
    # Their fullest binade is cut short by infinity and NaN.
    *("e1m2:specials=infinity-nan", "e0m3:bias=2:specials=infinity-nan", "e1m1:specials=nan-only:unsigned"),
)
EVERY = (*CATALOG, *(find_format(name) for name in SPELLED))
NARROW = tuple(each for each in EVERY if each.width <= 8)
LISTED_WIDE = tuple(each for each in EVERY if 8 < each.width <= 16)


def named(number_format: Format) -> str:
    return number_format.name


@pytest.mark.parametrize("number_format", NARROW, ids=named)
def test_the_counts_are_those_of_the_codes(number_format: Format) -> None:
    kinds: Counter[Kind] = Counter()
    values = set()
    for code in range(1 << number_format.width):
        decoded = decode(code, number_format)
        if decoded.value is None:
            kinds[decoded.kind] += 1
        else:
            values.add(decoded.value)
    card = describe_format(number_format)
    assert card.finite_values == len(values)
    assert card.nan_codes == kinds[Kind.NAN] + kinds[Kind.NAR]
    assert card.infinities == kinds[Kind.INFINITY]
    assert card.invalid_codes == kinds[Kind.INVALID]
    figures = figures_of(number_format)
    assert (figures.min, figures.max) == (min(values), max(values))
    positive = sorted(value for value in values if value > 0)
    if positive:
        assert figures.min_positive == positive[0]
    if 1 in values:
        above, below = [v for v in sorted(values) if v > 1], [v for v in sorted(values) if v < 1]
        assert figures.eps == (above[0] - 1 if above else None)
        assert figures.eps_below == (1 - below[-1] if below else None)
    else:
        assert figures.eps is None


@pytest.mark.parametrize("number_format", NARROW, ids=named)
def test_normals_and_subnormals_are_those_of_the_decoder(number_format: Format) -> None:
    if not isinstance(number_format, FloatFormat):
        return
    decoded = [decode(code, number_format) for code in range(1 << number_format.width)]
    positive = [each for each in decoded if each.value is not None and each.value > 0]
    normal = [each.value for each in positive if each.kind is Kind.NORMAL]
    subnormal = [each.value for each in positive if each.kind is Kind.SUBNORMAL]
    figures = figures_of(number_format)
    assert figures.min_normal == min(normal, default=None)
    assert figures.min_subnormal == min(subnormal, default=None)
    assert figures.max_subnormal == max(subnormal, default=None)


def test_the_codes_of_float80_add_up() -> None:
    card = describe_format(find_format("float80"))
    pseudo_denormals, minus_zero = 2 << 63, 1
    codes = card.finite_values + minus_zero + card.nan_codes + card.infinities + card.invalid_codes + pseudo_denormals
    assert codes == 1 << 80
    named_codes = {each.role: (each.hex, each.value) for each in landmarks(card.format)}
    assert named_codes["indefinite"] == ("0xffffc000000000000000", "nan")
    assert named_codes["pseudo-infinity"] == ("0x7fff0000000000000000", None)
    assert named_codes["unnormal"] == ("0x3fff0000000000000000", None)
    assert named_codes["pseudo-denormal"][1] == named_codes["smallest-normal"][1]


@pytest.mark.parametrize("number_format", [each for each in EVERY if isinstance(each, FloatFormat)], ids=named)
def test_the_threshold_is_where_the_encoder_overflows(number_format: FloatFormat) -> None:
    figures = figures_of(number_format)
    if figures.overflow_from is None or not (number_format.has_infinity or number_format.has_nan):
        return
    hair = figures.overflow_from / (1 << 200)

    def is_finite(value: Fraction) -> bool:
        return number_format.value_of(encode(from_fraction(value), number_format).code) is not None

    assert is_finite(figures.overflow_from - hair)
    assert not is_finite(figures.overflow_from + hair)
    assert is_finite(figures.overflow_from) is not figures.overflow_from_included


def test_decimal_digits_are_those_of_c() -> None:
    for dtype in (np.float16, np.float32, np.float64):
        info = np.finfo(dtype)
        assert decimal_digits(info.nmant + 1) == info.precision
    # DBL_DECIMAL_DIG and its like, ISO/IEC 9899:2024, 5.2.5.3.3; float80 and float128 as LDBL_DECIMAL_DIG.
    assert [round_trip_digits(bits) for bits in (11, 24, 53, 64, 113)] == [5, 9, 17, 21, 36]
    assert [decimal_digits(bits) for bits in (11, 24, 53, 64, 113)] == [3, 6, 15, 18, 33]


@pytest.mark.parametrize("name", ["float16", "bfloat16", "float8_e4m3fn"])
def test_the_digits_that_tell_numbers_apart_do(name: str) -> None:
    number_format = find_format(name)
    digits = describe_format(number_format).round_trip_digits
    assert digits is not None
    for code in range(1, number_format.last_ordinal + 1, 7):
        value = number_format.value_of(code)
        assert value is not None
        text = f"{float(value):.{digits - 1}e}"
        assert encode(parse(text), number_format).code == code, text


@pytest.mark.parametrize("number_format", EVERY, ids=named)
def test_landmarks_are_what_they_are_called(number_format: Format) -> None:
    found = {each.role: each for each in landmarks(number_format)}
    figures = figures_of(number_format)
    codes = [each.code for each in found.values()]
    assert len(codes) == len(set(codes))
    expected = {
        "largest": figures.max,
        "lowest": figures.min,
        "smallest-subnormal": figures.min_subnormal,
        "largest-subnormal": figures.max_subnormal,
        "smallest-normal": figures.min_normal,
        "one": Fraction(1),
        "zero": Fraction(0),
    }
    for role, value in expected.items():
        if role in found:
            assert number_format.value_of(found[role].code) == value, role
            assert found[role].value is not None
    assert ("nar" in found) is isinstance(number_format, PositFormat | TakumFormat)
    for each in found.values():
        assert "".join(bits for _, bits in each.fields) == f"{each.code:0{number_format.width}b}"


def evaluated(text: str) -> Fraction:
    """The value of what `in_powers` writes, by Python's own operators."""
    if "^" not in text:
        return Fraction(text)
    powers = re.sub(r"2\^(-?\d+)", r"(Fraction(2)**\1)", text)
    return Fraction(eval(powers, {"Fraction": Fraction}))  # noqa: S307


@given(st.integers(-(2**140), 2**140), st.integers(-200, 200))
@settings(max_examples=300, deadline=None)
def test_powers_of_two_read_back(whole: int, exponent: int) -> None:
    value = Fraction(whole) * Fraction(2) ** exponent
    assert evaluated(in_powers(value)) == value
    if value:
        number = parse(in_hexadecimal(value))
        assert isinstance(number, Finite)
        assert number.fraction() == value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Fraction(1, 1 << 24), "2^-24"),
        (Fraction((2**24 - 1) * 2**104), "(2^24-1)*2^104"),
        (-Fraction((2**24 - 1) * 2**104), "-(2^24-1)*2^104"),
        (1 + Fraction(1, 1 << 63), "1+2^-63"),
        (Fraction(2**32 - 1), "2^32-1"),
        (-Fraction(2**32 - 1), "-(2^32-1)"),
        (Fraction(5, 1 << 16), "5*2^-16"),
        (Fraction(65504), "65504"),
        (Fraction(1, 10), "0.1"),
        (Fraction(0), "0"),
    ],
)
def test_powers_of_two_are_written_short(value: Fraction, text: str) -> None:
    assert in_powers(value) == text
    assert evaluated(text) == value


def test_what_the_libraries_get_wrong() -> None:
    wrong = {
        (library.dtype, figure.name)
        for each in CATALOG
        for library in library_figures(each)
        for figure in library.figures
        if not figure.agrees
    }
    assert ("torch.float8_e5m2fnuz", "eps") in wrong
    assert {dtype for dtype, name in wrong if name != "resolution"} == {
        "torch.float8_e5m2fnuz",
        "ml_dtypes.float8_e8m0fnu",  # it names a smallest subnormal, and has none
    }
    asked = [library.call for each in CATALOG for library in library_figures(each)]
    assert "torch.iinfo(torch.uint64)" in asked
    assert "numpy.finfo(numpy.float16)" in asked
    assert not any("float128" in call for call in asked)  # numpy's float128 is x87's 80 bits


def test_torch_names_are_torchs() -> None:
    assert torch_dtype_name(find_format("bf16")) == "torch.bfloat16"
    assert torch_dtype_name(find_format("fp4")) == "torch.float4_e2m1fn_x2"
    assert torch_dtype_name(find_format("tf32")) is None
    assert library_figures(find_format("int8:sign-magnitude")) == ()


def all_values(number_format: Format) -> frozenset[Fraction]:
    codes = range(1 << number_format.width)
    return frozenset(value for code in codes if (value := number_format.value_of(code)) is not None)


def test_equal_formats_of_sixteen_bits_hold_the_same_numbers() -> None:
    names = ("e5m10", "e8m7", "q15.0", "uq16.0", "e5m10:no-negative-zero", "e8m7:specials=infinity-nan", "int16")
    formats = [find_format(name) for name in names]
    listed = [each for each in CATALOG if each.width == 16]
    keys = {each.name: value_key(each) for each in (*formats, *listed)}
    values = {each.name: all_values(each) for each in (*formats, *listed)}
    for one, other in product(keys, keys):
        assert (keys[one] == keys[other]) is (values[one] == values[other]), (one, other)


@pytest.mark.parametrize(
    ("name", "same"),
    [
        ("e5m10", [("float16", True)]),
        ("binary8p4sf", [("float8_e4m3fnuz", True)]),
        ("q15.0", [("int16", True)]),
        ("uint1", [("bool", True)]),
        ("int8:ones-complement", [("int8:sign-magnitude", False)]),
        ("codebook:0,0.5,1,1.5,2,3,4,6,0,-0.5,-1,-1.5,-2,-3,-4,-6", [("float4_e2m1fn", True)]),
        ("codebook:6,4,3,2,1.5,1,0.5,0,-0.5,-1,-1.5,-2,-3,-4,-6", [("float4_e2m1fn", False)]),
        ("float32", []),
        ("e5m10:no-negative-zero", [("float16", False)]),
    ],
)
def test_the_same_numbers_under_another_name(name: str, same: list[tuple[str, bool]]) -> None:
    assert [(each.format.name, each.same_codes) for each in same_values(find_format(name))] == same


@pytest.mark.parametrize("number_format", NARROW, ids=named)
def test_a_map_shows_every_code_once_and_to_scale(number_format: Format) -> None:
    found = format_map(number_format)
    codes = [cell.code for part in found.parts for row in part.rows for cell in row.cells if cell.code is not None]
    assert sorted(codes) == list(range(1 << number_format.width))
    for part in found.parts:
        for row in part.rows:
            if not found.by_binade:
                continue
            assert sum(cell.span for cell in row.cells) == found.columns
            shown = [cell for cell in row.cells if cell.value]
            if row.role in ("binade", "subnormal"):
                assert [abs(c.value or 0) for c in shown] == sorted(abs(c.value or 0) for c in shown)
                assert all((cell.value or 0) > 0 for cell in shown) is (part.name == "positive")
            if row.exponent is not None and row.role != "sparse":
                assert abs(shown[0].value or 0) >= Fraction(2) ** row.exponent


@pytest.mark.parametrize("number_format", LISTED_WIDE, ids=named)
def test_binades_hold_every_positive_number_once(number_format: Format) -> None:
    found = binades(number_format)
    ordinals = range(number_format.first_ordinal, number_format.last_ordinal + 1)
    positive = [v for o in ordinals if (v := number_format.value_of(number_format.code_at(o)) or Fraction(0)) > 0]
    assert sum(each.count for each in found) == len(positive)
    counts: Counter[int] = Counter()
    for value in positive:
        exponent = value.numerator.bit_length() - value.denominator.bit_length()
        counts[exponent if value >= Fraction(2) ** exponent else exponent - 1] += 1
    assert {each.exponent: each.count for each in found} == dict(counts)
    for each in found:
        first = number_format.value_of(each.first_code)
        assert first is not None
        if each.step is not None:
            assert number_format.value_of(number_format.code_at(number_format.ordinal_of(each.first_code) + 1)) == (
                first + each.step
            )


@pytest.mark.parametrize("number_format", [each for each in EVERY if each.width <= 16], ids=named)
def test_code_pages_follow_each_other(number_format: Format) -> None:
    pages = page_count(number_format)
    first, last = code_page(number_format, 1), code_page(number_format, pages)
    assert first.rows[0].code == 0
    assert last.rows[-1].code == (1 << number_format.width) - 1
    assert len(first.rows) == min(256, 1 << number_format.width)
    for row in (*first.rows[:9], *last.rows[-9:]):
        assert row.value == number_format.value_of(row.code)
        assert find_code(row.hex, number_format) == row.code
        assert page_of(row.code) in (1, pages)
        assert field_bits(row.code, number_format) == row.fields


def test_codes_of_float16_are_those_of_struct() -> None:
    for row in code_page(find_format("float16"), 61).rows:
        (expected,) = struct.unpack("<e", row.code.to_bytes(2, "little"))
        assert row.value == Fraction(expected)


def test_codes_are_found_by_code_and_by_value() -> None:
    number_format = find_format("float16")
    assert find_code("0x3C00", number_format) == find_code("1", number_format) == find_code("0x3c00 ", number_format)
    assert find_code("0b1", number_format) == 1
    assert find_code("0x1.8p0", number_format) == 0x3E00
    assert find_code("-inf", number_format) == 0xFC00
    for text, code in (("0x12345", "code.out-of-range"), ("1" * 201, "codes.at-too-long"), ("x", None), ("0x", None)):
        with pytest.raises(InvalidInput) as refused:
            find_code(text, number_format)
        assert code in (None, refused.value.code)


@pytest.mark.parametrize("text", ["0", "257", "-1", "1.5", "x", "٣", "9" * 40])
def test_pages_that_do_not_exist_are_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_page(text, find_format("float16"))
    assert refused.value.code == "codes.page"
    with pytest.raises(InvalidInput):
        code_page(find_format("float32"))


def test_every_listed_format_is_in_a_family_and_examples_parse() -> None:
    everything = search_formats(FormatSearch())
    assert everything.count == len(CATALOG) + len(BLOCKS)
    assert {each.family for each in FAMILIES} == set(Family)
    for spelling in FAMILIES:
        for example in spelling.examples:
            found = find_any_format(example)
            assert found.family is spelling.family
            assert found not in CATALOG


@pytest.mark.parametrize(
    ("search", "names"),
    [
        (FormatSearch(find="bf16"), ["bfloat16"]),
        (FormatSearch(find="HALF"), ["float16"]),
        (FormatSearch(find="hopper e5m2"), ["float8_e5m2"]),
        (FormatSearch(family=Family.TAKUM, width=8), ["takum_linear8"]),
        (FormatSearch(width=19), ["tfloat32"]),
        (FormatSearch(find="qlora"), ["nf4"]),
        (FormatSearch(find="gguf nvfp4"), ["nvfp4"]),
        (FormatSearch(find="zzz"), []),
        (FormatSearch(find="x" * 5000), []),
    ],
)
def test_formats_are_found_by_any_word_of_theirs(search: FormatSearch, names: list[str]) -> None:
    found = search_formats(search)
    assert [each.name for group in found.families for each in group.formats] == names


def test_a_name_that_spells_a_format_is_found_too() -> None:
    found = search_formats(FormatSearch(find=" e5m10 "))
    assert found.spelled == find_format("e5m10")
    assert search_formats(FormatSearch(find="float16")).spelled is None
    assert search_formats(FormatSearch(find="int4")).spelled is None
    refused = search_formats(FormatSearch(find="int200"))
    assert refused.refusal is not None
    assert refused.refusal.code == "format.option-range"
    assert search_formats(FormatSearch(find="float99")).refusal is None


def test_blocks() -> None:
    cards = {block.name: describe_block(block) for block in BLOCKS}
    assert (cards["mxfp4"].bits_per_element, cards["mxfp4"].block_bits) == ("4.25", 136)
    assert (cards["nvfp4"].bits_per_element, cards["nvfp4"].block_bits, cards["nvfp4"].max) == ("4.5", 72, "2688")
    # OCP MX 1.0, table 1: emax of the elements.
    emax = {"mxfp8_e5m2": 15, "mxfp8_e4m3": 8, "mxfp6_e3m2": 4, "mxfp6_e2m3": 2, "mxfp4": 2, "mxint8": 0}
    assert {name: cards[name].element_max_exponent for name in emax} == emax


def test_integers_and_others_have_the_digits_that_always_survive() -> None:
    digits = {name: describe_format(find_format(name)).decimal_digits for name in ("int8", "uint8", "int64", "uint64")}
    assert digits == {"int8": 2, "uint8": 2, "int64": 18, "uint64": 19}
    assert describe_format(find_format("int8")).round_trip_digits == 3
    assert describe_format(find_format("nf4")).decimal_digits is None
    assert isinstance(find_format("bool"), BooleanFormat)
    assert describe_format(find_format("bool")).storage_bits == 8
    assert describe_format(find_format("tf32")).storage_bits == 32
    assert isinstance(find_format("int8"), IntegerFormat)
    assert isinstance(find_format("nf4"), CodebookFormat)


@pytest.mark.parametrize(
    "name",
    ["takum_linear9", "posit9:es=0", "q0.10", "uint9", "e4m7:no-subnormals", "e0m9", "e9m0", "binary9p1ue", "e1m9"],
)
def test_runs_of_binades_are_those_of_the_list(name: str) -> None:
    number_format = find_format(name)
    ordinals = range(number_format.first_ordinal, number_format.last_ordinal + 1)
    positive = [v for o in ordinals if (v := number_format.value_of(number_format.code_at(o)) or Fraction(0)) > 0]
    counts = Counter(floor_log2(*value.as_integer_ratio()) for value in positive)
    found = [(run.exponent + index, run.numbers) for run in binade_runs(number_format) for index in range(run.binades)]
    assert found == sorted(counts.items())
    assert [(each.exponent, each.count) for each in binades(number_format)] == found
    assert count_binades(number_format) == len(counts)
    assert place_of_one(number_format) == (sorted(counts).index(0) if 0 in counts else 0)
    assert binades(number_format, 3, 5) == binades(number_format)[3:5]
    for each in binades(number_format):
        decoded = decode(each.first_code, number_format)
        assert (decoded.kind is Kind.SUBNORMAL) is each.is_subnormal
        assert decoded.value == next(
            value for value in positive if floor_log2(*value.as_integer_ratio()) == each.exponent
        )


@pytest.mark.parametrize("name", ["e15m0", "e14m1:bias=-16000", "e15m0:unsigned", "posit16:es=8", "e13m2:bias=-24000"])
def test_formats_with_thousands_of_binades_have_few_runs_at_once(name: str) -> None:
    before = process_time()
    runs = binade_runs(find_format(name))
    assert process_time() - before < 1, "every binade was made, the numbers of each 16,000 bits long"
    assert len(runs) < 600
    assert len(binades(find_format(name), 64, 128)) == 64

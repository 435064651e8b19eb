"""The format table against torch, ml_dtypes, gguf's names and the defining documents; look-up by name."""

from fractions import Fraction

import ml_dtypes
import numpy as np
import pytest
import torch

from app.errors import InvalidInput
from app.formats import (
    BLOCKS,
    CATALOG,
    COMMON,
    CodebookFormat,
    FixedPointFormat,
    FloatFormat,
    IntegerFormat,
    Notation,
    PositFormat,
    TakumFormat,
    find_any_format,
    find_format,
    format_names,
)

FLOATS = [entry for entry in CATALOG if isinstance(entry, FloatFormat)]
INTEGERS = [entry for entry in CATALOG if isinstance(entry, IntegerFormat)]
IN_TORCH = [entry for entry in FLOATS if hasattr(torch, entry.name)]
IN_ML_DTYPES = [entry for entry in FLOATS if hasattr(ml_dtypes, entry.name) or entry in IN_TORCH]


def two_to(exponent: int) -> Fraction:
    return Fraction(2) ** exponent


# From the documents named in each format's reference: width, bias, largest, smallest normal, smallest subnormal.
DOCUMENTED = {
    "float128": (128, 16383, two_to(16384) - two_to(16271), two_to(-16382), two_to(-16494)),
    "float80": (80, 16383, two_to(16384) - two_to(16320), two_to(-16382), two_to(-16445)),
    "float64": (64, 1023, two_to(1024) - two_to(971), two_to(-1022), two_to(-1074)),
    "float32": (32, 127, two_to(128) - two_to(104), two_to(-126), two_to(-149)),
    "tfloat32": (19, 127, two_to(128) - two_to(117), two_to(-126), two_to(-136)),
    "bfloat16": (16, 127, Fraction(255 * 2**120), two_to(-126), two_to(-133)),
    "float16": (16, 15, Fraction(65504), two_to(-14), two_to(-24)),
    "float8_e4m3fn": (8, 7, Fraction(448), two_to(-6), two_to(-9)),
    "float8_e5m2": (8, 15, Fraction(57344), two_to(-14), two_to(-16)),
    "float8_e4m3fnuz": (8, 8, Fraction(240), two_to(-7), two_to(-10)),
    "float8_e5m2fnuz": (8, 16, Fraction(57344), two_to(-15), two_to(-17)),
    "float8_e4m3b11fnuz": (8, 11, Fraction(30), two_to(-10), two_to(-13)),
    "float8_e4m3": (8, 7, Fraction(240), two_to(-6), two_to(-9)),
    "float8_e3m4": (8, 3, Fraction(31, 2), two_to(-2), two_to(-6)),
    "float8_e8m0fnu": (8, 127, two_to(127), two_to(-127), None),
    "float6_e2m3fn": (6, 1, Fraction(15, 2), Fraction(1), Fraction(1, 8)),
    "float6_e3m2fn": (6, 3, Fraction(28), Fraction(1, 4), Fraction(1, 16)),
    "float4_e2m1fn": (4, 1, Fraction(6), Fraction(1), Fraction(1, 2)),
    "binary8p3se": (8, 16, Fraction(49152), two_to(-15), two_to(-17)),
    "binary8p4se": (8, 8, Fraction(224), two_to(-7), two_to(-10)),
    "binary8p5se": (8, 4, Fraction(15), two_to(-3), two_to(-7)),
    "binary8p1uf": (8, 128, two_to(126), two_to(-127), None),
    "binary6p3sf": (6, 4, Fraction(14), two_to(-3), two_to(-5)),
    "binary4p2sf": (4, 2, Fraction(3), two_to(-1), two_to(-2)),
}

# torch says 0.125; with two mantissa bits the next number after 1 is 1.25.
TORCH_EPSILON_WRONG = {"float8_e5m2fnuz"}


@pytest.mark.parametrize("number_format", FLOATS, ids=lambda entry: entry.name)
def test_floats_are_as_documented(number_format: FloatFormat) -> None:
    facts = (
        number_format.width,
        number_format.bias,
        number_format.max,
        number_format.min_normal,
        number_format.min_subnormal,
    )
    assert facts == DOCUMENTED[number_format.name]


@pytest.mark.parametrize("number_format", IN_TORCH, ids=lambda entry: entry.name)
def test_floats_agree_with_torch(number_format: FloatFormat) -> None:
    theirs = torch.finfo(getattr(torch, number_format.name))
    assert number_format.width == theirs.bits
    assert number_format.max == Fraction(theirs.max)
    # Without a sign there is nothing below the smallest number, though torch says -max of E8M0 too.
    assert number_format.min == Fraction(theirs.min) or not number_format.signed
    assert number_format.min_normal == Fraction(theirs.smallest_normal)
    epsilon_agrees = number_format.epsilon == Fraction(theirs.eps)
    assert epsilon_agrees is (number_format.name not in TORCH_EPSILON_WRONG)


@pytest.mark.parametrize("number_format", IN_ML_DTYPES, ids=lambda entry: entry.name)
def test_floats_agree_with_ml_dtypes(number_format: FloatFormat) -> None:
    dtype = getattr(ml_dtypes, number_format.name, None) or np.dtype(number_format.name)
    theirs = ml_dtypes.finfo(dtype)
    assert number_format.max == Fraction(float(theirs.max))
    assert number_format.epsilon == Fraction(float(theirs.eps))
    assert number_format.min_normal == Fraction(float(theirs.smallest_normal))
    if number_format.min_subnormal is not None:
        assert number_format.min_subnormal == Fraction(float(theirs.smallest_subnormal))
    assert number_format.mantissa_bits == theirs.nmant
    assert number_format.exponent_bits == theirs.nexp


@pytest.mark.parametrize("number_format", INTEGERS, ids=lambda entry: entry.name)
def test_integers_agree_with_torch_or_ml_dtypes(number_format: IntegerFormat) -> None:
    bits = number_format.width
    expected = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if number_format.signed else (0, 2**bits - 1)
    if number_format.notation is not Notation.TWOS_COMPLEMENT:
        expected = (expected[0] + 1, expected[1])
    assert (number_format.min, number_format.max) == expected
    for module, info in ((torch, torch.iinfo), (ml_dtypes, ml_dtypes.iinfo)):
        dtype = getattr(module, number_format.name, None)
        if dtype is not None and (module is ml_dtypes or bits >= 8):
            theirs = info(dtype)
            assert (theirs.bits, theirs.min, theirs.max) == (bits, *expected)


def test_every_torch_dtype_of_one_real_number_has_a_name_here() -> None:
    dtypes = {value for value in vars(torch).values() if isinstance(value, torch.dtype)}
    names = {str(dtype).removeprefix("torch.") for dtype in dtypes}
    not_one_number = ("complex", "q", "bits", "float4_e2m1fn_x2")
    # int1 ... uint7 are names without a cast or a view; those that nothing else uses spell themselves.
    shells = {f"{sign}int{width}" for sign in ("", "u") for width in range(1, 8)}
    for name in names:
        if not name.startswith(not_one_number):
            assert find_format(name).name == name
            assert name in format_names() or name in shells
    assert find_any_format("nvfp4").element == find_format("float4_e2m1fn")


def test_every_ml_dtypes_type_has_a_name_here() -> None:
    for name in ("bfloat16", *(name for name in vars(ml_dtypes) if name.startswith(("float", "int", "uint")))):
        assert find_format(name).name == name


@pytest.mark.parametrize("entry", [*CATALOG, *BLOCKS], ids=lambda entry: entry.name)
def test_every_entry_says_where_it_comes_from(entry: FloatFormat) -> None:
    assert len(entry.origin.reference) > 10
    assert all(used_by == used_by.strip() and used_by for used_by in entry.origin.used_by)
    for used_by in entry.origin.used_by:
        module, _, name = used_by.partition(".")
        if module in ("torch", "ml_dtypes", "numpy") and " " not in name:
            assert hasattr({"torch": torch, "ml_dtypes": ml_dtypes, "numpy": np}[module], name), used_by


@pytest.mark.parametrize("entry", CATALOG, ids=lambda entry: entry.name)
def test_what_every_format_says_of_itself_holds(entry: FloatFormat) -> None:
    assert sum(bits for _, bits in entry.field_widths) == entry.width <= 128
    assert entry.value_of(entry.code_at(entry.first_ordinal)) == entry.min
    assert entry.value_of(entry.code_at(entry.last_ordinal)) == entry.max
    assert entry.signed is (entry.min < 0)
    assert entry in COMMON or entry.name not in ("float16", "int8", "nf4")


def test_tapered_formats_are_as_documented() -> None:
    """Posit Standard 2022, 3.1: largest 2^(4n - 8); takums end near 2^+-255 at every width from 12 up."""
    for entry in CATALOG:
        if isinstance(entry, PositFormat):
            assert entry.max == two_to(4 * entry.width - 8) == 1 / entry.min_positive
        if isinstance(entry, TakumFormat) and entry.width > 12:
            assert two_to(254) < entry.max < two_to(255)
            assert two_to(-255) < entry.min_positive < two_to(-254)


def test_fixed_point_counts_no_sign_bit() -> None:
    found = find_format("q7.8")
    assert isinstance(found, FixedPointFormat)
    assert (found.width, found.min, found.max) == (16, -128, 128 - Fraction(1, 256))
    assert find_format("q15").name == "q0.15"


def test_codebooks_are_float32_numbers() -> None:
    for entry in CATALOG:
        if isinstance(entry, CodebookFormat):
            assert all(Fraction(float(np.float32(float(value)))) == value for value in entry.values)
    fp4 = find_format("fp4_bnb")
    assert isinstance(fp4, CodebookFormat)
    twelfths = (Fraction(1, 16), 8, 12, 4, 6, 2, 3)
    assert [round(float(value) * 12, 5) for value in fp4.values[1:8]] == [float(each) for each in twelfths]
    assert fp4.negative_zero == 8


def test_names_and_aliases_lead_to_one_format() -> None:
    for number_format in CATALOG:
        for name in (number_format.name, *number_format.origin.aliases):
            assert find_format(name) is number_format
            assert find_format(f" {name.upper()} ") is number_format


@pytest.mark.parametrize(
    ("alias", "name"),
    [("fp64", "float64"), ("double", "float64"), ("half", "float16"), ("bf16", "bfloat16"), ("fp8", "float8_e4m3fn"),
     ("e4m3", "float8_e4m3fn"), ("e5m2", "float8_e5m2"), ("s8", "int8"), ("u8", "uint8"), ("i32", "int32")],
)  # fmt: skip
def test_common_aliases(alias: str, name: str) -> None:
    assert find_format(alias).name == name


@pytest.mark.parametrize(
    "name", ["", "float32; DROP", "__class__", "FLOAT9999", "i0", "i1000000", "x" * 10**6, "ﬂoat32"]
)
def test_unknown_names_are_refused(name: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        find_format(name)
    assert refused.value.code == "format.unknown"
    assert len(str(refused.value.figures["name"])) <= 40


def test_formats_are_values() -> None:
    assert len(set(CATALOG)) == len(CATALOG)
    assert len({entry.name for entry in (*CATALOG, *BLOCKS)}) == len(CATALOG) + len(BLOCKS)
    with pytest.raises(AttributeError):
        CATALOG[0].name = "other"  # type: ignore[misc]

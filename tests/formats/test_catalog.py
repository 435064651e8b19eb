"""The format table against torch, ml_dtypes and the defining documents; look-up by name."""

from fractions import Fraction

import ml_dtypes
import numpy as np
import pytest
import torch

from app.errors import InvalidInput
from app.formats import CATALOG, BooleanFormat, FloatFormat, IntegerFormat, find_format, format_names

FLOATS = [entry for entry in CATALOG if isinstance(entry, FloatFormat)]
INTEGERS = [entry for entry in CATALOG if isinstance(entry, IntegerFormat)]

# From the documents named in each format's reference: width, bias, largest, smallest normal, smallest subnormal.
DOCUMENTED = {
    "float64": (64, 1023, Fraction(2) ** 1024 - Fraction(2) ** 971, Fraction(1, 2**1022), Fraction(1, 2**1074)),
    "float32": (32, 127, Fraction(2) ** 128 - Fraction(2) ** 104, Fraction(1, 2**126), Fraction(1, 2**149)),
    "bfloat16": (16, 127, Fraction(255 * 2**120), Fraction(1, 2**126), Fraction(1, 2**133)),
    "float16": (16, 15, Fraction(65504), Fraction(1, 2**14), Fraction(1, 2**24)),
    "float8_e4m3fn": (8, 7, Fraction(448), Fraction(1, 2**6), Fraction(1, 2**9)),
    "float8_e5m2": (8, 15, Fraction(57344), Fraction(1, 2**14), Fraction(1, 2**16)),
    "float8_e4m3fnuz": (8, 8, Fraction(240), Fraction(1, 2**7), Fraction(1, 2**10)),
    "float8_e5m2fnuz": (8, 16, Fraction(57344), Fraction(1, 2**15), Fraction(1, 2**17)),
    "float8_e8m0fnu": (8, 127, Fraction(2**127), Fraction(1, 2**127), None),
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


@pytest.mark.parametrize("number_format", FLOATS, ids=lambda entry: entry.name)
def test_floats_agree_with_torch(number_format: FloatFormat) -> None:
    theirs = torch.finfo(getattr(torch, number_format.name))
    assert number_format.width == theirs.bits
    assert number_format.max == Fraction(theirs.max)
    assert number_format.min_normal == Fraction(theirs.smallest_normal)
    epsilon_agrees = number_format.epsilon == Fraction(theirs.eps)
    assert epsilon_agrees is (number_format.name not in TORCH_EPSILON_WRONG)


@pytest.mark.parametrize("number_format", FLOATS, ids=lambda entry: entry.name)
def test_floats_agree_with_ml_dtypes(number_format: FloatFormat) -> None:
    dtype = getattr(ml_dtypes, number_format.name, None) or np.dtype(number_format.name)
    theirs = ml_dtypes.finfo(dtype)
    assert number_format.max == Fraction(float(theirs.max))
    assert number_format.epsilon == Fraction(float(theirs.eps))
    assert number_format.mantissa_bits == theirs.nmant
    assert number_format.exponent_bits == theirs.nexp


@pytest.mark.parametrize("number_format", INTEGERS, ids=lambda entry: entry.name)
def test_integers_agree_with_torch(number_format: IntegerFormat) -> None:
    theirs = torch.iinfo(getattr(torch, number_format.name))
    assert (number_format.width, number_format.min, number_format.max) == (theirs.bits, theirs.min, theirs.max)


def test_every_torch_dtype_of_one_real_number_is_listed() -> None:
    dtypes = {value for value in vars(torch).values() if isinstance(value, torch.dtype)}
    names = {str(dtype).removeprefix("torch.") for dtype in dtypes}
    not_one_number = ("complex", "q", "bits", "float4_e2m1fn_x2")
    # int1 ... uint7 are names without a cast or a view.
    shells = {f"{sign}int{width}" for sign in ("", "u") for width in range(1, 8)}
    expected = {name for name in names if not name.startswith(not_one_number)} - shells
    assert expected == set(format_names())


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
    assert {type(entry) for entry in CATALOG} == {FloatFormat, IntegerFormat, BooleanFormat}
    with pytest.raises(AttributeError):
        CATALOG[0].name = "other"  # type: ignore[misc]

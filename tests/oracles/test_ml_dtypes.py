"""ml_dtypes: the meaning of every code of every dtype it has, and its casts from float32."""

import math
from fractions import Fraction
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from app.exact import Kind, decode, encode, from_fraction
from app.formats import FloatFormat, Format, IntegerFormat, find_format

FLOATS = (
    *("bfloat16", "float8_e3m4", "float8_e4m3", "float8_e4m3b11fnuz", "float8_e4m3fn", "float8_e4m3fnuz"),
    *("float8_e5m2", "float8_e5m2fnuz", "float8_e8m0fnu", "float6_e2m3fn", "float6_e3m2fn", "float4_e2m1fn"),
)
INTEGERS = ("int1", "uint1", "int2", "uint2", "int4", "uint4")


def dtype_of(name: str) -> "np.dtype[Any]":
    return np.dtype(getattr(ml_dtypes, name))


def codes_as(name: str, width: int) -> "np.ndarray[Any, Any]":
    """Every code, as an array of the dtype; narrow dtypes take a byte each."""
    word = np.uint16 if width > 8 else np.uint8
    return np.arange(1 << width, dtype=word).view(dtype_of(name))


def code_of(array: "np.ndarray[Any, Any]", width: int) -> int:
    return int(array.view(np.uint16 if array.itemsize == 2 else np.uint8)[0]) & ((1 << width) - 1)


def test_every_dtype_of_the_library_is_compared() -> None:
    theirs = {name for name in dir(ml_dtypes) if name.startswith(("float", "bfloat", "int", "uint"))}
    assert theirs - set(FLOATS) - set(INTEGERS) == set()


@pytest.mark.parametrize("name", FLOATS)
def test_every_code_of_a_float(name: str) -> None:
    number_format = find_format(name)
    with np.errstate(invalid="ignore"):  # signalling NaNs are among the codes
        values = codes_as(name, number_format.width).astype(np.float64)
    for code, theirs in enumerate(values.tolist()):
        ours = decode(code, number_format)
        if ours.kind is Kind.NAN:
            assert math.isnan(theirs)
        elif ours.kind is Kind.INFINITY:
            assert theirs == (-math.inf if ours.negative else math.inf)
        else:
            assert Fraction(theirs) == ours.value
            assert (math.copysign(1, theirs) < 0) == ours.negative


@pytest.mark.parametrize("name", INTEGERS)
def test_every_code_of_an_integer(name: str) -> None:
    number_format = find_format(name)
    assert isinstance(number_format, IntegerFormat)
    for code in range(1 << number_format.width):
        value = decode(code, number_format).value
        assert value is not None
        array = np.array([int(value)], dtype=np.int8).astype(dtype_of(name))
        assert code_of(array, number_format.width) == code
        assert int(array.astype(np.int32)[0]) == value


def probes(number_format: Format) -> list[float]:
    """Every number and every midpoint, with the float32 neighbours of each; those of 16 bits thinned out."""
    step = 1 if number_format.width <= 8 else 37
    ordinals = range(number_format.first_ordinal, number_format.last_ordinal + 1, step)
    found = set()
    for ordinal in ordinals:
        low = number_format.value_of(number_format.code_at(ordinal))
        high = number_format.value_of(number_format.code_at(min(ordinal + 1, number_format.last_ordinal)))
        assert low is not None
        assert high is not None
        found |= {float(low), float((low + high) / 2)}
    points = np.array(sorted(found), dtype=np.float32)
    around = [points, np.nextafter(points, np.float32(np.inf)), np.nextafter(points, np.float32(-np.inf))]
    return [float(value) for value in np.concatenate(around) if np.isfinite(value)]


@pytest.mark.parametrize("name", [name for name in FLOATS if name != "float8_e8m0fnu"])
def test_casts_from_float32(name: str) -> None:
    """Rounding only: what is beyond the largest number, where policies differ, is listed in docs/disagreements.md."""
    number_format = find_format(name)
    assert isinstance(number_format, FloatFormat)
    checked = 0
    for value in probes(number_format):
        if value == 0:
            continue
        ours = encode(from_fraction(Fraction(value)), number_format)
        if ours.outcome == "overflow":
            continue
        with np.errstate(all="ignore"):
            theirs = code_of(np.array([value], dtype=np.float32).astype(dtype_of(name)), number_format.width)
        if value < 0 and ours.code == 0:  # a format without minus zero
            assert not number_format.has_negative_zero
        assert theirs == ours.code, value
        checked += 1
    assert checked >= 30

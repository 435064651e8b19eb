"""gfloat as a second opinion: decoding of every code, and rounding in every mode; IEEE P3109 above all."""

import itertools
import math
import random
from fractions import Fraction
from functools import cache

import pytest
from gfloat import Domain, FormatInfo, RoundMode, Signedness, decode_float, encode_float, round_float
from gfloat.formats import (
    format_info_bfloat16,
    format_info_binary16,
    format_info_ocp_e2m1,
    format_info_ocp_e2m3,
    format_info_ocp_e3m2,
    format_info_ocp_e4m3,
    format_info_ocp_e5m2,
    format_info_ocp_e8m0,
    format_info_p3109,
)

from app.exact import Finite, Kind, decode, encode
from app.formats import FloatFormat, find_format

FORMATS = {
    "bfloat16": format_info_bfloat16,
    "float16": format_info_binary16,
    "float8_e4m3fn": format_info_ocp_e4m3,
    "float8_e5m2": format_info_ocp_e5m2,
    "float8_e8m0fnu": format_info_ocp_e8m0,
    "float6_e2m3fn": format_info_ocp_e2m3,
    "float6_e3m2fn": format_info_ocp_e3m2,
    "float4_e2m1fn": format_info_ocp_e2m1,
}
MODES = {
    "nearest_even": RoundMode.TiesToEven,
    "nearest_away": RoundMode.TiesToAway,
    "toward_zero": RoundMode.TowardZero,
    "toward_positive": RoundMode.TowardPositive,
    "toward_negative": RoundMode.TowardNegative,
}
# gfloat calculates in float64: formats that go beyond its range cannot be asked there.
LARGEST_BIAS_IN_FLOAT64 = 512


def p3109_names(widths: range) -> list[str]:
    """Every format of these widths that the draft has and that float64 holds."""
    names = []
    for width, letter, ending in itertools.product(widths, "su", "ef"):
        for precision in range(1, width + (letter == "u")):
            bias = 2 ** (width - precision - (letter == "s"))
            if bias <= LARGEST_BIAS_IN_FLOAT64:
                names.append(f"binary{width}p{precision}{letter}{ending}")
    return names


@cache
def gfloat_format(name: str) -> FormatInfo:
    if name in FORMATS:
        return FORMATS[name]
    width, rest = name.removeprefix("binary").split("p")
    return format_info_p3109(
        int(width),
        int(rest[:-2]),
        Signedness.Signed if rest[-2] == "s" else Signedness.Unsigned,
        Domain.Extended if rest[-1] == "e" else Domain.Finite,
    )


SMALL = p3109_names(range(3, 9))
WIDE = random.Random(3109).sample(p3109_names(range(9, 17)), 24)


@pytest.mark.parametrize("name", [*FORMATS, *SMALL, *WIDE])
def test_codes_mean_the_same(name: str) -> None:
    number_format = find_format(name)
    theirs_format = gfloat_format(name)
    for code in range(0, 1 << number_format.width, 1 if number_format.width <= 8 else 67):
        theirs, ours = decode_float(theirs_format, code).fval, decode(code, number_format)
        if ours.value is not None:
            assert Fraction(theirs) == ours.value
            assert (math.copysign(1, theirs) < 0) == ours.negative
        else:
            assert math.isnan(theirs) if ours.kind is Kind.NAN else math.isinf(theirs)
            assert ours.kind is Kind.NAN or (theirs < 0) == ours.negative


def values_to_round(number_format: FloatFormat, source: random.Random, count: int) -> list[float]:
    """Of every size from below the smallest number to beyond the largest; every third short, so that ties occur."""
    low = number_format.min_exponent - number_format.mantissa_bits - 2
    found = []
    for _ in range(count):
        sign = source.choice((1, -1)) if number_format.signed else 1
        bits = source.choice((0, 1, number_format.mantissa_bits + 1, 40))
        significand = 1 + source.randrange(1 << bits) / (1 << bits)
        found.append(sign * significand * 2.0 ** source.randint(low, number_format.max_exponent + 1))
    return found


@pytest.mark.parametrize("name", [*(name for name in FORMATS if name != "float8_e8m0fnu"), *SMALL, *WIDE])
def test_rounding_agrees(name: str) -> None:
    number_format = find_format(name)
    assert isinstance(number_format, FloatFormat)
    theirs_format = gfloat_format(name)
    for value in values_to_round(number_format, random.Random(name), 24 if name.startswith("binary") else 200):
        number = Finite(value < 0, *abs(Fraction(value)).as_integer_ratio())
        for (mode, theirs_mode), saturate in itertools.product(MODES.items(), (False, True)):
            if not saturate and not (number_format.has_infinity or number_format.has_nan):
                continue  # gfloat refuses what it calls an overflow into nothing; we give the largest number
            theirs = round_float(theirs_format, value, theirs_mode, saturate)
            ours = encode(number, number_format, mode, "saturate" if saturate else "ieee").code
            if math.isnan(theirs):
                assert decode(ours, number_format).kind is Kind.NAN, (value, mode)
            else:
                assert encode_float(theirs_format, theirs) == ours, (value, mode, saturate)

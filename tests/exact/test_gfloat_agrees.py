"""gfloat as a second opinion: decoding of every code, and rounding in every mode."""

import itertools
import math
import random
from fractions import Fraction

import pytest
from gfloat import RoundMode, decode_float, encode_float, round_float
from gfloat.formats import (
    format_info_bfloat16,
    format_info_binary16,
    format_info_ocp_e4m3,
    format_info_ocp_e5m2,
    format_info_ocp_e8m0,
)

from app.exact import Finite, Kind, decode, encode
from app.formats import FloatFormat, find_format

FORMATS = {
    "bfloat16": format_info_bfloat16,
    "float16": format_info_binary16,
    "float8_e4m3fn": format_info_ocp_e4m3,
    "float8_e5m2": format_info_ocp_e5m2,
    "float8_e8m0fnu": format_info_ocp_e8m0,
}
MODES = {
    "nearest_even": RoundMode.TiesToEven,
    "nearest_away": RoundMode.TiesToAway,
    "toward_zero": RoundMode.TowardZero,
    "toward_positive": RoundMode.TowardPositive,
    "toward_negative": RoundMode.TowardNegative,
}


@pytest.mark.parametrize("name", FORMATS)
def test_codes_mean_the_same(name: str) -> None:
    number_format = find_format(name)
    for code in range(0, 1 << number_format.width, 1 if number_format.width == 8 else 13):
        theirs, ours = decode_float(FORMATS[name], code).fval, decode(code, number_format)
        if ours.value is not None:
            assert Fraction(theirs) == ours.value
            assert (math.copysign(1, theirs) < 0) == ours.negative
        else:
            assert math.isnan(theirs) if ours.kind is Kind.NAN else math.isinf(theirs)


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "float8_e8m0fnu"])
@pytest.mark.parametrize("mode", MODES)
def test_rounding_agrees(name: str, mode: str) -> None:
    number_format = find_format(name)
    assert isinstance(number_format, FloatFormat)
    source = random.Random(name + mode)
    low = number_format.min_exponent - number_format.mantissa_bits - 2
    for _, saturate in itertools.product(range(400), (False, True)):
        value = source.choice((1, -1)) * (1 + source.random()) * 2.0 ** source.randint(low, number_format.max_exponent)
        value = float(f"{value:.3g}") if source.random() < 0.3 else value
        theirs = round_float(FORMATS[name], value, MODES[mode], saturate)
        number = Finite(value < 0, *abs(Fraction(value)).as_integer_ratio())
        ours = encode(number, number_format, mode, "saturate" if saturate else "ieee").code
        stored = decode(ours, number_format)
        if math.isnan(theirs):
            assert stored.kind is Kind.NAN
        else:
            assert encode_float(FORMATS[name], theirs) == ours, value

"""apytypes as an oracle: fixed point and IEEE-like floats of any width, in every rounding mode."""

import random
from fractions import Fraction

import pytest
from apytypes import APyFixed, APyFloat, OverflowMode, QuantizationMode

from app.exact import Finite, decode, encode, from_fraction
from app.formats import FixedPointFormat, FloatFormat, find_format

MODES = {
    "nearest_even": QuantizationMode.TIES_EVEN,
    "nearest_away": QuantizationMode.TIES_AWAY,
    "toward_zero": QuantizationMode.TO_ZERO,
    "toward_positive": QuantizationMode.TO_POS,
    "toward_negative": QuantizationMode.TO_NEG,
    "to_odd": QuantizationMode.JAM_UNBIASED,
}
FIXED_POINT = ("q0.7", "q3.4", "q7.0", "q7.8", "q0.15", "q15.16", "q0.31", "q31.32", "q40.60")
FLOATS = (
    *("e2m1", "e2m3:specials=ieee", "e3m2:specials=ieee", "e4m3:specials=ieee", "e5m2", "e5m10", "e3m12"),
    *("e8m7", "e4m3:bias=9", "e6m9:bias=20", "e8m23", "e11m52", "e9m14", "e10m20:bias=300"),
)
EXTRA = 7
"""Bits behind the last kept one that the numbers to round have."""


def float_format(name: str) -> FloatFormat:
    found = find_format(name if ":" in name else f"{name}:specials=ieee")
    assert isinstance(found, FloatFormat)
    return found


@pytest.mark.parametrize("name", FIXED_POINT)
def test_fixed_point_codes_mean_the_same(name: str) -> None:
    number_format = find_format(name)
    assert isinstance(number_format, FixedPointFormat)
    source, width = random.Random(name), number_format.width
    codes = range(1 << width) if width <= 8 else [source.getrandbits(width) for _ in range(500)]
    for code in codes:
        theirs = APyFixed(code, bits=width, frac_bits=number_format.fraction_bits)
        doubled = theirs.cast(bits=width + 80, frac_bits=number_format.fraction_bits + 20)
        units = int.from_bytes(doubled.to_bits().to_bytes(32, "little"), "little")
        signed = units - (1 << (width + 80)) if units >> (width + 79) else units
        assert decode(code, number_format).value == Fraction(signed, 1 << (number_format.fraction_bits + 20))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", FIXED_POINT)
def test_fixed_point_rounding_and_overflow(name: str, mode: str) -> None:
    number_format = find_format(name)
    assert isinstance(number_format, FixedPointFormat)
    source, width, places = random.Random(name + mode), number_format.width, number_format.fraction_bits
    for overflow, theirs_overflow in (("saturate", OverflowMode.SAT), ("wrap", OverflowMode.WRAP)):
        for _ in range(150):
            wide = source.randrange(-(1 << (width + EXTRA + 1)), 1 << (width + EXTRA + 1))
            if source.random() < 0.4:  # ties
                wide = (wide >> EXTRA << EXTRA) + (1 << (EXTRA - 1))
            theirs = APyFixed(wide, bits=width + EXTRA + 4, frac_bits=places + EXTRA).cast(
                bits=width, frac_bits=places, quantization=MODES[mode], overflow=theirs_overflow
            )
            number = from_fraction(Fraction(wide, 1 << (places + EXTRA)))
            assert encode(number, number_format, mode, overflow).code == theirs.to_bits(), (wide, overflow)


@pytest.mark.parametrize("name", FLOATS)
def test_float_codes_mean_the_same(name: str) -> None:
    number_format = float_format(name)
    source, width = random.Random(name), number_format.width
    codes = range(1 << width) if width <= 8 else [source.getrandbits(width) for _ in range(1000)]
    for code in codes:
        theirs = APyFloat.from_bits(code, number_format.exponent_bits, number_format.mantissa_bits, number_format.bias)
        ours = decode(code, number_format)
        assert theirs.is_nan == (ours.kind == "nan")
        assert theirs.is_inf == (ours.kind == "infinity")
        if ours.value is not None:
            assert Fraction(float(theirs)) == ours.value


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", FLOATS)
def test_float_rounding(name: str, mode: str) -> None:
    """Numbers of float64 and their ties, from below the smallest subnormal to beyond the largest number."""
    number_format = float_format(name)
    source = random.Random(name + mode)
    last_place = number_format.min_exponent - number_format.mantissa_bits
    low = max(last_place - 2, -1070)
    high = min(number_format.max_exponent + 1, 1023)
    for _ in range(250):
        exponent = source.randint(low, high)
        significand = source.getrandbits(number_format.precision + 1) | 1
        shift = number_format.precision + 1 - source.randint(0, 2)
        value = Fraction(significand) * Fraction(2) ** (exponent - shift)
        value = source.choice((1, -1)) * Fraction(float(value))
        if not value:
            continue
        double = APyFloat.from_float(float(value), 11, 52)
        theirs = double.cast(
            number_format.exponent_bits, number_format.mantissa_bits, number_format.bias, quantization=MODES[mode]
        )
        number = Finite(value < 0, *abs(value).as_integer_ratio())
        ours = encode(number, number_format, mode)
        assert ours.code == theirs.to_bits(), (value, theirs)

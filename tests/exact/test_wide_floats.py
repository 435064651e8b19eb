"""32, 64, 80 and 128 bits: too many codes to try all, so laws, and what processors and mpmath give."""

import random
import warnings
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.exact import (
    Finite,
    Infinity,
    Kind,
    Outcome,
    Rounding,
    decode,
    encode,
    from_fraction,
    neighbours,
    parse,
    to_number,
    ulp,
)
from app.exact.text import exact_text, stored_text
from app.formats import FloatFormat, Format, find_format

FLOAT80, FLOAT128 = find_format("float80"), find_format("float128")
WIDE = [
    find_format(name)
    for name in (
        *("float32", "float64", "float80", "float128", "tfloat32", "e15m60:no-subnormals", "e9m40:specials=nan-only"),
        *("e14m112:unsigned:bias=20000", "e15m112:no-negative-zero", "binary16p1ue", "binary16p2sf"),
        *("posit64", "posit128", "takum_linear32", "int128", "uint128", "int64:ones-complement", "q31.32", "q0.127"),
    )
]
IS_X87 = np.finfo(np.longdouble).nmant == 63 and np.dtype(np.longdouble).itemsize == 16
MIRRORED = {Rounding.TOWARD_POSITIVE: Rounding.TOWARD_NEGATIVE, Rounding.TOWARD_NEGATIVE: Rounding.TOWARD_POSITIVE}


@st.composite
def numbers_near(draw: st.DrawFn, number_format: Format) -> Fraction:
    """A number of the format, moved by a share of the way to its neighbour: a half and next to it included."""
    ordinal = draw(st.integers(number_format.first_ordinal, number_format.last_ordinal - 1))
    low = number_format.value_of(number_format.code_at(ordinal))
    high = number_format.value_of(number_format.code_at(ordinal + 1))
    assert low is not None
    assert high is not None
    tiny = Fraction(1, 1 << 200)
    shares = st.sampled_from(
        (Fraction(0), tiny, Fraction(1, 2) - tiny, Fraction(1, 2), Fraction(1, 2) + tiny, 1 - tiny)
    )
    return low + (high - low) * draw(shares | st.fractions(0, 1, max_denominator=1000))


@given(st.sampled_from(WIDE), st.data())
def test_rounding_takes_a_neighbour_and_the_right_one(number_format: Format, data: st.DataObject) -> None:
    value = data.draw(numbers_near(number_format))
    found = {rounding: encode(from_fraction(value), number_format, rounding) for rounding in Rounding}
    stored = {rounding: decode(encoding.code, number_format).value for rounding, encoding in found.items()}
    low, high = stored[Rounding.TOWARD_NEGATIVE], stored[Rounding.TOWARD_POSITIVE]
    is_tapered = number_format.name.startswith(("posit", "takum"))
    if is_tapered and (abs(value) < number_format.min_positive):
        return
    assert low <= value <= high
    if low == high == value:
        assert {encoding.outcome for encoding in found.values()} == {Outcome.EXACT}
        return
    lower_code = number_format.code_at(number_format.ordinal_of(found[Rounding.TOWARD_NEGATIVE].code))
    assert number_format.value_of(neighbours(lower_code, number_format)[1]) == high
    assert stored[Rounding.TOWARD_ZERO] == min(low, high, key=abs)
    assert set(stored.values()) == {low, high}
    nearest = stored[Rounding.NEAREST_EVEN]
    if not is_tapered:
        assert abs(nearest - value) == min(value - low, high - value)
        if value - low == high - value:
            assert nearest != stored[Rounding.TO_ODD]
            assert stored[Rounding.NEAREST_AWAY] == max(low, high, key=abs)


@given(st.sampled_from(WIDE), st.sampled_from(list(Rounding)), st.data())
def test_rounding_is_monotone_symmetric_and_done_once(
    number_format: Format, mode: Rounding, data: st.DataObject
) -> None:
    values = sorted(data.draw(numbers_near(number_format)) for _ in range(2))
    encodings = [encode(from_fraction(value), number_format, mode) for value in values]
    ordinals = [number_format.ordinal_of(encoding.code) for encoding in encodings]
    assert ordinals[0] <= ordinals[1]
    for encoding in encodings:
        again = encode(
            to_number(decode(encoding.code, number_format)), number_format, data.draw(st.sampled_from(Rounding))
        )
        assert (again.code, again.outcome) == (encoding.code, Outcome.EXACT)
    if number_format.signed and -values[0] <= number_format.max:
        mirrored = encode(from_fraction(-values[0]), number_format, MIRRORED.get(mode, mode)).code
        assert number_format.value_of(mirrored) == -number_format.value_of(encodings[0].code)


@given(st.sampled_from([each for each in WIDE if isinstance(each, FloatFormat)]), st.data())
def test_ordinals_codes_and_units_belong_together(number_format: FloatFormat, data: st.DataObject) -> None:
    ordinal = data.draw(st.integers(0, number_format.last_ordinal - 1))
    code = number_format.code_at(ordinal)
    assert number_format.ordinal_of(code) == ordinal
    assert number_format.is_canonical(code)
    stored = decode(code, number_format)
    following = number_format.value_of(number_format.code_at(ordinal + 1))
    assert following - stored.value == ulp(stored)
    assert neighbours(number_format.code_at(ordinal + 1), number_format)[0] == code
    assert encode(parse(stored_text(stored)), number_format).code == code


def longdouble_code(value: np.longdouble) -> int:
    return int.from_bytes(value.tobytes()[:10], "little")


needs_x87 = pytest.mark.skipif(not IS_X87, reason="numpy.longdouble is not the x87 format on this machine")


def x87(code: int) -> np.longdouble:
    return np.frombuffer(code.to_bytes(16, "little"), dtype=np.longdouble)[0]


@needs_x87
def test_float80_reads_as_the_processor_does() -> None:
    source = random.Random(87)
    for _ in range(2000):
        exponent = source.choice((0, 1, 16383, 32766, source.randrange(32767)))
        code = source.randrange(2) << 79 | exponent << 64 | (exponent > 0) << 63 | source.getrandbits(63)
        mantissa, power = np.frexp(x87(code))
        exact = Fraction(int(np.ldexp(mantissa, 64))) * Fraction(2) ** (int(power) - 64)
        assert decode(code, FLOAT80).value == exact


@needs_x87
def test_float80_rounds_text_as_the_c_library_does() -> None:
    """glibc's strtold rounds once, to nearest even."""
    source = random.Random(80)
    texts = ["1e-4951", "3.6e-4951", "1.8e-4951", "1.189731495357231765e4932", "1.1897314953572317651e4932", "2e4932"]
    for _ in range(1500):
        digits = "".join(source.choice("0123456789") for _ in range(source.choice((1, 18, 21, 40))))
        texts.append(f"{source.choice('123456789')}.{digits}e{source.randint(-4960, 4940)}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # numpy says so where a number overflows
        for text in texts:
            assert encode(parse(text), FLOAT80).code == longdouble_code(np.longdouble(text)), text


@needs_x87
def test_float80_rounds_quotients_as_the_processor_does() -> None:
    source = random.Random(81)
    for _ in range(1500):
        numerator, denominator = source.getrandbits(63) | 1, source.getrandbits(source.choice((3, 20, 63))) | 1
        theirs = np.longdouble(numerator) / np.longdouble(denominator)
        assert encode(from_fraction(Fraction(numerator, denominator)), FLOAT80).code == longdouble_code(theirs)


MPMATH_MODES = {
    Rounding.NEAREST_EVEN: "n",
    Rounding.TOWARD_ZERO: "d",
    Rounding.TOWARD_POSITIVE: "c",
    Rounding.TOWARD_NEGATIVE: "f",
}


def test_float128_rounds_as_mpmath_with_113_bits() -> None:
    """mpmath has no exponent range: numbers from the normal range, by quotients and by decimals."""
    source = random.Random(113)
    with mpmath.workprec(113):
        for _ in range(1500):
            numerator, denominator = source.getrandbits(source.choice((5, 113, 300))) + 1, source.getrandbits(200) | 1
            power, negative = source.randint(-16000, 16000), source.random() < 0.5
            exact = Fraction(numerator, denominator) * Fraction(2) ** power
            number = Finite(negative, *exact.as_integer_ratio())
            for mode, letter in MPMATH_MODES.items():
                theirs = mpmath.mpf(
                    mpmath.libmp.from_rational(-numerator if negative else numerator, denominator, 113, letter)
                )
                sign, mantissa, exponent, _ = theirs._mpf_
                expected = Fraction(-mantissa if sign else mantissa) * Fraction(2) ** (exponent + power)
                assert decode(encode(number, FLOAT128, mode).code, FLOAT128).value == expected


def test_float128_at_its_ends() -> None:
    top = 2**16384 - 2**16271
    assert FLOAT128.max == top
    assert exact_text(FLOAT128.min_positive).startswith("6.47517511943802511092443895822764655")
    for step, code in (
        (-1, FLOAT128.code_of(FLOAT128.max_magnitude)),
        (0, FLOAT128.code_of(FLOAT128.infinity_magnitude)),
    ):
        assert encode(from_fraction(Fraction(top + 2**16270 + step)), FLOAT128).code == code
    half = FLOAT128.min_positive / 2
    assert [
        encode(from_fraction(half * share), FLOAT128).code for share in (Fraction(99, 100), 1, Fraction(101, 100))
    ] == [
        0,
        0,
        1,
    ]
    assert to_number(decode(0xFFFF << 112, FLOAT128)) == Infinity(negative=True)


@given(st.integers(0, 2**80 - 1))
def test_every_float80_code_has_one_meaning(code: int) -> None:
    stored = decode(code, FLOAT80)
    if stored.kind is not Kind.INVALID and FLOAT80.is_canonical(code):
        assert encode(to_number(stored), FLOAT80).code == code

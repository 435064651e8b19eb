"""float16, float32 and float64 against the processor, by numpy and struct: a million random numbers, all borders."""

import struct
from fractions import Fraction
from sys import float_info

import numpy as np
import pytest
import torch

from app import codec
from app.exact import Finite, decode, encode
from app.formats import FloatFormat, find_format

WORDS = {"float16": ("<H", np.uint16), "float32": ("<I", np.uint32), "float64": ("<Q", np.uint64)}
LETTERS = {"float16": "<e", "float32": "<f", "float64": "<d"}
COUNT = 1_000_000
LARGEST_FLOAT64 = Fraction(float_info.max)


def format_of(name: str) -> FloatFormat:
    found = find_format(name)
    assert isinstance(found, FloatFormat)
    return found


def finite(value: float) -> Finite:
    return Finite(value < 0, *abs(value).as_integer_ratio())


def borders(number_format: FloatFormat) -> list[float]:
    """Every power of two of the format, its neighbours, and the midpoints between them that float64 holds."""
    found = []
    for exponent in range(number_format.min_exponent - number_format.mantissa_bits - 1, number_format.max_exponent + 2):
        power = Fraction(2) ** exponent
        unit = Fraction(2) ** (max(exponent, number_format.min_exponent) - number_format.mantissa_bits)
        for value in (power, power - unit, power + unit, power - unit / 2, power + unit / 2, power - unit / 4):
            if 0 < value <= LARGEST_FLOAT64 and Fraction(float(value)) == value:
                found += [float(value), -float(value)]
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name", ["float16", "float32"])
def test_narrowing_a_million_float64(name: str) -> None:
    """numpy narrows float64 with one rounding; ours starts from the same number as a rational."""
    number_format, source = format_of(name), np.random.default_rng(64)
    exponents = source.integers(number_format.min_exponent - 30, number_format.max_exponent + 2, COUNT)
    values = np.ldexp(source.random(COUNT) + 1, exponents) * source.choice((-1.0, 1.0), COUNT)
    values = np.concatenate([values, np.array(borders(number_format))])
    with np.errstate(over="ignore", under="ignore"):
        theirs = values.astype(name).view(WORDS[name][1])
    ours = [encode(finite(value), number_format).code for value in values.tolist()]
    assert ours == theirs.tolist()


@pytest.mark.parametrize("name", ["float16", "float32"])
def test_tensors_narrow_a_million_float64(name: str) -> None:
    """The plain codec, whose torch arithmetic knows nothing of the processor's casts."""
    number_format, bits = format_of(name), np.random.default_rng(7).integers(0, 1 << 64, COUNT, dtype=np.uint64)
    random = bits.view(np.float64)
    values = np.concatenate([random[np.isfinite(random)], np.array(borders(number_format))])
    with np.errstate(over="ignore", under="ignore"):
        theirs = values.astype(name).view(WORDS[name][1])
    ours = codec.encode(torch.from_numpy(values), number_format)
    assert (ours.numpy().view(WORDS[name][1]) == theirs).all()


@pytest.mark.slow
@pytest.mark.parametrize("name", WORDS)
def test_a_million_random_codes(name: str) -> None:
    """A code means what the processor says; the number goes back to the code."""
    number_format, word = format_of(name), WORDS[name][1]
    largest = int(np.iinfo(word).max)
    if name == "float16":
        codes = np.arange(1 << 16, dtype=word)
    else:
        codes = np.random.default_rng(32).integers(0, largest, COUNT // 2, dtype=word, endpoint=True)
    with np.errstate(invalid="ignore"):
        theirs = codes.view(name).astype(np.float64)
    for code, value in zip(codes.tolist(), theirs.tolist(), strict=True):
        ours = decode(code, number_format)
        if ours.value is None:
            assert value != value or value in (float("inf"), float("-inf"))
            continue
        assert (ours.value.numerator, ours.value.denominator) == value.as_integer_ratio()
        if value:
            assert encode(finite(value), number_format).code == code


@pytest.mark.parametrize("name", WORDS)
def test_struct_packs_the_same(name: str) -> None:
    number_format = format_of(name)
    largest = float(number_format.max)
    for value in borders(number_format):
        if abs(value) > largest:
            continue
        theirs = struct.unpack(WORDS[name][0], struct.pack(LETTERS[name], value))[0]
        assert encode(finite(value), number_format).code == theirs

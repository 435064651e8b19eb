"""Stochastic rounding: unbiased, repeatable, the same by chunks, and nothing where there is nothing to round."""

import math

import pytest
import torch

from app import codec
from app.codec.stochastic import random_bits
from app.formats import FloatFormat, find_format

SEEDS = 4000
FORMATS = (
    *("float8_e4m3fn", "float8_e5m2", "float6_e2m3fn", "float4_e2m1fn", "bfloat16", "float16", "int8", "q3.4"),
    *("binary8p3se", "e4m3:no-subnormals", "nf4", "float8_e4m3fnuz", "uint4", "int8:sign-magnitude"),
)
SHARES = (0.5, 0.25, 0.75, 0.1, 0.9, 1 / 3, 0.01)


def neighbours(name: str) -> list[tuple[float, float]]:
    """Pairs of neighbouring numbers: subnormal, normal, across a power of two, negative."""
    number_format = find_format(name)
    first, last = number_format.first_ordinal, number_format.last_ordinal
    zero = 0 if first < 0 and not name.startswith("nf4") else 7 if name == "nf4" else first
    places = {zero, zero + 1, (zero + last) // 2, last - 1, max(first, zero - 2)}
    pairs = []
    for place in sorted(places):
        low, high = (number_format.value_of(number_format.code_at(each)) for each in (place, place + 1))
        assert low is not None
        assert high is not None
        pairs.append((float(low), float(high)))
    return pairs


@pytest.mark.parametrize("name", FORMATS)
def test_the_mean_is_the_number(name: str) -> None:
    """The share that goes up lies within five standard deviations of the share of the way."""
    number_format = find_format(name)
    for low, high in neighbours(name):
        for share in SHARES:
            value = low + (high - low) * share
            values = torch.full((SEEDS,), value, dtype=torch.float64)
            stored = codec.decode(codec.encode(values, number_format, "stochastic", seed=11), number_format)
            assert set(stored.tolist()) <= {low, high}
            way = (value - low) / (high - low)
            spread = math.sqrt(way * (1 - way) / SEEDS)
            ups = float((stored == high).double().mean())
            assert abs(ups - way) < 5 * spread, (low, high, share, ups)


@pytest.mark.parametrize("name", FORMATS)
def test_numbers_of_the_format_stay(name: str) -> None:
    number_format = find_format(name)
    step = max(1, (number_format.last_ordinal - number_format.first_ordinal) // 500)
    ordinals = range(number_format.first_ordinal, number_format.last_ordinal + 1, step)
    codes = [number_format.code_at(ordinal) for ordinal in ordinals]
    tensor = codec.narrow_codes(torch.tensor(codes), number_format)
    values = codec.decode(tensor, number_format)
    for seed in (0, 1, 2**63 - 1):
        assert torch.equal(codec.encode(values, number_format, "stochastic", seed=seed), tensor)


@pytest.mark.parametrize("name", ["float8_e4m3fn", "bfloat16", "posit8", "int8", "nf4"])
def test_a_seed_gives_the_same_codes_by_chunks_and_another_seed_others(name: str) -> None:
    number_format = find_format(name)
    values = torch.randn(10_000, generator=torch.Generator().manual_seed(3)) / 3
    whole = codec.encode(values, number_format, "stochastic", seed=5)
    chunks = [
        codec.encode(values[start : start + 1234], number_format, "stochastic", seed=5, offset=start)
        for start in range(0, len(values), 1234)
    ]
    assert torch.equal(whole, torch.cat(chunks))
    assert torch.equal(whole, codec.encode(values, number_format, "stochastic", seed=5))
    other = codec.encode(values, number_format, "stochastic", seed=6)
    assert not torch.equal(whole, other)
    # Of two independent roundings about as many agree as the shares say: far from none, far from all.
    assert 0.2 < float((whole == other).double().mean()) < 0.99


def test_elements_do_not_depend_on_their_neighbours() -> None:
    """Ups of neighbouring elements, and of neighbouring seeds, are no more often alike than by chance."""
    number_format = find_format("int8")
    values = torch.full((200_000,), 0.5)
    rolls = [codec.encode(values, number_format, "stochastic", seed=seed).double() for seed in (7, 8)]
    for left, right in ((rolls[0][1:], rolls[0][:-1]), (rolls[0][2:], rolls[0][:-2]), (rolls[0], rolls[1])):
        alike = float((left == right).double().mean())
        assert abs(alike - 0.5) < 5 * math.sqrt(0.25 / len(left))


def test_beyond_the_largest_number_the_next_step_counts() -> None:
    number_format = find_format("float8_e5m2")
    assert isinstance(number_format, FloatFormat)
    largest = float(number_format.max)
    values = torch.full((SEEDS,), largest * 17 / 16, dtype=torch.float64)  # 57344 + 3584: half of the step to 65536
    stored = codec.decode(codec.encode(values, number_format, "stochastic", seed=1), number_format)
    assert set(stored.tolist()) == {largest, math.inf}


@pytest.mark.parametrize("seed", [0, 1, 2**63])
def test_the_random_bits_are_evenly_spread(seed: int) -> None:
    """A chi-square test of their first ten bits over four million places, and the balance of every bit."""
    count = 1 << 22
    bits = random_bits(seed, 0, count)
    bins = torch.bincount(bits >> 22, minlength=1024).double()
    expected = count / 1024
    chi_square = float(((bins - expected) ** 2 / expected).sum())
    assert abs(chi_square - 1023) < 5 * math.sqrt(2 * 1023)
    for place in range(32):
        share = float(((bits >> place) & 1).double().mean())
        assert abs(share - 0.5) < 5 * 0.5 / math.sqrt(count), place


def test_places_beyond_two_to_the_32_have_another_key() -> None:
    around = random_bits(9, (1 << 32) - 3, 6)
    assert torch.equal(around[:3], random_bits(9, (1 << 32) - 3, 3))
    assert torch.equal(around[3:], random_bits(9, 1 << 32, 3))
    assert not torch.equal(around[3:], random_bits(9, 0, 3))

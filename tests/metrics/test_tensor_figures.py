"""Codes counted, bits, binades, channels and outliers, each against numpy over all the numbers at once."""

import math
from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.formats import find_format
from app.metrics import StatisticsPass, histogram_pass
from app.metrics.binades import BinadePass, binades_of, needs_pass
from app.metrics.bit_positions import bit_positions, entropy_of
from app.metrics.channel_ranges import ChannelPass
from app.metrics.code_counts import CodeCountPass, values_of_codes
from app.metrics.counted_statistics import CountedNumbers
from app.metrics.fast_histogram import histogram_and_outside

NARROW = [
    "float16", "bfloat16", "float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e8m0fnu",
    "int8", "uint8", "int16", "uint16", "bool",
]  # fmt: skip
WIDE = ["float32", "float64", "int32", "int64", "uint32", "uint64"]


@pytest.fixture(params=["plain", "compiled"])
def either(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each figure by both ways: chunks as small as these are not worth compiling otherwise."""
    if request.param == "compiled":
        for module in ("code_counts", "channel_ranges", "fast_histogram"):
            monkeypatch.setattr(f"app.metrics.{module}.WORTH_COMPILING", 0)


def random_codes(dtype: str, count: int, seed: int) -> torch.Tensor:
    kind = getattr(torch, dtype)
    octets = np.random.default_rng(seed).integers(0, 256, count * kind.itemsize, dtype=np.uint8)
    return torch.from_numpy(octets).view(kind) if count else torch.zeros(0, dtype=kind)


def integers_of(values: torch.Tensor) -> np.ndarray:
    return values.view(torch.uint8).numpy().view(f"u{values.dtype.itemsize}").astype(object)


def numbers_of(values: torch.Tensor) -> np.ndarray:
    seen = values.view(torch.uint8) if values.dtype is torch.bool else values
    return seen.double().numpy()


def counted(*chunks: torch.Tensor):
    gathered = CodeCountPass(chunks[0].dtype)
    for chunk in chunks:
        gathered.add(chunk)
    return gathered.counts()


@pytest.mark.parametrize("dtype", [*NARROW, *WIDE])
@pytest.mark.usefixtures("either")
def test_ones_of_every_bit_are_counted(dtype: str) -> None:
    values = random_codes(dtype, 4_097, 1)
    counts = counted(values[:1_000], values[1_000:1_000], values[1_000:])
    codes = integers_of(values)
    assert counts.total == 4_097
    assert counts.ones() == tuple(
        sum(int(code) >> bit & 1 for code in codes) for bit in reversed(range(values.dtype.itemsize * 8))
    )


@pytest.mark.parametrize("dtype", NARROW)
@pytest.mark.usefixtures("either")
def test_statistics_from_counts_are_those_of_the_numbers(dtype: str) -> None:
    values = random_codes(dtype, 30_001, 2)
    numbers = CountedNumbers(counted(values).pieces[0], values.dtype)
    found = numbers.statistics()
    gathered = StatisticsPass()
    gathered.add(values)
    expected = gathered.statistics()
    assert (found.min, found.max) == (expected.min, expected.max)
    assert type(found.min) is type(expected.min)
    assert (found.zeros, found.nans, found.infinities) == (expected.zeros, expected.nans, expected.infinities)
    exact = numbers_of(values)
    exact = exact[np.isfinite(exact)]
    assert found.mean == pytest.approx(exact.mean(), rel=1e-9)
    assert found.std == pytest.approx(exact.std(), rel=1e-9)
    histogram = numbers.histogram()
    plain = histogram_pass([values], expected.min, expected.max)
    assert (histogram.low, histogram.high) == (plain.low, plain.high)
    assert sum(histogram.counts) == exact.size
    assert np.abs(np.array(histogram.counts) - np.array(plain.counts)).max() <= 1 + exact.size // 100
    assert numbers.outside(-1.0, 2.0) == np.count_nonzero((exact < -1) | (exact > 2))


def test_all_codes_of_float16_have_the_entropies_of_their_definition() -> None:
    """Each once, and each as often as its number says: every figure from all codes by the definition of entropy."""
    number_format = find_format("float16")
    codes = np.arange(65_536)
    for weights in (np.ones(65_536, np.int64), codes % 97, (codes * codes) % 11):
        values = torch.from_numpy(np.repeat(codes, weights).astype(np.uint16)).view(torch.float16)
        found = bit_positions(counted(values), number_format.field_widths)
        total = int(weights.sum())
        assert found.count == total
        for place in range(16):
            ones = int(weights[codes >> (15 - place) & 1 == 1].sum())
            assert found.ones[place] == ones
            assert found.entropies[place] == pytest.approx(entropy(ones, total - ones), abs=1e-12)
        parts = {"sign": codes >> 15, "exponent": codes >> 10 & 31, "mantissa": codes & 1023}
        assert [field.name for field in found.fields] == list(parts)
        for field in found.fields:
            assert field.is_joint
            sums = np.bincount(parts[field.name], weights=weights)
            assert field.entropy == pytest.approx(entropy(*sums), abs=1e-10)
        assert found.entropy == pytest.approx(entropy(*weights), abs=1e-9)
    assert bit_positions(counted(torch.zeros(0, dtype=torch.float16)), number_format.field_widths).headroom == 0


def entropy(*counts: float) -> float:
    shares = np.array([count for count in counts if count], dtype=np.float64) / sum(counts)
    return float(-(shares * np.log2(shares)).sum())


@pytest.mark.parametrize(("dtype", "exponent_bits"), [("float32", 8), ("float64", 11)])
@pytest.mark.usefixtures("either")
def test_fields_of_wide_floats(dtype: str, exponent_bits: int) -> None:
    values = torch.randn(20_000, generator=torch.Generator().manual_seed(3), dtype=getattr(torch, dtype))
    found = bit_positions(counted(values), find_format(dtype).field_widths)
    codes = integers_of(values)
    mantissa_bits = find_format(dtype).mantissa_bits
    exponents = (codes >> mantissa_bits & ((1 << exponent_bits) - 1)).astype(np.int64)
    sign, exponent, mantissa = found.fields
    assert exponent.is_joint
    assert exponent.entropy == pytest.approx(entropy(*np.bincount(exponents)), abs=1e-10)
    assert (mantissa.is_joint, mantissa.width) == (False, mantissa_bits)
    assert mantissa.entropy == pytest.approx(math.fsum(found.entropies[-mantissa_bits:]))
    assert found.entropy == pytest.approx(sign.entropy + exponent.entropy + mantissa.entropy)
    assert 0 < found.headroom < 0.5


def test_a_constant_tells_nothing_and_a_fair_coin_all() -> None:
    constant = bit_positions(counted(torch.full((9,), 0.1)), find_format("float32").field_widths)
    assert (constant.entropy, constant.headroom) == (0, 1)
    coins = bit_positions(counted(torch.arange(256, dtype=torch.int32).to(torch.uint8)), ())
    assert (coins.entropies, coins.entropy, coins.headroom) == ((1.0,) * 8, 8.0, 0.0)
    assert entropy_of(np.zeros(4, np.int64)) == 0


@pytest.mark.parametrize("dtype", [*NARROW, *WIDE])
def test_binades_are_counted_exactly(dtype: str) -> None:
    values = random_codes(dtype, 20_001, 4)
    values.view(torch.uint8)[: 64 * values.dtype.itemsize] = 0
    if dtype in {"float32", "float64"}:
        values[64:80] = torch.arange(1, 17) * 1e-310 * (1e268 if dtype == "float32" else 1)  # subnormals
    if needs_pass(values.dtype):
        gathered = BinadePass()
        gathered.add(values[:777])
        gathered.add(values[777:])
        found = gathered.binades()
    else:
        found = binades_of(counted(values), values.dtype, int((numbers_of(values) == 0).sum()))
    if values.dtype.is_floating_point:
        exact = [abs(float(x)) for x in numbers_of(values) if math.isfinite(x)]
        places = [math.frexp(x)[1] - 1 for x in exact if x]
    else:
        seen = values.view(torch.uint8) if values.dtype is torch.bool else values
        exact = [abs(int(x)) for x in seen.tolist()]
        places = [x.bit_length() - 1 for x in exact if x]
    smallest = {"float32": -126, "float64": -1022}.get(dtype, -2000)
    assert found.zeros == sum(x == 0 for x in exact)
    assert found.below == sum(place < smallest for place in places)
    expected = Counter(place for place in places if place >= smallest)
    assert {found.lowest + offset: count for offset, count in enumerate(found.counts) if count} == expected
    assert sum(found.counts) + found.below == len(places)


def test_integers_at_powers_of_two_stay_in_their_binade() -> None:
    edges = [x + d for x in (2**53, 2**60, 2**62) for d in (-1, 0, 1)] + [-(2**63), 2**63 - 1]
    gathered = BinadePass()
    gathered.add(torch.tensor(edges))
    found = gathered.binades()
    assert found.counts[61 - found.lowest] == 1
    assert found.counts[59 - found.lowest] == 1
    assert (found.counts[62 - found.lowest], found.counts[63 - found.lowest]) == (3, 1)


shapes = st.one_of(
    st.tuples(),
    st.tuples(st.integers(0, 40)),
    st.tuples(st.integers(0, 30), st.integers(0, 9)),
    st.tuples(st.integers(1, 6), st.integers(1, 4), st.integers(1, 5)),
)


@pytest.mark.usefixtures("either")
@given(shapes, st.sampled_from([*NARROW, *WIDE]), st.integers(1, 50), st.integers(0, 99), st.integers(1, 7))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_channels_and_the_largest_are_those_of_numpy(shape, dtype, step, seed, most_bins) -> None:
    count = math.prod(shape)
    values = random_codes(dtype, count, seed)
    gathered = ChannelPass(shape, values.dtype, most_bins)
    for first in range(0, count, step):
        gathered.add(first, values[first : first + step])
    found = gathered.ranges()
    exact = numbers_of(values)
    channels = (shape[0] if len(shape) > 1 else 1) if count else 0
    assert found.channels == channels
    assert len(found.low) == len(found.high) <= most_bins
    rows = exact.reshape(channels, -1) if count else exact.reshape(0, 1)
    for place, (low, high) in enumerate(zip(found.low, found.high, strict=True)):
        part = rows[place * found.per_bin : (place + 1) * found.per_bin]
        part = part[np.isfinite(part)]
        assert (low, high) == ((part.min(), part.max()) if part.size else (None, None))
    finite = [index for index in range(count) if np.isfinite(exact[index])]
    expected = sorted(finite, key=lambda index: (-abs(exact[index]), index))[:8]
    assert [(each.index, each.value) for each in gathered.largest()] == [(index, exact[index]) for index in expected]


@pytest.mark.usefixtures("either")
@given(st.lists(st.floats(width=64), min_size=1, max_size=60), st.floats(-10, 10))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_compiled_histogram_counts_all_and_what_is_outside(numbers: list[float], limit: float) -> None:
    values = torch.tensor(numbers, dtype=torch.float64)
    finite = [number for number in numbers if math.isfinite(number)]
    if not finite:
        return
    low, high = min(finite), max(finite)
    found, outside = histogram_and_outside([values], low, high, limit, 5.0)
    assert sum(found.counts) == len(finite)
    assert outside == sum(number < limit or number > 5.0 for number in finite)
    plain = histogram_pass([values], low, high)
    assert (found.low, found.high) == (plain.low, plain.high)


@pytest.mark.parametrize("dtype", ["float32", "float16", "int64", "bool"])
@pytest.mark.usefixtures("either")
def test_the_compiled_histogram_is_the_plain_one_up_to_the_edges(dtype: str) -> None:
    values = (torch.randn(50_000, generator=torch.Generator().manual_seed(5)) * 100).to(getattr(torch, dtype))
    exact = numbers_of(values)
    low, high = exact.min(), exact.max()
    found, _ = histogram_and_outside(values.split(9_999), low, high, low, high)
    plain = histogram_pass([values], low, high)
    off = np.abs(np.cumsum(found.counts) - np.cumsum(plain.counts)).max()
    assert off <= np.unique(exact, return_counts=True)[1].max()


def test_codes_are_the_numbers_that_torch_says() -> None:
    assert values_of_codes(torch.float8_e4m3fn)[0x7E] == 448
    assert values_of_codes(torch.bool)[255] == 255
    assert values_of_codes(torch.int16)[0xFFFF] == -1

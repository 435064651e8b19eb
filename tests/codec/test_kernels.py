"""The compiled codec gives the plain codec's codes bit for bit: every format, rounding and overflow; the refusals."""

import subprocess
import sys

import pytest
import torch
from torch import Tensor

from app import codec
from app.codec.fast import decode_fast, encode_fast
from app.codec.rounding import Rounding, overflows_of
from app.errors import InvalidInput
from app.formats import CATALOG, FloatFormat, Format, find_format
from tests.codec.probes import CUSTOM, all_codes, boundaries

pytestmark = pytest.mark.slow  # a kernel for each mode and kind of format is compiled

FORMATS = [f for f in (*CATALOG, *map(find_format, CUSTOM)) if f.width <= 16]
PATTERNS = 800


def words(patterns: Tensor) -> Tensor:
    """float32s of those bit patterns."""
    return torch.where(patterns >> 31 != 0, patterns - (1 << 32), patterns).to(torch.int32).view(torch.float32)


def probes(number_format: Format) -> Tensor:
    """The format's thresholds with their float32 neighbours, all ends of float32, and random patterns."""
    near = boundaries(number_format, max(1, (1 << number_format.width) // 100)).to(torch.float32)
    infinity = torch.tensor(torch.inf)
    generator = torch.Generator().manual_seed(number_format.width)
    patterns = torch.randint(0, 1 << 32, (PATTERNS,), generator=generator)
    exponents = torch.arange(512)[:, None] << 23
    edges = (exponents + torch.tensor([0, 1, 1 << 22, (1 << 23) - 1])).view(-1)
    return torch.cat([near, near.nextafter(infinity), near.nextafter(-infinity), words(edges), words(patterns)])


def welcome(values: Tensor, number_format: Format, overflow: str) -> Tensor:
    """Without what the format refuses."""
    if not isinstance(number_format, FloatFormat) or not number_format.has_nan:
        values = values[~values.isnan()]
    if overflow == "wrap":
        values = values[~values.isinf()]
    if isinstance(number_format, FloatFormat) and not number_format.has_nan:
        if not number_format.signed:
            values = values[~values.signbit()]
        if not number_format.has_zero:
            values = values[values != 0]
    return values


@pytest.mark.parametrize("number_format", FORMATS, ids=lambda f: f.name)
def test_codes_are_those_of_the_plain_codec(number_format: Format) -> None:
    everything = probes(number_format)
    for overflow in overflows_of(number_format):
        values = welcome(everything, number_format, overflow)
        for rounding in Rounding:
            expected = codec.encode(values, number_format, rounding, overflow, 5, offset=11)
            found = encode_fast(values, number_format, rounding, overflow, 5, offset=11)
            wrong = (found != expected).nonzero().view(-1)
            assert len(wrong) == 0, (rounding, overflow, values[wrong[:3]].tolist(), found[wrong[:3]].tolist())


@pytest.mark.parametrize("number_format", FORMATS, ids=lambda f: f.name)
def test_all_codes_decode_to_the_values_of_the_plain_codec(number_format: Format) -> None:
    codes = all_codes(number_format)
    expected = codec.decode(codes, number_format, torch.float32)
    found = decode_fast(codes, number_format)
    same = (found.view(torch.int32) == expected.view(torch.int32)) | (found.isnan() & expected.isnan())
    assert bool(same.all())


@pytest.mark.parametrize("name", ["float6_e2m3fn", "int8", "nf4", "bool", "q7.8", "e4m3:unsigned:specials=none"])
def test_what_the_plain_codec_refuses_is_refused(name: str) -> None:
    number_format = find_format(name)
    values = torch.ones(1000)
    values[[3, 500]] = torch.nan
    refusals = []
    for encode in (codec.encode, encode_fast):
        with pytest.raises(InvalidInput) as refusal:
            encode(values, number_format)
        refusals.append((refusal.value.code, refusal.value.figures))
    assert refusals[0] == refusals[1]


def test_infinity_does_not_wrap() -> None:
    with pytest.raises(InvalidInput, match=r"number\.infinity-wrap"):
        encode_fast(torch.tensor([1.0, torch.inf]), find_format("int8"), overflow="wrap")


def test_stochastic_rounding_needs_a_seed() -> None:
    with pytest.raises(InvalidInput, match=r"codec\.seed-missing"):
        encode_fast(torch.ones(3), find_format("int8"), "stochastic")


@pytest.mark.parametrize("rounding", ["nearest_even", "stochastic"])
@pytest.mark.parametrize("name", ["float8_e4m3fn", "int8", "posit16", "nf4", "bfloat16"])
def test_threads_change_nothing(name: str, rounding: str) -> None:
    number_format = find_format(name)
    values = torch.randn(600_001, generator=torch.Generator().manual_seed(1))
    alone = encode_fast(values, number_format, rounding, seed=3, threads=1)
    assert torch.equal(alone, encode_fast(values, number_format, rounding, seed=3, threads=2))
    cut = [encode_fast(values[:1001], number_format, rounding, seed=3)]
    cut.append(encode_fast(values[1001:], number_format, rounding, seed=3, offset=1001))
    assert torch.equal(alone, torch.cat(cut))
    read = [decode_fast(alone, number_format, threads=threads) for threads in (1, 2)]
    assert torch.equal(*read)


def test_shapes_and_given_memory() -> None:
    number_format = find_format("float8_e4m3fn")
    values = torch.randn(3, 5, 7)
    codes = torch.empty(3, 5, 7, dtype=torch.uint8)
    assert encode_fast(values, number_format, out=codes) is codes
    back = torch.empty(3, 5, 7, dtype=torch.bfloat16)
    assert decode_fast(codes, number_format, torch.bfloat16, out=back) is back
    assert torch.equal(back.to(torch.float64), codec.decode(codes, number_format))
    nothing = encode_fast(torch.empty(0, 4), number_format)
    assert nothing.shape == decode_fast(nothing, number_format).shape == (0, 4)


def test_importing_the_codec_imports_no_compiler() -> None:
    code = "import sys, app.codec.fast; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

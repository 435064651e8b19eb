"""Compiled passes beside the plain torch schemes: the same bytes for equal scales, and searches as good."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from app.errors import InvalidInput
from app.schemes.entries import SchemeOptions
from app.schemes.fast import quantize_fast
from app.schemes.gguf_blocks import GgufBlockScheme
from app.schemes.grid_scheme import GridScheme
from app.schemes.registry import find_scheme
from app.schemes.scheme import Choices, QuantizedTensor, ScaleRule, Scheme

ABSMAX, MSE = Choices(scale=ScaleRule.ABSMAX), Choices()


def normal(rows: int, columns: int) -> Tensor:
    return torch.randn(rows, columns, generator=torch.Generator().manual_seed(5))


def hostile(rows: int, columns: int) -> Tensor:
    """Zeros, constants, one number of many, tiny and huge ones, outliers, few distinct values."""
    values = normal(rows, columns)
    values[0], values[1], values[2] = 0, 1.5, 0
    values[2, 3] = -7
    values[3] *= 1e-37
    values[4] *= 1e34
    values[5, ::31] *= 1000
    values[6] = values[6].sign()
    values[7, : columns // 2] = 0
    return values


def same(found: QuantizedTensor, wanted: QuantizedTensor) -> bool:
    pairs = [(found.codes, wanted.codes), (found.scales, wanted.scales)]
    pairs += [(found.others[name], other) for name, other in wanted.others.items()]
    for mine, theirs in pairs:
        if mine is None or theirs is None:
            assert mine is theirs
        elif mine.shape != theirs.shape or not torch.equal(mine.view(torch.uint8), theirs.view(torch.uint8)):
            return False
    return True


def error(values: Tensor, scheme: Scheme, stored: QuantizedTensor) -> Tensor:
    """Squared, of each row over its own power: rows count alike, whatever their size."""
    wide = values.to(torch.float64)
    power = wide.square().sum(dim=1)
    difference = (wide - scheme.dequantize(stored).to(torch.float64)).square().sum(dim=1)
    return difference[power > 0] / power[power > 0]


GRANULARITIES = ("channel", "group=128", "group=32", "group=100", "group=7")
PLAIN = [
    (name, each) for name in ("int2", "int3", "int4", "int5", "int6", "int7", "int8", "fp8") for each in GRANULARITIES
]
FIXED = [(name, None) for name in ("nf4", "fp4", "mxfp4", "mxfp6", "mxfp8", "nvfp4")]


@pytest.mark.parametrize("values", [normal, hostile])
@pytest.mark.parametrize(("name", "granularity"), [*PLAIN, *FIXED, ("nf4", "block=256")])
def test_absmax_gives_the_same_bytes(name: str, granularity: str | None, values: Callable[[int, int], Tensor]) -> None:
    scheme = find_scheme(name, SchemeOptions(granularity=granularity))
    for shape in ((9, 259), (16, 256), (8, 35)):
        matrix = values(*shape)
        assert same(quantize_fast(scheme, matrix, ABSMAX), scheme.quantize(matrix, ABSMAX)), shape


@pytest.mark.parametrize("values", [normal, hostile])
@pytest.mark.parametrize("name", ["q8_0", "q4_0", "q5_0", "iq4_nl", "tq2_0", "gguf_mxfp4", "gguf_nvfp4"])
def test_blocks_of_gguf_are_the_same(name: str, values: Callable[[int, int], Tensor]) -> None:
    scheme, matrix = find_scheme(name), values(8, 512)
    if name == "gguf_nvfp4":
        matrix[3:5] = 1  # scales so far from the tensor's that every code is zero may be any
    assert same(quantize_fast(scheme, matrix, ABSMAX), scheme.quantize(matrix, ABSMAX))


@pytest.mark.parametrize("scale_format", ["float32", "float16", "bfloat16"])
def test_scales_in_every_format(scale_format: str) -> None:
    scheme = find_scheme("int4", SchemeOptions(granularity="group=32", scale_format=scale_format))
    matrix = hostile(8, 128)
    assert same(quantize_fast(scheme, matrix, ABSMAX), scheme.quantize(matrix, ABSMAX))


SEARCHED = ["int2", "int3", "int4", "int5", "int6", "int8", "fp8", "fp6_e2m3", "nf4", "fp4", "mxfp4", "mxfp8", "nvfp4"]


@pytest.mark.parametrize("name", SEARCHED)
@pytest.mark.parametrize("values", [normal, hostile])
def test_codes_are_those_of_the_scales(name: str, values: Callable[[int, int], Tensor]) -> None:
    scheme = find_scheme(name)
    assert isinstance(scheme, GridScheme)
    matrix = values(9, 288)
    found = quantize_fast(scheme, matrix, MSE)
    scales = scheme.read_scales(found).reshape(-1)
    assert same(found, scheme.with_scales(matrix, scales, scheme.fitted_format(matrix)))


@pytest.mark.parametrize("name", [*SEARCHED, "q4_0", "q5_0", "iq4_nl", "q8_0", "gguf_mxfp4", "gguf_nvfp4"])
def test_searches_find_as_little_error(name: str) -> None:
    scheme, matrix = find_scheme(name), normal(24, 256)
    fast = error(matrix, scheme, quantize_fast(scheme, matrix, MSE)).mean()
    plain = error(matrix, scheme, scheme.quantize(matrix, MSE)).mean()
    assert 10 * torch.log10(fast / plain) < 0.02


@pytest.mark.parametrize("name", [*SEARCHED, "q4_0", "q5_0", "q8_0", "iq4_nl", "gguf_nvfp4"])
def test_hostile_blocks_are_searched_as_well(name: str) -> None:
    scheme, matrix = find_scheme(name), hostile(9, 256)
    fast = error(matrix, scheme, quantize_fast(scheme, matrix, MSE))
    plain = error(matrix, scheme, scheme.quantize(matrix, MSE))
    assert (fast <= plain * 1.05 + 1e-3).all()


@pytest.mark.parametrize("name", ["int4", "int8", "nf4", "mxfp4", "nvfp4", "q4_0"])
def test_search_is_never_worse_than_absmax(name: str) -> None:
    scheme, matrix = find_scheme(name), hostile(64, 256)[:, :64].contiguous()
    searched = error(matrix, scheme, quantize_fast(scheme, matrix, MSE))
    plain = error(matrix, scheme, quantize_fast(scheme, matrix, ABSMAX))
    assert (searched <= plain * (1 + 1e-5) + 1e-12).all()


@pytest.mark.parametrize("name", ["int8", "int5", "fp8", "fp6_e2m3"])
@pytest.mark.parametrize("granularity", ["channel", "group=32", "group=128"])
@pytest.mark.parametrize("scale_format", ["float32", "bfloat16"])
def test_searches_of_many_levels_find_as_little_error(name: str, granularity: str, scale_format: str) -> None:
    scheme = find_scheme(name, SchemeOptions(granularity=granularity, scale_format=scale_format))
    matrix = normal(8, 512)
    fast = error(matrix, scheme, quantize_fast(scheme, matrix, MSE)).mean()
    plain = error(matrix, scheme, scheme.quantize(matrix, MSE)).mean()
    assert 10 * torch.log10(fast / plain) < 0.02


def test_signed_scales_have_less_error() -> None:
    scheme, matrix = find_scheme("int4"), normal(32, 256)
    positive, signed = (
        error(matrix, scheme, quantize_fast(scheme, matrix, Choices(signed_scales=each))).mean()
        for each in (False, True)
    )
    assert 10 * torch.log10(positive / signed) > 0.2


@pytest.mark.parametrize("name", ["int4", "int8", "nf4", "nvfp4", "q4_0"])
@pytest.mark.parametrize("choices", [ABSMAX, MSE])
def test_bytes_do_not_depend_on_threads(name: str, choices: Choices) -> None:
    scheme, matrix = find_scheme(name), normal(300, 512)
    results = [quantize_fast(scheme, matrix, Choices(scale=choices.scale, threads=threads)) for threads in (1, 2)]
    assert same(*results)


@pytest.mark.parametrize("name", ["int4", "int8", "nf4", "nvfp4", "q4_0"])
def test_lent_memory_is_filled(name: str) -> None:
    scheme = find_scheme(name)
    first = quantize_fast(scheme, normal(16, 256), ABSMAX)
    second = quantize_fast(scheme, normal(16, 256) * 3 + 1, ABSMAX, first)
    assert second.codes.data_ptr() == first.codes.data_ptr()
    assert same(second, scheme.quantize(normal(16, 256) * 3 + 1, ABSMAX))


@pytest.mark.parametrize("name", ["int4", "nf4", "nvfp4", "q4_0"])
@pytest.mark.parametrize("wrong", [torch.inf, -torch.inf, torch.nan])
def test_what_is_not_finite_is_refused(name: str, wrong: float) -> None:
    matrix = normal(4, 256)
    matrix[2, 77] = wrong
    with pytest.raises(InvalidInput) as refused:
        quantize_fast(find_scheme(name), matrix, MSE)
    assert refused.value.code == "scheme.not-finite"
    assert (refused.value.figures["row"], refused.value.figures["column"]) == (3, 78)


def test_what_no_kernel_knows_goes_to_the_scheme() -> None:
    matrix = normal(8, 64)
    for name, granularity in (("int8", "tensor"), ("int4", "column"), ("fp8", "block=4x16"), ("mxint8", None)):
        scheme = find_scheme(name, SchemeOptions(granularity=granularity))
        assert same(quantize_fast(scheme, matrix, ABSMAX), scheme.quantize(matrix, ABSMAX)), name
    scheme = find_scheme("int4")
    seeded = Choices(seed=3)
    assert same(quantize_fast(scheme, matrix, seeded), scheme.quantize(matrix, seeded))


def test_gguf_schemes_are_known() -> None:
    assert isinstance(find_scheme("q4_0"), GgufBlockScheme)

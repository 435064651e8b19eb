"""Bands of rows that are quantized one by one have the bytes of the whole."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from app.errors import InvalidInput
from app.schemes.bands import joined, pinned, row_step
from app.schemes.entries import SchemeOptions
from app.schemes.fast import dequantize_fast, quantize_fast
from app.schemes.registry import ENTRIES, find_scheme
from app.schemes.scheme import Choices, QuantizedTensor, ScaleRule, Scheme

ABSMAX, MSE = Choices(scale=ScaleRule.ABSMAX), Choices()
GRANULARITIES = ("tensor", "channel", "group=32", "group=48", "block=4x64")


def schemes() -> Iterator[tuple[str, Scheme]]:
    for name in ENTRIES:
        yield name, find_scheme(name)
    for name in ("int8", "int4", "int3", "fp8", "fp4_e2m1", "affine4", "affine8"):
        for granularity in GRANULARITIES:
            yield f"{name} {granularity}", find_scheme(name, SchemeOptions(granularity=granularity))
    for kind in ("integer", "float"):
        for granularity in GRANULARITIES:
            options = SchemeOptions(granularity=granularity, symmetric=False, zero_point=kind)
            yield f"int4 {kind} {granularity}", find_scheme("int4", options)
    for size in (64, 100, 4096):
        for double in (False, True):
            options = SchemeOptions(granularity=f"block={size}", double_quant=double)
            yield f"nf4 {size} {double}", find_scheme("nf4", options)


SCHEMES = dict(schemes())


def uneven(rows: int, columns: int) -> Tensor:
    """Rows of different sizes: what the whole shares is not what a band would."""
    values = torch.randn(rows, columns, generator=torch.Generator().manual_seed(7))
    return values * torch.linspace(0.5, 3, rows)[:, None]


def same(found: QuantizedTensor, wanted: QuantizedTensor) -> bool:
    assert found.shape == wanted.shape
    assert found.others.keys() == wanted.others.keys()
    pairs = [(found.codes, wanted.codes), (found.scales, wanted.scales), (found.zero_points, wanted.zero_points)]
    pairs += [(found.others[name], other) for name, other in wanted.others.items()]
    for mine, theirs in pairs:
        if mine is None or theirs is None:
            assert mine is theirs
        elif mine.shape != theirs.shape or not torch.equal(mine.view(torch.uint8), theirs.view(torch.uint8)):
            return False
    return True


def by_bands(scheme: Scheme, values: Tensor, choices: Choices, step: int) -> QuantizedTensor:
    def bands() -> Iterator[Tensor]:
        yield from values.split(step)

    fixed = pinned(scheme, bands, choices)
    return joined(scheme, [quantize_fast(fixed, band, choices) for band in bands()])


@pytest.mark.parametrize("name", SCHEMES)
@pytest.mark.parametrize("choices", [ABSMAX, MSE], ids=["absmax", "mse"])
def test_bands_have_the_bytes_of_the_whole(name: str, choices: Choices, one_thread: None) -> None:
    scheme = SCHEMES[name]
    values = uneven(70, 512)
    if choices is MSE and not isinstance(pinned(scheme, lambda: [values], ABSMAX), type(scheme)):
        return
    step = row_step(scheme, 512, choices)
    if step is None:
        assert name.startswith("lloyd")
        return
    whole = quantize_fast(scheme, values, choices)
    for rows in {step, step * max(1, 24 // step)}:
        if rows < 8 and choices is MSE and name.startswith(("nf4", "lloyd", "int4 float")):
            continue
        found = by_bands(scheme, values, choices, rows)
        assert same(found, whole), rows
        assert torch.equal(dequantize_fast(scheme, found), scheme.dequantize(whole))


@pytest.mark.parametrize("name", ["int8 tensor", "int4 tensor", "fp8 tensor", "affine4 tensor", "int4 integer tensor"])
@pytest.mark.parametrize("scale", [1.0, 1e-30, 1e30])
def test_one_scale_of_many_numbers(name: str, scale: float, one_thread: None) -> None:
    scheme, values = SCHEMES[name], uneven(300, 512) * scale
    values[7, 9] = 12 * scale
    whole = quantize_fast(scheme, values, MSE)
    assert same(by_bands(scheme, values, MSE, 64), whole)
    assert same(quantize_fast(scheme, values, replace(MSE, threads=3)), whole)
    errors = [
        (values.double() - scheme.dequantize(stored).double()).square().sum() / scale**2
        for stored in (whole, scheme.quantize(values, MSE))
    ]
    assert 10 * torch.log10(errors[0] / errors[1]) < 0.003


@pytest.mark.parametrize("name", ["int8 tensor", "int4 tensor", "affine4 tensor"])
def test_few_different_numbers_lose_nothing(name: str) -> None:
    values = torch.full((300, 512), 1.2345)
    values[::2] = 0
    stored = quantize_fast(SCHEMES[name], values, MSE)
    assert (SCHEMES[name].dequantize(stored) - values).abs().max() < 1e-6 if "int" in name else 1e-3


def test_which_bands() -> None:
    assert row_step(SCHEMES["int4 integer channel"], 512, MSE) == 32
    assert row_step(SCHEMES["int4 block=4x64"], 512, MSE) == 4
    assert row_step(SCHEMES["nf4 64 False"], 48, MSE) == 4
    assert row_step(SCHEMES["nf4 64 True"], 512, MSE) == 32
    assert row_step(find_scheme("int8", SchemeOptions(granularity="column")), 512, MSE) is None
    assert row_step(SCHEMES["int8 tensor"], 512, Choices(scale=ScaleRule.PERCENTILE)) is None
    assert row_step(SCHEMES["q4_0"], 512, MSE) == 1
    assert row_step(SCHEMES["q4_0"], 512, Choices(seed=1)) is None


def test_what_is_not_finite_is_refused() -> None:
    values = uneven(70, 512)
    values[69, 3] = torch.nan
    for name in ("nvfp4", "gguf_nvfp4", "int8 tensor", "affine4 tensor"):
        with pytest.raises(InvalidInput, match=r"scheme\.not-finite"):
            pinned(SCHEMES[name], lambda: values.split(10), MSE)

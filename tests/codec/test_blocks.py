"""Blocks on tensors: the codes of `exact`, of torchao and of gguf; where torchao differs is written down."""

import warnings
from fractions import Fraction

import numpy as np
import pytest
import torch
from torch import Tensor

from app import codec, exact
from app.errors import InvalidInput
from app.exact.blocks import ScaleRule, decode_block, encode_block
from app.formats import BLOCKS, BlockFormat, find_any_format
from tests.codec.probes import number_of

RULES = tuple(ScaleRule)
MX_IN_TORCHAO = ("mxfp8_e4m3", "mxfp8_e5m2", "mxfp6_e2m3", "mxfp6_e3m2", "mxfp4")


def block(name: str) -> BlockFormat:
    found = find_any_format(name)
    assert isinstance(found, BlockFormat)
    return found


def rows(columns: int, seed: int, count: int = 64) -> Tensor:
    """Rows of float32 with magnitudes from 2^-40 to 2^40, a few of powers of two and of zeros."""
    generator = torch.Generator().manual_seed(seed)
    values = torch.randn(count, columns, generator=generator)
    values *= torch.exp2(torch.randint(-40, 40, (count, 1), generator=generator).float())
    values[1] = torch.exp2(torch.randint(-3, 3, (columns,), generator=generator).float())
    values[2] = -0.0
    values[3, ::2] = 0.0
    values[4] = torch.linspace(-7.9, 7.9, columns)
    values[5] = 1.96875 * 2.0**-9
    return values


@pytest.mark.parametrize("rule", RULES, ids=str)
@pytest.mark.parametrize("block_format", BLOCKS, ids=lambda f: f.name)
def test_every_block_is_that_of_exact(block_format: BlockFormat, rule: ScaleRule) -> None:
    size = block_format.block_size
    values = rows(size + 5, 1, 12).double()
    values[6, 3], values[7, 4], values[8, 0] = torch.nan, -torch.inf, 1e300
    values[9] *= 1e-200
    tensor = None if block_format.tensor_scale is None else 0.001
    found = codec.encode_blocks(values, block_format, rule, tensor)
    back = codec.decode_blocks(found, block_format)
    assert found.scales.shape == (12, 2)
    assert found.elements.shape == values.shape
    for row in range(len(values)):
        for place, part in enumerate((slice(0, size), slice(size, size + 5))):
            numbers = [number_of(value) for value in values[row, part].tolist()]
            given = None if tensor is None else Fraction(tensor)
            truth = encode_block(numbers, block_format, rule, given)
            assert found.scales[row, place] == truth.scale_code
            assert found.elements[row, part].tolist() == list(truth.element_codes)
            meant = decode_block(truth.scale_code, truth.element_codes, block_format, truth.tensor_scale)
            for value, number in zip(back[row, part].tolist(), meant, strict=True):
                if isinstance(number, exact.Finite):
                    assert Fraction(value) == number.fraction()
                    assert str(value).startswith("-") == number.negative
                else:
                    assert value != value


@pytest.mark.parametrize("seed", range(20))
def test_the_tensor_scale_is_that_of_exact(seed: int) -> None:
    nvfp4 = block("nvfp4")
    values = rows(48, seed).double()
    values[0, 0] = 10.0**seed / 3
    amax = Fraction(float(values.abs().max()))
    found = codec.encode_blocks(values, nvfp4)
    truth = encode_block([exact.from_fraction(amax)], nvfp4).tensor_scale
    assert found.tensor_scale is not None
    assert Fraction(found.tensor_scale) == truth
    zeros = codec.encode_blocks(torch.zeros(2, 5), nvfp4)
    assert zeros.tensor_scale == 1
    assert not zeros.scales.any()


@pytest.mark.parametrize("rule", RULES, ids=str)
@pytest.mark.parametrize("name", MX_IN_TORCHAO)
def test_torchao_gives_the_same_mx_codes(name: str, rule: ScaleRule) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from torchao.prototype.mx_formats.mx_tensor import ScaleCalculationMode, to_mx
    block_format = block(name)
    values = rows(96, 7)
    dtype = {
        "mxfp8_e4m3": torch.float8_e4m3fn,
        "mxfp8_e5m2": torch.float8_e5m2,
        "mxfp6_e2m3": "fp6_e2m3",
        "mxfp6_e3m2": "fp6_e3m2",
        "mxfp4": torch.float4_e2m1fn_x2,
    }[name]
    scales, data = to_mx(values, dtype, 32, ScaleCalculationMode[rule.name])
    ours = codec.encode_blocks(values, block_format, rule)
    assert torch.equal(scales.view(torch.uint8), ours.scales)
    theirs = data.view(torch.uint8)
    if name == "mxfp4":
        theirs = torch.stack((theirs & 15, theirs >> 4), dim=-1).flatten(-2)
    assert torch.equal(theirs, ours.elements)


def test_torchao_gives_the_same_nvfp4_codes_above_its_smallest_scale() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from torchao.prototype.mx_formats.nvfp4_tensor import nvfp4_quantize
    generator = torch.Generator().manual_seed(3)
    values = torch.randn(64, 64, generator=generator)
    ours = codec.encode_blocks(values, block("nvfp4"), tensor_scale=2.0**-7)
    scales, data = nvfp4_quantize(values, 16, torch.tensor(2.0**-7))
    theirs = torch.stack((data & 15, data >> 4), dim=-1).flatten(-2)
    assert torch.equal(scales.view(torch.uint8), ours.scales)
    # It multiplies by a rounded reciprocal instead of dividing: elements near a middle may fall on its other side.
    assert (theirs != ours.elements).float().mean() < 0.001
    # Below 2^-6 * 6 * tensor scale its scale stays where it is; E4M3 goes down to 2^-9.
    small = values * 2.0**-14
    assert int(codec.encode_blocks(small, block("nvfp4"), tensor_scale=2.0**-7).scales.min()) < 8
    assert int(nvfp4_quantize(small, 16, torch.tensor(2.0**-7))[0].view(torch.uint8).min()) == 8


def test_gguf_reads_the_same_mxfp4_values() -> None:
    from gguf import quants

    generator = torch.Generator().manual_seed(9)
    scales = torch.randint(0, 255, (200, 1), dtype=torch.uint8, generator=generator)
    elements = torch.randint(0, 16, (200, 32), dtype=torch.uint8, generator=generator)
    packed = torch.cat((scales, elements[:, :16] | elements[:, 16:] << 4), dim=1)
    with np.errstate(over="ignore"):  # the largest scales pass the end of float32
        theirs = quants.MXFP4.dequantize_blocks(packed.numpy())
    ours = codec.decode_blocks(codec.BlockCodes(scales, elements, None), block("mxfp4"), torch.float32)
    # Its table has no minus zero; all else is the same to the last bit.
    assert np.array_equal(theirs, ours.numpy())


# NVFP4 is no such format: a block whose scale was rounded up far from its amax can get a smaller one the next time.
@pytest.mark.parametrize("block_format", [f for f in BLOCKS if f.tensor_scale is None], ids=lambda f: f.name)
def test_blocks_of_blocks_are_themselves(block_format: BlockFormat) -> None:
    values = rows(70, 4).reshape(4, 16, 70)
    first = codec.encode_blocks(values, block_format)
    once = codec.decode_blocks(first, block_format)
    again = codec.encode_blocks(once, block_format)
    assert torch.equal(codec.decode_blocks(again, block_format), once)


def test_refusals() -> None:
    values = torch.ones(4)
    with pytest.raises(InvalidInput, match=r"codec\.scale-rule"):
        codec.encode_blocks(values, block("mxfp4"), "round")
    with pytest.raises(InvalidInput, match=r"block\.no-tensor-scale"):
        codec.encode_blocks(values, block("mxfp4"), tensor_scale=1.0)
    for wrong in (0.0, -1.0, float("inf"), float("nan"), 1e-60):
        with pytest.raises(InvalidInput, match=r"block\.tensor-scale"):
            codec.encode_blocks(values, block("nvfp4"), tensor_scale=wrong)

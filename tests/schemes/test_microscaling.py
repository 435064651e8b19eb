"""MX and NVFP4: scales by rule equal to `codec` and torchao, and what compressed-tensors and torchao read back."""

import warnings

import pytest
import torch
from test_integers_engine import matrices, read_back
from torch import Tensor

from app.codec.blocks import encode_blocks
from app.errors import InvalidInput
from app.formats import BLOCKS
from app.schemes.entries import SchemeOptions
from app.schemes.microscaling import MicroscalingScheme
from app.schemes.registry import find_scheme
from app.schemes.scheme import Choices, ScaleRule

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from torchao.prototype.mx_formats.config import ScaleCalculationMode  # type: ignore[import-untyped]  # it has no types
    from torchao.prototype.mx_formats.constants import DTYPE_FP6_E2M3, DTYPE_FP6_E3M2  # type: ignore[import-untyped]  # it has no types
    from torchao.prototype.mx_formats.mx_tensor import to_dtype, to_mx  # type: ignore[import-untyped]  # it has no types

NAMES = ("mxfp8", "mxfp8_e5m2", "mxfp6", "mxfp6_e3m2", "mxfp4", "mxint8")
TORCHAO = {
    "mxfp8": torch.float8_e4m3fn,
    "mxfp8_e5m2": torch.float8_e5m2,
    "mxfp6": DTYPE_FP6_E2M3,
    "mxfp6_e3m2": DTYPE_FP6_E3M2,
    "mxfp4": torch.float4_e2m1fn_x2,
}
LAYOUTS = {"mxfp4": ("mxfp4-pack-quantized", 4), "mxfp6": ("mxfp6-pack-quantized", 6), "mxfp8": ("mxfp8-quantized", 8)}


def with_ties() -> Tensor:
    """Numbers of few bits, of which many lie on middles; and powers of two, and what lies next to them."""
    random = torch.Generator().manual_seed(8)
    few = (torch.randn(32, 64, generator=random)).to(torch.bfloat16).to(torch.float32)
    few[:8] = torch.round(few[:8] * 8) / 8
    few[8, 0], few[9, 0], few[10, 0], few[11, 0] = 4.0, 7.9999995, 6.0000005, 3.9999998
    few[12] *= 1e-30
    few[13] *= 1e30
    few[14] = 0.0
    return few


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("rule", ["floor", "ceil", "rceil", "even"])
def test_rules_are_those_of_the_codec(name: str, rule: str) -> None:
    scheme = find_scheme(name, SchemeOptions(mx_scale=rule))
    assert isinstance(scheme, MicroscalingScheme)
    values = with_ties()
    stored = scheme.quantize(values, Choices())
    blocks = encode_blocks(values, scheme.block_format, rule)
    expected = blocks.scales.view(torch.uint8).clamp(min=1)
    is_zero = (values.view(32, 2, 32) == 0).all(dim=2)
    assert stored.scales is not None
    assert torch.equal(stored.scales[~is_zero], expected[~is_zero])
    # Of minus zero only the code differs: the engine has one zero.
    theirs, ours = blocks.elements.view(torch.uint8).to(torch.int64), scheme.elements(stored).codes
    is_minus_zero = theirs == 1 << (scheme.grid.bits - 1)
    assert torch.equal(torch.where(is_minus_zero, 0, theirs), ours)


@pytest.mark.parametrize("name", TORCHAO)
@pytest.mark.parametrize("rule", ["floor", "ceil", "rceil", "even"])
def test_torchao_has_the_same_scales_and_reads_the_same(name: str, rule: str) -> None:
    scheme = find_scheme(name, SchemeOptions(mx_scale=rule))
    values = with_ties()[15:]
    stored = scheme.quantize(values, Choices())
    assert stored.scales is not None
    scales, _ = to_mx(values, TORCHAO[name], 32, ScaleCalculationMode[rule.upper()])
    assert torch.equal(scales.view(torch.uint8).view(stored.scales.shape), stored.scales)
    codes = scheme.elements(stored).codes.to(torch.uint8)
    data = codes.view(TORCHAO[name]) if name.startswith("mxfp8") else codes
    if name == "mxfp4":
        data = stored.codes
    back = to_dtype(data, stored.scales.view(torch.float8_e8m0fnu), TORCHAO[name], 32, torch.float32)
    assert torch.equal(back, scheme.dequantize(stored))


@pytest.mark.parametrize("name", LAYOUTS)
def test_compressed_tensors_reads_the_same(name: str) -> None:
    """The owner computes in bfloat16, which holds every product of few bits and a power of two: equal in float32."""
    scheme, (layout, bits) = find_scheme(name), LAYOUTS[name]
    arguments = {"num_bits": bits, "strategy": "group", "group_size": 32, "scale_dtype": torch.uint8}
    for values in (*matrices().values(), with_ties()):
        stored = scheme.quantize(values, Choices())
        assert stored.scales is not None
        codes = {"weight": stored.codes.view(torch.float8_e4m3fn)} if bits == 8 else {"weight_packed": stored.codes}
        owner = read_back(layout, {**codes, "weight_scale": stored.scales}, type="float", **arguments)
        assert owner.dtype == torch.bfloat16
        assert torch.equal(owner.to(torch.float32), scheme.dequantize(stored))


@pytest.mark.parametrize("rule", [None, "mse", "four-over-six"])
def test_compressed_tensors_reads_the_same_nvfp4(rule: str | None) -> None:
    """The owner multiplies in float32 and rounds to bfloat16."""
    scheme = find_scheme("nvfp4", SchemeOptions(mx_scale=rule))
    for values in (*matrices().values(), with_ties(), torch.zeros(2, 16), torch.full((1, 16), 1e-38)):
        stored = scheme.quantize(values, Choices())
        assert stored.scales is not None
        parts = {
            "weight_packed": stored.codes,
            "weight_scale": stored.scales,
            "weight_global_scale": stored.others["global_scale"],
        }
        owner = read_back(
            "nvfp4-pack-quantized", parts, num_bits=4, type="float", strategy="tensor_group", group_size=16
        )
        ours = scheme.dequantize(stored)
        assert bool(torch.isfinite(ours).all())
        assert torch.equal(owner, ours.to(torch.bfloat16))


def test_rules_of_nvfp4_err_less_one_after_the_other() -> None:
    values = torch.randn(64, 256, generator=torch.Generator().manual_seed(3)) * 0.02
    errors = []
    for rule, choices in (
        (None, Choices(scale=ScaleRule.ABSMAX)),
        ("four-over-six", Choices()),
        (None, Choices()),
    ):
        scheme = find_scheme("nvfp4", SchemeOptions(mx_scale=rule))
        errors.append(float((values - scheme.dequantize(scheme.quantize(values, choices))).square().sum()))
    assert errors[0] > errors[1] * 1.1 > errors[2] * 1.2


@pytest.mark.parametrize("name", [*NAMES, "nvfp4"])
@pytest.mark.parametrize("columns", [1, 5, 31, 33, 64])
def test_rows_of_any_length(name: str, columns: int) -> None:
    scheme = find_scheme(name)
    values = torch.randn(3, columns, generator=torch.Generator().manual_seed(columns))
    stored = scheme.quantize(values, Choices())
    assert scheme.storage((3, columns)).total == stored.stored_bytes * 8
    assert scheme.dequantize(stored).shape == values.shape


def test_unknown_rules_are_refused() -> None:
    for name in ("mxfp4", "nvfp4"):
        with pytest.raises(InvalidInput) as refusal:
            find_scheme(name, SchemeOptions(mx_scale="nearest"))
        assert refusal.value.code == "scheme.mx-scale"


def test_every_block_format_has_a_scheme() -> None:
    schemes = [find_scheme(name) for name in NAMES]
    formats = {scheme.block_format.name for scheme in schemes if isinstance(scheme, MicroscalingScheme)}
    assert formats == {each.name for each in BLOCKS} - {"nvfp4"}

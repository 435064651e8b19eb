"""Integers and scaled floats as compressed-tensors reads them back, bit for bit."""

import warnings

import pytest
import torch
from torch import Tensor

from app.schemes.entries import SchemeOptions
from app.schemes.registry import find_scheme
from app.schemes.scheme import Choices, ScaleRule

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from compressed_tensors.compressors.base import BaseCompressor  # type: ignore[import-untyped]  # it has no types
    from compressed_tensors.quantization import QuantizationArgs, QuantizationScheme  # type: ignore[import-untyped]  # it has no types

STRATEGIES: dict[str, dict[str, object]] = {
    "channel": {"strategy": "channel"},
    "group=64": {"strategy": "group", "group_size": 64},
    "tensor": {"strategy": "tensor"},
}


def matrices() -> dict[str, Tensor]:
    random = torch.Generator().manual_seed(4)
    normal = torch.randn(6, 128, generator=random)
    adversarial = normal.clone()
    adversarial[0], adversarial[1, 5], adversarial[2] = 0.0, 1e30, 1e-39
    adversarial[3], adversarial[4, ::2] = 3.4e38 * normal[3].sign(), -0.0
    return {"normal": normal * 0.02, "adversarial": adversarial}


def read_back(layout: str, stored: dict[str, Tensor], **arguments: object) -> Tensor:
    """What compressed-tensors makes of stored tensors, in the dtype of its scales."""
    weights = QuantizationArgs(symmetric=True, **arguments)
    scheme = QuantizationScheme(targets=["Linear"], weights=weights)
    found = BaseCompressor.get_value_from_registry(layout).decompress(stored, scheme)["weight"]
    assert isinstance(found, Tensor)
    return found


@pytest.mark.parametrize("bits", range(2, 9))
@pytest.mark.parametrize(
    ("granularity", "scale_format"),
    [("channel", "float32"), ("tensor", "float32"), ("group=64", "bfloat16"), ("group=64", "float16")],
)
def test_compressed_tensors_reads_the_same(bits: int, granularity: str, scale_format: str) -> None:
    """In float32 equal; with scales of 16 bits the owner multiplies in those, and ours rounded to them is equal."""
    scheme = find_scheme(f"int{bits}", SchemeOptions(granularity=granularity, scale_format=scale_format))
    for values in matrices().values():
        stored = scheme.quantize(values, Choices(scale=ScaleRule.MSE, signed_scales=granularity != "tensor"))
        assert stored.scales is not None
        parts = {
            "weight_packed": stored.codes.view(torch.int32),
            "weight_scale": stored.scales if granularity != "tensor" else stored.scales.view(1),
            "weight_shape": torch.tensor(stored.shape),
        }
        owner = read_back("pack-quantized", parts, num_bits=bits, type="int", **STRATEGIES[granularity])
        ours = scheme.dequantize(stored)
        assert bool(torch.isfinite(ours).all())
        if scale_format != "float16":  # a product may be beyond float16
            assert torch.equal(owner, ours.to(owner.dtype))
        else:
            is_held = ours.abs() <= 65504
            assert torch.equal(owner[is_held], ours.to(owner.dtype)[is_held])


def test_a_block_of_one_number_comes_back_and_zeros_stay_zero() -> None:
    scheme = find_scheme("int4", SchemeOptions(granularity="group=4"))
    values = torch.tensor([[0.3, 0.3, 0.3, 0.3, 0.0, 0.0, 0.0, 0.0, -2.5, -2.5, -2.5, -2.5, 0.0, 7.0]])
    back = scheme.dequantize(scheme.quantize(values, Choices()))
    assert torch.allclose(back, values, rtol=1e-6, atol=0)
    assert torch.equal(back == 0, values == 0)


@pytest.mark.parametrize("shape", [(1, 1), (3, 7), (2, 130), (5, 64)])
@pytest.mark.parametrize("granularity", ["tensor", "channel", "column", "group=64", "block=2x3"])
def test_storage_is_what_is_stored(shape: tuple[int, int], granularity: str) -> None:
    for name in ("int3", "int8", "fp8", "fp6_e3m2", "fp4_e2m1"):
        scheme = find_scheme(name, SchemeOptions(granularity=granularity, scale_format="float16"))
        stored = scheme.quantize(torch.randn(shape, generator=torch.Generator().manual_seed(1)), Choices())
        assert scheme.storage(shape).total == stored.stored_bytes * 8, name

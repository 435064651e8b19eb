"""torchao: files as it flattens its tensors are read as each tensor's own `dequantize` reads it, bit for bit."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from app.errors import WeightFileError
from tests.layouts.reading import read_back, same_bits, save

# torchao uses what torch has deprecated; torch says so where it is imported.
pytestmark = pytest.mark.filterwarnings("ignore")
NAME = "model.layers.0.mlp.up_proj.weight"


def _check(folder: Path, tensor: Any, text: str) -> None:
    from torchao.prototype.safetensors.safetensors_support import flatten_tensor_state_dict

    bias = torch.randn(3)
    stored, metadata = flatten_tensor_state_dict({NAME: tensor, "model.bias": bias})
    found = read_back(save(folder, stored, metadata=metadata))
    assert set(found) == {NAME, "model.bias"}
    assert found[NAME].scheme == f"torchao {text}"
    assert same_bits(found[NAME].numbers, tensor.dequantize())


def _values(*shape: int, dtype: torch.dtype = torch.bfloat16) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(5)).to(dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize(("granularity", "text"), [("row", "channel"), ("tensor", "tensor"), ("group", "group=32")])
@pytest.mark.parametrize("mapping", ["SYMMETRIC", "ASYMMETRIC"])
def test_int8(tmp_path: Path, dtype: torch.dtype, granularity: str, text: str, mapping: str) -> None:
    from torchao.quantization import Int8Tensor, MappingType, PerGroup, PerRow, PerTensor

    kind = {"row": PerRow(), "tensor": PerTensor(), "group": PerGroup(32)}[granularity]
    values = _values(20, 96, dtype=dtype)
    _check(tmp_path, Int8Tensor.from_hp(values, kind, getattr(MappingType, mapping)), f"int8:{text}")


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(
    ("granularity", "text"), [("row", "channel"), ("tensor", "tensor"), ("block", "block=128x128")]
)
def test_float8(tmp_path: Path, dtype: torch.dtype, granularity: str, text: str) -> None:
    from torchao.quantization import Float8Tensor, PerBlock, PerRow, PerTensor

    kind = {"row": PerRow(), "tensor": PerTensor(), "block": PerBlock([128, 128])}[granularity]
    _check(tmp_path, Float8Tensor.from_hp(_values(256, 384, dtype=dtype), granularity=kind), f"fp8:{text}")


@pytest.mark.parametrize("bits", [1, 2, 3, 4, 5, 6, 7, 8])
@pytest.mark.parametrize("mapping", ["SYMMETRIC", "ASYMMETRIC"])
def test_intx(tmp_path: Path, bits: int, mapping: str) -> None:
    from torchao.quantization import IntxUnpackedToInt8Tensor, MappingType

    tensor = IntxUnpackedToInt8Tensor.from_hp(
        _values(20, 96), (1, 32), getattr(torch, f"int{bits}"), mapping_type=getattr(MappingType, mapping)
    )
    _check(tmp_path, tensor, f"int{bits}:group=32")


@pytest.mark.parametrize("swizzled", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(
    ("element", "text"), [("float8_e4m3fn", "mxfp8"), ("float8_e5m2", "mxfp8:e5m2"), ("float4_e2m1fn_x2", "mxfp4")]
)
def test_mx(tmp_path: Path, element: str, text: str, dtype: torch.dtype, *, swizzled: bool) -> None:
    from torchao.prototype.mx_formats.mx_tensor import MXTensor

    tensor = MXTensor.to_mx(
        _values(150, 320, dtype=dtype), getattr(torch, element), block_size=32, is_swizzled_scales=swizzled
    )
    _check(tmp_path, tensor, text)


@pytest.mark.parametrize("swizzled", [False, True])
@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_nvfp4(tmp_path: Path, dtype: torch.dtype, *, swizzled: bool, whole: bool) -> None:
    from torchao.prototype.mx_formats.nvfp4_tensor import NVFP4Tensor

    tensor = NVFP4Tensor.to_nvfp4(
        _values(150, 320, dtype=dtype),
        per_tensor_scale=torch.tensor(0.003) if whole else None,
        is_swizzled_scales=swizzled,
    )
    _check(tmp_path, tensor, "nvfp4")


def test_int4(tmp_path: Path) -> None:
    """Its quantizer needs a GPU's library: the tensor is put together by hand, its numbers by the formula."""
    generator = torch.Generator().manual_seed(5)
    codes = torch.randint(-8, 8, (6, 64), generator=generator)
    packed = ((codes[:, 1::2] << 4) | (codes[:, ::2] & 15)).to(torch.int8)
    scale, zero = (torch.rand(2, 6, generator=generator).to(torch.bfloat16) for _ in range(2))
    data = {
        "block_size": [1, 32],
        "shape": [6, 64],
        "activation_dtype": {"_type": "torch.dtype", "_data": "bfloat16"},
    }
    metadata = {
        NAME: json.dumps(
            {"_type": "Int4Tensor", "_data": data, "_tensor_data_names": ["qdata", "scale", "zero_point"]}
        ),
        "tensor_names": json.dumps([NAME]),
    }
    prefix = NAME.replace(".weight", "._weight_")
    parts = {f"{prefix}qdata": packed, f"{prefix}scale": scale, f"{prefix}zero_point": zero}
    found = read_back(save(tmp_path, parts, metadata=metadata))
    spread = [each.t().float().repeat_interleave(32, dim=1) for each in (scale, zero)]
    assert found[NAME].scheme == "torchao int4:group=32:asymmetric"
    assert same_bits(found[NAME].numbers, (codes.float() * spread[0] + spread[1]).to(torch.bfloat16))
    data["block_size"] = [1, 48]
    metadata[NAME] = json.dumps({"_type": "Int4Tensor", "_data": data})
    damaged = save(tmp_path, parts, metadata=metadata)
    with pytest.raises(WeightFileError) as caught:
        read_back(damaged)
    assert caught.value.code == "layout.attribute"

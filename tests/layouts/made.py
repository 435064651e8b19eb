"""Small files of every layout, made without their owners: tensors, config and metadata."""

import json
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

_PREFIX = "model.layers.0.mlp.up_proj"


@dataclass(frozen=True)
class Made:
    """What goes into a file."""

    tensors: dict[str, Tensor]
    config: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)


def _words(*shape: int) -> Tensor:
    return torch.randint(-(2**31), 2**31, shape, dtype=torch.int64).to(torch.int32)


def _bytes(*shape: int) -> Tensor:
    return torch.randint(0, 256, shape, dtype=torch.uint8)


def _halves(*shape: int) -> Tensor:
    return torch.rand(shape).to(torch.bfloat16)


def _named(**tensors: Tensor) -> dict[str, Tensor]:
    return {f"{_PREFIX}.{name.replace('__', '.')}": tensor for name, tensor in tensors.items()}


def _compressed(num_bits: int, **weights: Any) -> dict[str, Any]:
    group = {"targets": ["Linear"], "weights": {"num_bits": num_bits, **weights}}
    return {"quantization_config": {"quant_method": "compressed-tensors", "config_groups": {"group_0": group}}}


def _state(rows: int, columns: int, **more: Any) -> Tensor:
    text = {"quant_type": "nf4", "blocksize": 64, "dtype": "bfloat16", "shape": [rows, columns], **more}
    return torch.tensor(list(json.dumps(text).encode()), dtype=torch.uint8)


def _torchao(kind: str, data: dict[str, Any], **parts: Tensor) -> Made:
    dtype = {"_type": "torch.dtype", "_data": "bfloat16"}
    data = {"dtype": dtype, "orig_dtype": dtype, **data}
    metadata = {f"{_PREFIX}.weight": json.dumps({"_type": kind, "_data": data, "_tensor_data_names": list(parts)})}
    return Made({f"{_PREFIX}._weight_{name}": part for name, part in parts.items()}, metadata=metadata)


def made(name: str) -> Made:
    """One of `NAMES`."""
    torch.manual_seed(1)
    return _MAKERS[name]()


def _fp8(*shape: int) -> Tensor:
    return torch.randn(shape).to(torch.float8_e4m3fn)


_DTYPE = {"_type": "torch.dtype", "_data": "float8_e4m3fn"}
_MAKERS = {
    "packed": lambda: Made(
        _named(
            weight_packed=_words(9, 6), weight_scale=_halves(9, 2), weight_shape=torch.tensor([9, 64]),
            weight_zero_point=_words(1, 2), weight_g_idx=torch.arange(64, dtype=torch.int32) // 32,
        ),
        _compressed(3, group_size=32),
    ),
    "int8": lambda: Made(
        _named(weight=_bytes(9, 31).view(torch.int8), weight_scale=_halves(9, 1), weight_zero_point=_bytes(9, 1)
               .view(torch.int8)),
        _compressed(8),
    ),
    "block fp8": lambda: Made(
        _named(weight=_fp8(9, 31), weight_scale=_halves(3, 8)), _compressed(8, block_structure=[4, 4])
    ),
    "nvfp4": lambda: Made(
        _named(weight_packed=_bytes(9, 32), weight_scale=_fp8(9, 4), weight_global_scale=torch.ones(1))
    ),
    "mxfp6": lambda: Made(_named(weight_packed=_bytes(9, 48), weight_scale=_bytes(9, 2))),
    "mxfp8": lambda: Made(_named(weight=_fp8(9, 64), weight_scale=_bytes(9, 2))),
    "tiles": lambda: Made(_named(weight=_fp8(9, 31), weight_scale_inv=torch.rand(1, 1))),
    "modelopt": lambda: Made(_named(weight=_bytes(9, 32), weight_scale=_fp8(9, 4), weight_scale_2=torch.tensor(2.0))),
    "nf4": lambda: Made(
        _named(
            weight=_bytes(155, 1), weight__absmax=_bytes(5), weight__quant_map=torch.rand(16),
            weight__nested_absmax=torch.rand(1), weight__nested_quant_map=torch.rand(256),
        )
        | {f"{_PREFIX}.weight.quant_state.bitsandbytes__nf4": _state(10, 31, nested_blocksize=256, nested_offset=0.1)}
    ),
    "llm.int8": lambda: Made(
        _named(weight=_bytes(9, 31).view(torch.int8), SCB=torch.rand(9), weight_format=_bytes() * 0)
    ),
    "gptq": lambda: Made(
        _named(
            qweight=_words(8, 32), qzeros=_words(2, 4), scales=_halves(2, 32),
            g_idx=torch.arange(64, dtype=torch.int32).flip(0) // 32,
        ),
        {"quantization_config": {"quant_method": "gptq", "bits": 4, "group_size": 32, "checkpoint_format": "gptq"}},
    ),
    "awq": lambda: Made(
        _named(qweight=_words(64, 4), qzeros=_words(2, 4), scales=_halves(2, 32)),
        {"quantization_config": {"quant_method": "awq", "bits": 4, "group_size": 32}},
    ),
    "mlx": lambda: Made(
        _named(weight=_words(9, 6).view(torch.uint32), scales=_halves(9, 2), biases=_halves(9, 2)),
        {"quantization": {"group_size": 32, "bits": 3}},
    ),
    "mlx mxfp4": lambda: Made(_named(weight=_words(9, 8).view(torch.uint32), scales=_bytes(9, 2))),
    "torchao int8": lambda: _torchao(
        "Int8Tensor", {"block_size": [1, 31]}, qdata=_bytes(9, 31).view(torch.int8), scale=torch.rand(9, 1),
        zero_point=_bytes(9, 1).view(torch.int8),
    ),
    "torchao fp8": lambda: _torchao("Float8Tensor", {"block_size": [3, 31]}, qdata=_fp8(9, 31), scale=torch.rand(3, 1)),
    "torchao int4": lambda: _torchao(
        "Int4Tensor", {"block_size": [1, 32], "shape": [9, 64]}, qdata=_bytes(9, 32).view(torch.int8),
        scale=_halves(2, 9), zero_point=_halves(2, 9),
    ),
    "torchao mx": lambda: _torchao(
        "MXTensor", {"block_size": 32, "elem_dtype": _DTYPE, "is_swizzled_scales": True}, qdata=_fp8(9, 64),
        scale=_bytes(32, 16).view(torch.float8_e8m0fnu),
    ),
    "torchao nvfp4": lambda: _torchao(
        "NVFP4Tensor", {"block_size": 16, "is_swizzled_scales": True}, qdata=_bytes(9, 32),
        scale=_bytes(32, 16).view(torch.float8_e4m3fn), per_tensor_scale=torch.tensor(2.0),
    ),
}  # fmt: skip
NAMES = tuple(_MAKERS)

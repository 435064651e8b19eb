"""compressed-tensors: files of its own compressors are read as its own decompressors read them, bit for bit."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.layouts.reading import read_back, same_bits, save

# The owner imports torchao's triton parts, and torch warns about what they use.
pytestmark = pytest.mark.filterwarnings("ignore")

NAME = "model.layers.0.mlp.up_proj"


def _scheme(**weights: Any) -> Any:
    from compressed_tensors.quantization import QuantizationArgs, QuantizationScheme

    activations = weights.pop("activations", None)
    return QuantizationScheme(
        targets=["Linear"],
        weights=QuantizationArgs(**weights),
        input_activations=QuantizationArgs(**activations) if activations else None,
    )


def _compressed(
    kind: str, scheme: Any, values: Tensor, scale: Tensor, zero: Tensor | None, overall: Tensor | None = None
) -> tuple[dict[str, Tensor], Tensor]:
    from compressed_tensors.compressors.base import BaseCompressor

    compressor = BaseCompressor.get_value_from_registry(kind)
    state = {"weight": values, "weight_scale": scale}
    if zero is not None:
        state["weight_zero_point"] = zero
    if overall is not None:
        state["weight_global_scale"] = overall
    stored = compressor.compress(state, scheme)
    back = compressor.decompress(dict(stored), scheme)["weight"]
    return {name: tensor.data for name, tensor in stored.items() if tensor is not None}, back


def _config(scheme: Any) -> dict[str, Any]:
    groups = {"group_0": {"targets": ["Linear"], "weights": scheme.weights.model_dump(mode="json")}}
    return {"quantization_config": {"quant_method": "compressed-tensors", "config_groups": groups}}


def _same(folder: Path, stored: dict[str, Tensor], expected: Tensor, text: str, config: Any = None) -> None:
    path = save(folder, {f"{NAME}.{name}": tensor for name, tensor in stored.items()}, config)
    found = read_back(path)
    assert list(found) == [f"{NAME}.weight"]
    (back,) = found.values()
    assert back.scheme == f"compressed-tensors {text}"
    assert same_bits(back.numbers, expected)


@pytest.mark.parametrize("bits", range(2, 9))
@pytest.mark.parametrize(
    ("kind", "symmetric"),
    [("group", True), ("channel", True), ("tensor", True), ("group", False), ("channel", False)],
)
def test_packed_whole_numbers(tmp_path: Path, bits: int, kind: str, symmetric: bool) -> None:
    generator = torch.Generator().manual_seed(bits)
    rows, columns = 37, 96
    values = torch.randn(rows, columns, generator=generator).to(torch.bfloat16)
    shape = {"group": (rows, columns // 32), "channel": (rows, 1), "tensor": (1,)}[kind]
    scale = (torch.rand(shape, generator=generator) / (1 << bits) + 0.01).to(torch.bfloat16)
    zero = None
    if not symmetric:
        half = 1 << (bits - 1)
        zero = torch.randint(-half, half, shape, generator=generator).to(torch.int8)
    scheme = _scheme(
        num_bits=bits, type="int", strategy=kind, group_size=32 if kind == "group" else None, symmetric=symmetric
    )
    stored, expected = _compressed("pack-quantized", scheme, values, scale, zero)
    text = {"group": "group=32"}.get(kind, kind)
    _same(tmp_path, stored, expected, f"int{bits}:{text}" + ("" if symmetric else ":asymmetric"))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("symmetric", [True, False])
def test_int8_with_activations(tmp_path: Path, dtype: torch.dtype, *, symmetric: bool) -> None:
    values = torch.randn(9, 31, generator=torch.Generator().manual_seed(1)).to(dtype)
    scale = (torch.rand(9, 1) / 64 + 0.01).to(dtype)
    zero = None if symmetric else torch.randint(-20, 20, (9, 1)).to(torch.int8)
    scheme = _scheme(
        num_bits=8,
        type="int",
        strategy="channel",
        symmetric=symmetric,
        activations={"num_bits": 8, "type": "int", "strategy": "token", "dynamic": True},
    )
    stored, expected = _compressed("int-quantized", scheme, values, scale, zero)
    _same(tmp_path, stored, expected, "int8:channel" + ("" if symmetric else ":asymmetric"), _config(scheme))


@pytest.mark.parametrize(
    ("strategy", "shape", "text", "more"),
    [
        ("channel", (200, 1), "channel", {}),
        ("tensor", (1,), "tensor", {}),
        ("block", (2, 3), "block=128x128", {"block_structure": [128, 128]}),
        ("block", (4, 5), "block=64x64", {"block_structure": [64, 64]}),
    ],
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_fp8(
    tmp_path: Path, strategy: str, shape: tuple[int, ...], text: str, more: dict[str, Any], dtype: torch.dtype
) -> None:
    values = torch.randn(200, 300, generator=torch.Generator().manual_seed(1)).to(dtype)
    scale = (torch.rand(shape) / 64 + 0.01).to(dtype)
    scheme = _scheme(num_bits=8, type="float", strategy=strategy, symmetric=True, **more)
    stored, expected = _compressed("float-quantized", scheme, values, scale, None)
    stored["input_scale"] = torch.tensor([0.5])
    _same(tmp_path, stored, expected, f"fp8:{text}", _config(scheme))


def test_nvfp4(tmp_path: Path) -> None:
    values = torch.randn(10, 64, generator=torch.Generator().manual_seed(1)).to(torch.bfloat16)
    overall = torch.tensor([448.0 * 6 / float(values.abs().max())])
    scale = (values.view(10, 4, 16).abs().amax(2).float() / 6 * overall).to(torch.float8_e4m3fn)
    scheme = _scheme(num_bits=4, type="float", strategy="tensor_group", group_size=16, symmetric=True)
    stored, expected = _compressed("nvfp4-pack-quantized", scheme, values, scale.to(torch.float32), None, overall)
    _same(tmp_path, stored, expected, "nvfp4")


@pytest.mark.parametrize(("kind", "bits"), [("mxfp4-pack", 4), ("mxfp6-pack", 6), ("mxfp8", 8)])
def test_microscaling(tmp_path: Path, kind: str, bits: int) -> None:
    generator = torch.Generator().manual_seed(bits)
    values = torch.randn(10, 96, generator=generator).to(torch.bfloat16)
    scale = torch.pow(2.0, torch.randint(-6, 2, (10, 3), generator=generator)).to(torch.bfloat16)
    scheme = _scheme(
        num_bits=bits, type="float", strategy="group", group_size=32, symmetric=True, scale_dtype="torch.uint8"
    )
    stored, expected = _compressed(f"{kind}-quantized", scheme, values, scale, None)
    _same(tmp_path, stored, expected, f"mxfp{bits}")

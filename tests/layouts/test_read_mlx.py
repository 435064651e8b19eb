"""MLX: what its own `quantize` stores is read as its own `dequantize` reads it, bit for bit."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from app.errors import WeightFileError
from tests.layouts.reading import read_back, same_bits, save

mx: Any = pytest.importorskip("mlx.core")
NAME = "model.layers.0.mlp.up_proj"


def _tensor(array: Any) -> Tensor:
    if array.dtype == mx.bfloat16:
        return torch.from_numpy(np.array(array.view(mx.uint16))).view(torch.bfloat16)
    return torch.from_numpy(np.array(array))


def _random(rows: int, columns: int, dtype: Any) -> Any:
    values = np.random.default_rng(2).standard_normal((rows, columns), dtype=np.float32)
    return mx.array(values).astype(dtype)


def _stored(parts: Any) -> dict[str, Tensor]:
    names = ("weight", "scales", "biases")
    return {f"{NAME}.{name}": _tensor(part) for name, part in zip(names, parts, strict=False)}


@pytest.mark.parametrize("bits", [2, 3, 4, 5, 6, 8])
@pytest.mark.parametrize("group", [32, 64, 128])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_affine(tmp_path: Path, bits: int, group: int, dtype: str) -> None:
    with mx.stream(mx.cpu):
        parts = mx.quantize(_random(5, 384, getattr(mx, dtype)), group_size=group, bits=bits)
        expected = _tensor(mx.dequantize(*parts, group_size=group, bits=bits))
    config = {"quantization": {"group_size": 64, "bits": 4, NAME: {"group_size": group, "bits": bits}}}
    found = read_back(save(tmp_path, _stored(parts), config))
    assert list(found) == [f"{NAME}.weight"]
    (back,) = found.values()
    assert back.scheme == f"mlx int{bits}:group={group}:asymmetric"
    assert same_bits(back.numbers, expected)


@pytest.mark.parametrize("mode", ["mxfp4", "mxfp8", "nvfp4"])
def test_microscaled(tmp_path: Path, mode: str) -> None:
    with mx.stream(mx.cpu):
        parts = mx.quantize(_random(5, 384, mx.bfloat16), mode=mode)
        expected = _tensor(mx.dequantize(*parts, mode=mode))
    (back,) = read_back(save(tmp_path, _stored(parts))).values()
    assert back.scheme == f"mlx {mode}"
    assert same_bits(back.numbers, expected)


def test_without_a_config_the_usual_group_is_taken_for_a_file_of_mlx(tmp_path: Path) -> None:
    with mx.stream(mx.cpu):
        parts = mx.quantize(_random(5, 384, mx.bfloat16), group_size=64, bits=4)
        expected = _tensor(mx.dequantize(*parts, group_size=64, bits=4))
    (back,) = read_back(save(tmp_path, _stored(parts), metadata={"format": "mlx"})).values()
    assert same_bits(back.numbers, expected)
    # 64 numbers of 4 bits take as many words as 32 of 8: another writer's file stays what is stored.
    assert set(read_back(save(tmp_path, _stored(parts)))) == set(_stored(parts))


def test_a_config_that_contradicts_is_refused(tmp_path: Path) -> None:
    with mx.stream(mx.cpu):
        parts = mx.quantize(_random(5, 384, mx.bfloat16), group_size=64, bits=4)
    path = save(tmp_path, _stored(parts), {"quantization": {"group_size": 64, "bits": 8}})
    with pytest.raises(WeightFileError) as caught:
        read_back(path)
    assert caught.value.code == "layout.part-shape"

"""Tensors of eight bits that a compression kept are no unknown codes: its config says that they are as they were."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from app.tasks.compress_file import compress_file
from app.tasks.compress_options import CompressOptions
from app.tasks.expand_file import expand_file


@pytest.mark.parametrize("layout", ["compressed-tensors", "bitsandbytes", "torchao", "awq", "mlx"])
def test_what_was_kept_comes_back(layout: str, tmp_path: Path) -> None:
    random = torch.Generator().manual_seed(1)
    kept = torch.randint(-100, 100, (64, 64), generator=random, dtype=torch.int8)
    weights = {"a.up.weight": torch.randn(64, 128, generator=random), "a.table.weight": kept}
    save_file(weights, tmp_path / "model.safetensors")
    scheme = {"awq": "int4", "mlx": "affine4", "bitsandbytes": "nf4"}.get(layout, "int8")
    options = CompressOptions(scheme=scheme, layout=layout)
    compress_file(tmp_path / "model.safetensors", tmp_path / "small", options)
    expand_file(tmp_path / "small", tmp_path / "plain.safetensors")
    back = load_file(tmp_path / "plain.safetensors")
    assert torch.equal(back["a.table.weight"], kept)
    assert (back["a.up.weight"].float() - weights["a.up.weight"]).abs().max() < 1

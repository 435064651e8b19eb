"""A compression's report tells what `compare` finds on disk, for every scheme in every layout; twice the same bytes."""

import hashlib
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from app.layouts.table import LAYOUTS, layouts_of
from app.tasks.compare_files import compare_files
from app.tasks.compress_file import compress_file
from app.tasks.compress_options import SCHEMES, CompressOptions

FIGURES = ("sqnr_db", "mse", "max_abs_error", "cosine")
WRITTEN = [(entry.name, layout) for entry in SCHEMES for layout in layouts_of(entry) if layout != "onnx-matmulnbits"]
"""Products are written only of models that have some."""


def same_figures(source: Path, target: Path, options: CompressOptions) -> None:
    report = compress_file(source, target, options, force=True)
    compared = compare_files(source, target)
    assert (compared["missing"], compared["unexpected"]) == ([], [])
    found = {row["name"]: row for row in compared["tensors"]}
    for row in report["tensors"]:
        for figure in FIGURES:
            read, told = (None if each[figure] is None else float(each[figure]) for each in (found[row["name"]], row))
            assert read == pytest.approx(told, rel=1e-9), (row["name"], figure)
        assert found[row["name"]]["bytes_after"] == row["bytes_after"]


@pytest.mark.parametrize(("scheme", "layout"), WRITTEN)
def test_every_scheme_in_every_layout(scheme: str, layout: str, tmp_path: Path) -> None:
    generator = torch.Generator().manual_seed(4)
    tensors = {
        "a.weight": torch.randn(64, 512, generator=generator),
        "zeros.weight": torch.zeros(64, 256),
        "b.bias": torch.randn(64, generator=generator),
    }
    save_file(tensors, tmp_path / "source.safetensors")
    target = tmp_path / f"out{LAYOUTS[layout].suffix}"
    options = CompressOptions(scheme=scheme, layout=layout)
    same_figures(tmp_path / "source.safetensors", target, options)
    first = hashlib.sha256(target.read_bytes()).hexdigest()
    compress_file(tmp_path / "source.safetensors", target, options, force=True)
    assert hashlib.sha256(target.read_bytes()).hexdigest() == first


@pytest.mark.parametrize("name", ["weight", "a.weight_packed", "embeddings"])
def test_nvfp4_of_gguf_where_its_scale_has_no_name(name: str, tmp_path: Path) -> None:
    values = torch.randn(64, 128, generator=torch.Generator().manual_seed(4))
    save_file({name: values, "b.weight": values + 1}, tmp_path / "source.safetensors")
    options = CompressOptions(scheme="gguf_nvfp4", include=("*",))
    same_figures(tmp_path / "source.safetensors", tmp_path / "out.gguf", options)


def test_scales_as_large_as_float32_holds(tmp_path: Path) -> None:
    save_file({"a.weight": torch.full((64, 128), 3.4e38)}, tmp_path / "source.safetensors")
    options = CompressOptions(scheme="nf4:double-quant")
    same_figures(tmp_path / "source.safetensors", tmp_path / "out.safetensors", options)

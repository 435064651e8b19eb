"""Expanding: any layout back to plain floats, whole or not at all, the same bytes each time."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from app.cli.program import main
from app.errors import AppError
from app.tasks.compare_files import compare_files
from app.tasks.compress_file import compress_file
from app.tasks.compress_options import CompressOptions
from app.tasks.expand_file import expand_file
from app.weightfiles.part_file import PartFile

LINEAR = "model.layers.0.mlp.up_proj"


def _packed(rows: int = 24, columns: int = 64) -> tuple[dict[str, Tensor], Tensor]:
    """A matrix of int4 as compressed-tensors packs it, and its numbers."""
    generator = torch.Generator().manual_seed(3)
    codes = torch.randint(0, 16, (rows, columns), generator=generator)
    scale = (torch.rand(rows, columns // 32, generator=generator) / 8).to(torch.bfloat16)
    eights = codes.view(rows, -1, 8) << (torch.arange(8) * 4)
    numbers = (codes - 8).to(torch.bfloat16) * scale.repeat_interleave(32, dim=1)
    words = eights.sum(dim=2).to(torch.uint32).view(torch.int32)
    shape = torch.tensor([rows, columns])
    return {"weight_packed": words, "weight_scale": scale, "weight_shape": shape}, numbers


def _model(folder: Path, **metadata: str) -> tuple[Path, Tensor]:
    folder.mkdir(exist_ok=True)
    parts, numbers = _packed()
    tensors = {f"{LINEAR}.{name}": part for name, part in parts.items()}
    tensors["model.norm.weight"] = torch.linspace(-1, 1, 64)
    tensors["position_ids"] = torch.arange(9)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt", **metadata})
    config = {"model_type": "llama", "torch_dtype": "bfloat16", "quantization_config": {"quant_method": "x"}}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "tokenizer.json").write_text("{}")
    return folder / "model.safetensors", numbers


def test_a_file_of_plain_floats(tmp_path: Path) -> None:
    source, numbers = _model(tmp_path / "in", quantization_config='{"quant_method": "compressed-tensors"}')
    report = expand_file(source, tmp_path / "out.safetensors")
    after = load_file(tmp_path / "out.safetensors")
    assert set(after) == {f"{LINEAR}.weight", "model.norm.weight", "position_ids"}
    assert torch.equal(after[f"{LINEAR}.weight"], numbers)
    assert after["model.norm.weight"].dtype is torch.float32
    with safe_open(tmp_path / "out.safetensors", "pt") as file:
        assert file.metadata() == {"format": "pt"}
    assert report["bytes_after"] == (tmp_path / "out.safetensors").stat().st_size
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "out.safetensors"]
    (first,) = report["files"]
    (second,) = expand_file(source, tmp_path / "again.safetensors")["files"]
    assert first["sha256"] == second["sha256"]


def test_a_folder_carries_what_belongs_to_the_model(tmp_path: Path) -> None:
    _, numbers = _model(tmp_path / "in")
    expand_file(tmp_path / "in", tmp_path / "out", dtype="float32")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "config.json",
        "model.safetensors",
        "tokenizer.json",
    ]
    config = json.loads((tmp_path / "out" / "config.json").read_text())
    assert config == {"model_type": "llama", "torch_dtype": "float32"}
    after = load_file(tmp_path / "out" / "model.safetensors")
    assert torch.equal(after[f"{LINEAR}.weight"], numbers.to(torch.float32))
    assert after["position_ids"].dtype is torch.int64


def test_shards_stay_shards(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    parts, numbers = _packed()
    shards: list[dict[str, Tensor]] = [
        {f"{LINEAR}.{name}": part for name, part in parts.items()},
        {"lm_head.weight": torch.ones(3, 4), "b": torch.zeros(2)},
    ]
    weight_map = {}
    for number, shard in enumerate(shards, 1):
        name = f"model-0000{number}-of-00002.safetensors"
        save_file(shard, folder / name)
        weight_map |= dict.fromkeys(shard, name)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))
    expand_file(folder, tmp_path / "out")
    index = json.loads((tmp_path / "out" / "model.safetensors.index.json").read_text())
    assert index["weight_map"] == {
        "b": "model-00002-of-00002.safetensors",
        "lm_head.weight": "model-00002-of-00002.safetensors",
        f"{LINEAR}.weight": "model-00001-of-00002.safetensors",
    }
    assert index["metadata"]["total_size"] == numbers.nbytes + 12 * 4 + 8
    first = load_file(tmp_path / "out" / "model-00001-of-00002.safetensors")
    assert torch.equal(first[f"{LINEAR}.weight"], numbers)
    report = expand_file(folder, tmp_path / "one.safetensors")
    assert len(report["files"]) == 1
    assert len(load_file(tmp_path / "one.safetensors")) == 3


def test_tied_weights_get_their_names_back(tmp_path: Path) -> None:
    tied = {"lm_head.weight": f"{LINEAR}.weight", "other": "model.norm.weight"}
    source, numbers = _model(tmp_path / "in", tied_tensors=json.dumps(tied))
    report = expand_file(source, tmp_path / "out.safetensors")
    after = load_file(tmp_path / "out.safetensors")
    assert torch.equal(after["lm_head.weight"], numbers)
    assert torch.equal(after["other"], after["model.norm.weight"])
    assert report["tied"] == tied
    compared = compare_files(tmp_path / "out.safetensors", source)
    assert compared["missing"] == []
    assert {row["sqnr_db"] for row in compared["tensors"]} == {"inf"}


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("[1]", "layout.tied-unreadable"),
        ("{", "layout.tied-unreadable"),
        ('{"a": 1}', "layout.tied-unreadable"),
        ('{"a": "nowhere"}', "layout.tied-unknown"),
        ('{"position_ids": "model.norm.weight"}', "layout.tied-twice"),
        ('{"a\\u0000": "model.norm.weight"}', "tensor.name-control"),
    ],
)
def test_ties_that_cannot_be(tmp_path: Path, written: str, code: str) -> None:
    source, _ = _model(tmp_path / "in", tied_tensors=written)
    with pytest.raises(AppError) as caught:
        expand_file(source, tmp_path / "out.safetensors")
    assert caught.value.code == code
    assert not (tmp_path / "out.safetensors").exists()


@pytest.mark.parametrize("scheme", ["int8", "bfloat16", "float16"])
def test_what_compress_wrote_comes_back(model: Path, tmp_path: Path, scheme: str) -> None:
    compressed, expanded = tmp_path / "small.safetensors", tmp_path / "back.safetensors"
    compress_file(model, compressed, CompressOptions(scheme=scheme))
    expand_file(compressed, expanded)
    assert set(load_file(expanded)) == set(load_file(model))
    rows = {row["name"]: row for row in compare_files(model, compressed)["tensors"]}
    for row in compare_files(model, expanded)["tensors"]:
        for key in ("sqnr_db", "mse", "max_abs_error", "cosine"):
            assert row[key] == rows[row["name"]][key]


def test_gguf(tmp_path: Path) -> None:
    import gguf

    values = np.random.default_rng(1).standard_normal((6, 512)).astype(np.float32)
    kinds = (gguf.GGMLQuantizationType.Q4_0, gguf.GGMLQuantizationType.Q8_0, gguf.GGMLQuantizationType.BF16)
    writer = gguf.GGUFWriter(tmp_path / "in.gguf", "llama")
    for kind in kinds:
        writer.add_tensor(kind.name, gguf.quants.quantize(values, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    expand_file(tmp_path / "in.gguf", tmp_path / "out.safetensors", dtype="float32")
    after = load_file(tmp_path / "out.safetensors")
    for kind in kinds:
        stored = gguf.quants.quantize(values, kind)
        assert np.array_equal(after[kind.name].numpy(), gguf.quants.dequantize(stored, kind))


def test_refusals_leave_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, _ = _model(tmp_path / "in")
    out = tmp_path / "out"
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "x").write_text("x")
    cases: list[tuple[Path, Path, dict[str, Any], str]] = [
        (source, out, {"dtype": "int8"}, "expand.dtype"),
        (source, source, {"force": True}, "output.is-source"),
        (source, tmp_path / "in", {"force": True}, "output.is-source"),
        (tmp_path / "in", tmp_path / "in" / "new.safetensors", {}, "output.is-source"),
        (source, tmp_path / "there", {}, "output.exists"),
        (source, tmp_path / "no" / "out", {}, "output.no-folder"),
        (source, tmp_path / "no" / "out.safetensors", {}, "output.no-folder"),
        (tmp_path / "none", out, {}, "file.unreadable"),
    ]
    for given, target, more, code in cases:
        before = sorted(tmp_path.rglob("*"))
        with pytest.raises(AppError) as caught:
            expand_file(given, target, **more)
        assert caught.value.code == code
        assert sorted(tmp_path.rglob("*")) == before

    def full(_self: PartFile) -> None:
        raise AppError("storage.full")

    before = sorted(tmp_path.rglob("*"))
    monkeypatch.setattr(PartFile, "sync", full)
    with pytest.raises(AppError, match=r"storage\.full"):
        expand_file(tmp_path / "in", out)
    assert sorted(tmp_path.rglob("*")) == before


def test_numbers_beyond_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_file({"w": torch.tensor([1e10, -1e10, 2.0])}, tmp_path / "in.safetensors")
    arguments = ["expand", str(tmp_path / "in.safetensors"), str(tmp_path / "out.safetensors")]
    assert main([*arguments, "--dtype", "float16"]) == 0
    assert "2 values became infinite" in capsys.readouterr().out
    assert main(arguments) == 1
    assert "out.safetensors" in capsys.readouterr().err
    assert main([*arguments, "--force", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["tensors"][0]["dtype"] == "float32"
    assert main([*arguments, "--dtype", "int4"]) == 1
    assert "float32" in capsys.readouterr().err


def test_codes_that_are_not_read_are_no_numbers(tmp_path: Path) -> None:
    source = tmp_path / "model.safetensors"
    tensors = {"a.codes": torch.zeros(4, 4, dtype=torch.uint8), "b.weight": torch.ones(2, 2)}
    save_file(tensors, source)
    assert len(expand_file(source, tmp_path / "plain.safetensors")["tensors"]) == 2
    (tmp_path / "config.json").write_text('{"quantization_config": {"quant_method": "aqlm"}}')
    with pytest.raises(AppError) as caught:
        expand_file(source, tmp_path / "out.safetensors")
    assert caught.value.code == "expand.unknown-codes"
    assert caught.value.figures == {"tensor": "a.codes", "method": "aqlm"}
    (tmp_path / "config.json").unlink()
    kind = json.dumps({"_type": "Int4TilePackedTo4dTensor", "_data": {}})
    parts = {"a._weight_qdata": torch.zeros(1, 1, 32, 4, dtype=torch.int32)}
    save_file(parts, source, metadata={"a.weight": kind, "tensor_names": '["a.weight"]'})
    with pytest.raises(AppError) as caught:
        expand_file(source, tmp_path / "out.safetensors")
    assert caught.value.figures["method"] == "torchao"
    del tensors["a.codes"]
    save_file(tensors, source)
    (tmp_path / "config.json").write_text('{"quantization_config": {"quant_method": "aqlm"}}')
    assert len(expand_file(source, tmp_path / "out.safetensors")["tensors"]) == 1

"""Whole model folders: shards, tied tensors, other files, the manifest; and transformers, which loads the result."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from app.errors import Conflict, InvalidInput
from app.layouts.weights import WeightReader, find_weights
from app.tasks.compress_file import compress_file, plan_only
from app.tasks.compress_options import CompressOptions
from app.weightfiles.range_reader import WeightFile

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning")
MIXED = ("*.v_proj.weight=int8:channel", "*.down_proj.weight=nvfp4", "*.gate_proj.weight=fp8")


def tiny_llama(dtype: torch.dtype) -> Any:
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=64, hidden_size=128, intermediate_size=256, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=64,
    )  # fmt: skip
    return LlamaForCausalLM(config).to(dtype)


def tiny_bert(dtype: torch.dtype) -> Any:
    from transformers import BertConfig, BertModel

    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=64, hidden_size=128, intermediate_size=256, num_hidden_layers=2, num_attention_heads=4
    )
    return BertModel(config).to(dtype)


def saved(model: Any, folder: Path, **more: Any) -> Path:
    model.save_pretrained(folder, **more)
    (folder / "tokenizer.json").write_text('{"model": 1}')
    (folder / "README.md").write_text("# A model")
    return folder


def decoded(folder: Path) -> dict[str, torch.Tensor]:
    with WeightFile(folder) as file:
        reader = WeightReader(file)
        return {
            weight.name: reader.elements(weight, 0, weight.elements).clone().view(weight.shape)
            for weight in find_weights(file)
        }


@pytest.mark.slow
@pytest.mark.parametrize("make", [tiny_llama, tiny_bert])
@pytest.mark.parametrize(
    ("scheme", "more"),
    [("int8", ()), ("int4:group=64", ()), ("int4:group=64", MIXED), ("fp8", ()), ("nvfp4", ()), ("mxfp4", ())],
)
def test_transformers_loads_it_and_has_our_numbers(make: Any, scheme: str, more: Any, tmp_path: Path) -> None:
    from transformers import AutoModel, AutoModelForCausalLM

    source = saved(make(torch.bfloat16), tmp_path / "source")
    report = compress_file(source, tmp_path / "small", CompressOptions(scheme=scheme, set=more))
    assert {row["scheme"] for row in report["tensors"]} > {scheme.split(":", maxsplit=1)[0]}
    ours = decoded(tmp_path / "small")
    loader = AutoModelForCausalLM if make is tiny_llama else AutoModel
    model = loader.from_pretrained(tmp_path / "small", dtype=torch.bfloat16, device_map="cpu")
    plain = make(torch.bfloat16)
    names = {name.removesuffix(".weight") for name in ours}
    plain.load_state_dict({name: values.to(torch.bfloat16) for name, values in ours.items()}, strict=False)
    assert names
    tokens = torch.arange(24).view(2, 12) % 60
    with torch.no_grad():
        theirs, mine = model(tokens), plain.eval()(tokens)
    theirs, mine = theirs[0].float(), mine[0].float()
    assert torch.isfinite(theirs).all()
    assert float((theirs - mine).norm() / mine.norm()) < 0.02


def test_shards_are_kept_or_set(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    generator = torch.Generator().manual_seed(1)
    tensors = {f"layers.{layer}.w.weight": torch.randn(256, 1024, generator=generator) for layer in range(6)}
    names = [f"model-0000{number}-of-00002.safetensors" for number in (1, 2)]
    places = {name: names[index // 3] for index, name in enumerate(tensors)}
    for file in names:
        save_file({name: values for name, values in tensors.items() if places[name] == file}, source / file)
    index = {"metadata": {}, "weight_map": places}
    (source / "model.safetensors.index.json").write_text(json.dumps(index))
    report = compress_file(source, tmp_path / "kept", CompressOptions(scheme="bfloat16"))
    assert [file["name"] for file in report["files"]] == names
    written = json.loads((tmp_path / "kept" / "model.safetensors.index.json").read_text())
    assert written["weight_map"] == places
    assert written["metadata"]["total_size"] == 6 * 256 * 1024 * 2
    smaller = compress_file(source, tmp_path / "set", CompressOptions(scheme="bfloat16", max_shard_size="1100000"))
    assert len(smaller["files"]) == 3
    one = compress_file(source, tmp_path / "one.safetensors", CompressOptions(scheme="bfloat16"))
    assert len(one["files"]) == 1
    for folder in ("kept", "set"):
        read = decoded(tmp_path / folder)
        assert all(torch.equal(read[name], values.to(torch.bfloat16)) for name, values in tensors.items())
    with pytest.raises(InvalidInput, match=r"output\.shards"):
        compress_file(source, tmp_path / "x.safetensors", CompressOptions(scheme="bfloat16", max_shard_size="2MB"))
    with pytest.raises(InvalidInput, match=r"output\.suffix"):
        compress_file(source, tmp_path / "x.gguf", CompressOptions(scheme="bfloat16", layout="safetensors"))


def test_tied_tensors_are_stored_once(tmp_path: Path) -> None:
    shared = torch.randn(64, 64, generator=torch.Generator().manual_seed(1))
    torch.save(
        {"embed.weight": shared, "lm_head.weight": shared, "a.weight": shared.t().contiguous()}, tmp_path / "m.pt"
    )
    out = tmp_path / "out.safetensors"
    report = compress_file(tmp_path / "m.pt", out, CompressOptions(scheme="float16", include=("*",)))
    assert report["tied"] == {"lm_head.weight": "embed.weight"}
    assert set(load_file(out)) == {"embed.weight", "a.weight"}
    with safe_open(out, "pt") as file:
        assert json.loads(file.metadata()["tied_tensors"]) == report["tied"]
    again = compress_file(out, tmp_path / "again.safetensors", CompressOptions(scheme="int8", include=("a*",)))
    with safe_open(tmp_path / "again.safetensors", "pt") as file:
        assert json.loads(file.metadata()["tied_tensors"]) == report["tied"]
    assert again["files"][0]["bytes"] == (tmp_path / "again.safetensors").stat().st_size


def test_the_other_files_and_the_manifest(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    save_file({"a.weight": torch.randn(32, 64)}, source / "model.safetensors", metadata={"format": "pt"})
    (source / "config.json").write_text('{"model_type": "x"}')
    (source / "tokenizer.json").write_bytes(b"\x00\xff")
    (source / "quantize_config.json").write_text("{}")
    options = CompressOptions(scheme="int8")
    reports = [compress_file(source, tmp_path / name, options) for name in ("first", "second")]
    assert reports[0] == reports[1]
    first, second = (
        {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("first", "second")
    )
    assert first == second
    assert set(first) == {"model.safetensors", "config.json", "tokenizer.json", "bitlens-manifest.json"}
    assert first["tokenizer.json"] == b"\x00\xff"
    assert json.loads(first["config.json"])["model_type"] == "x"
    manifest = json.loads(first["bitlens-manifest.json"])
    assert manifest["files"][0]["sha256"] == hashlib.sha256(first["model.safetensors"]).hexdigest()
    assert manifest["tensors"][0]["sqnr_db"] == reports[0]["tensors"][0]["sqnr_db"]
    assert CompressOptions.from_json(manifest["options"]) == options
    with pytest.raises(Conflict, match=r"output\.exists"):
        compress_file(source, tmp_path / "first", options)
    with pytest.raises(InvalidInput, match=r"output\.is-source"):
        compress_file(source, source / "small.safetensors", options)
    with pytest.raises(InvalidInput, match=r"output\.is-source"):
        compress_file(source / "model.safetensors", source, options, force=True)


def test_quantized_sources_are_dequantized_first(tmp_path: Path) -> None:
    values = torch.randn(64, 128, generator=torch.Generator().manual_seed(1))
    save_file({"a.weight": values, "embed.weight": values.clone()}, tmp_path / "x.safetensors")
    compress_file(tmp_path / "x.safetensors", tmp_path / "small", CompressOptions(scheme="int4", include=("*",)))
    expected = decoded(tmp_path / "small")
    options = CompressOptions(scheme="int8:channel")
    report = compress_file(tmp_path / "small", tmp_path / "again", options)
    rows = {row["name"]: row for row in report["tensors"]}
    assert rows["a.weight"]["source"].startswith("compressed-tensors int4")
    assert rows["embed.weight"]["reason"] == "embedding"
    assert torch.equal(load_file(tmp_path / "again" / "model.safetensors")["embed.weight"], expected["embed.weight"])
    config = json.loads((tmp_path / "again" / "config.json").read_text())["quantization_config"]
    assert config["config_groups"]["group_0"]["weights"]["num_bits"] == 8
    plain = compress_file(tmp_path / "small", tmp_path / "plain", CompressOptions(scheme="bfloat16", include=("*",)))
    assert not any(row["kept"] for row in plain["tensors"])
    assert "quantization_config" not in json.loads((tmp_path / "plain" / "config.json").read_text())


def test_a_plan_says_what_would_be_done_and_does_nothing(tmp_path: Path) -> None:
    tensors = {"a.weight": torch.randn(32, 128), "b.weight": torch.randn(32, 100), "norm.weight": torch.ones(8)}
    save_file(tensors, tmp_path / "x.safetensors")
    options = CompressOptions(scheme="int4", set=("zz*=int8",))
    plan = plan_only(tmp_path / "x.safetensors", tmp_path / "out", options)
    assert [path.name for path in tmp_path.iterdir()] == ["x.safetensors"]
    rows = {row["name"]: row for row in plan["tensors"]}
    assert (rows["b.weight"]["reason"], rows["b.weight"]["reason_figures"]) == (
        "row-length", {"columns": 100, "size": 128},
    )  # fmt: skip
    report = compress_file(tmp_path / "x.safetensors", tmp_path / "out", options)
    done = {row["name"]: row for row in report["tensors"]}
    assert all(done[name][key] == value for name, row in rows.items() for key, value in row.items())
    assert report["bytes_after"] == plan["bytes_after"]


MARKED = """
import sys, torch
marker = bytes.fromhex("c0ffee5eed") * 13
# Memory that was used and given back, full of the marker, for every allocator to hand out again.
blocks = [torch.frombuffer(bytearray(marker * (size // len(marker) + 1)), dtype=torch.uint8).clone()
          for size in (100, 5_000, 70_000, 1 << 20, 1 << 23, 1 << 25) for _ in range(20 if size < 1 << 22 else 2)]
more = [bytearray(marker * 2_000) for _ in range(200)]
del blocks, more
from app.tasks.compress_file import compress_file
from app.tasks.compress_options import CompressOptions
for number, scheme in enumerate(sys.argv[2:]):
    compress_file(sys.argv[1], f"{sys.argv[1]}.{number}", CompressOptions(scheme=scheme))
"""
SCHEMES = ("int3:channel", "int4:asymmetric", "fp8:block=128x128", "nvfp4", "mxfp6", "float16", "int8:tensor")


def test_memory_of_before_is_never_written(tmp_path: Path) -> None:
    source = tmp_path / "x"
    tensors = {"a.weight": torch.zeros(67, 1283), "b.weight": torch.zeros(300, 1280), "c.bias": torch.zeros(7)}
    save_file(tensors, tmp_path / "x.safetensors")
    source = tmp_path / "x.safetensors"
    subprocess.run([sys.executable, "-c", MARKED, source, *SCHEMES], check=True, timeout=120)
    marker = bytes.fromhex("c0ffee5eed")
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) > 2 * len(SCHEMES)
    for path in written:
        assert marker not in path.read_bytes(), path.name

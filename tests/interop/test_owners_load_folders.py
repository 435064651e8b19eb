"""Folders written by `compress` load in transformers with their layouts' owners, who read the numbers that we read."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from app.errors import WeightFileError
from app.tasks.compress_file import compress_file
from app.tasks.compress_options import CompressOptions
from app.tasks.expand_file import expand_file
from tests.interop.quantized_models import assert_same_numbers, load, make, our_numbers, relative, says

pytestmark = pytest.mark.filterwarnings("ignore")  # of what transformers, torchao and bitsandbytes import
CASTS = {"float16": 0.01, "float8_e4m3fn": 0.1}
COMPRESSED_TENSORS = {
    "int4": 0.25,
    "int4:group=32": 0.25,
    "int8": 0.03,
    "fp8": 0.1,
    "fp8:tensor": 0.1,
    "nvfp4": 0.25,
    "mxfp4": 0.3,
}
BITSANDBYTES = {"nf4": 0.25, "nf4:double-quant": 0.25, "fp4": 0.35, "int8": 0.05}
TORCHAO = {
    "int8": 0.03,
    "int8:group=32": 0.03,
    "int8:tensor": 0.06,
    "fp8": 0.1,
    "fp8:block=128x128": 0.1,
    "mxfp8": 0.15,
    "mxfp4": 0.45,
}
"""Schemes, and by how much outputs may differ from the original's, relative; random weights suffer most."""


def compressed(source: Path, scheme: str, layout: str | None) -> Path:
    out = source.with_name(f"{source.name}-small")
    report = compress_file(source, out, CompressOptions(scheme=scheme, layout=layout))
    assert any(row["scheme"] for row in report["tensors"])
    return out


@pytest.mark.parametrize("kind", ["llama", "tied", "bert", "mixtral", "gpt2"])
@pytest.mark.parametrize("scheme", CASTS)
def test_casts(kind: str, scheme: str, tmp_path: Path) -> None:
    model = make(kind, tmp_path / kind)
    out = compressed(tmp_path / kind, scheme, None)
    found = load(model, out)
    assert_same_numbers(found, out, least=10)
    assert relative(says(found), says(model)) < CASTS[scheme]


@pytest.mark.parametrize("kind", ["llama", "tied", "bert", "mixtral"])
@pytest.mark.parametrize("scheme", COMPRESSED_TENSORS)
def test_compressed_tensors(kind: str, scheme: str, tmp_path: Path) -> None:
    if (kind, scheme) == ("mixtral", "nvfp4"):
        pytest.skip("transformers loses the global scales of experts that it merges")
    model = make(kind, tmp_path / kind)
    out = compressed(tmp_path / kind, scheme, "compressed-tensors")
    found = load(model, out)
    assert relative(says(found), says(model)) < COMPRESSED_TENSORS[scheme]
    # Expanded by us, it says the same to the last bit.
    expand_file(out, tmp_path / "plain", dtype="bfloat16")
    assert torch.equal(says(load(model, tmp_path / "plain")), says(found))


@pytest.mark.parametrize("kind", ["llama", "tied", "bert", "mixtral"])
@pytest.mark.parametrize("scheme", BITSANDBYTES)
def test_bitsandbytes(kind: str, scheme: str, tmp_path: Path) -> None:
    model = make(kind, tmp_path / kind)
    out = compressed(tmp_path / kind, scheme, "bitsandbytes")
    found = load(model, out)
    assert_same_numbers(found, out, least=15)
    assert relative(says(found), says(model)) < BITSANDBYTES[scheme]


@pytest.mark.parametrize("kind", ["llama", "tied", "bert", "mixtral"])
@pytest.mark.parametrize("scheme", TORCHAO)
def test_torchao(kind: str, scheme: str, tmp_path: Path) -> None:
    model = make(kind, tmp_path / kind)
    out = compressed(tmp_path / kind, scheme, "torchao")
    found = load(model, out)
    assert_same_numbers(found, out, least=15)
    if kind == "bert" and scheme.startswith("mx"):
        return  # torchao rounds to MX no inputs that are not contiguous, as BERT's pooler has them
    assert relative(says(found), says(model)) < TORCHAO[scheme]


@pytest.mark.parametrize("layout", ["compressed-tensors", "bitsandbytes", "torchao", "gptq"])
def test_layers_that_loaders_would_miss_are_refused(layout: str, tmp_path: Path) -> None:
    make("gpt2", tmp_path / "gpt2")
    options = CompressOptions(scheme="int4" if layout == "gptq" else "int8", layout=layout)
    with pytest.raises(WeightFileError) as caught:
        compress_file(tmp_path / "gpt2", tmp_path / "out", options)
    assert caught.value.code == "compress.turned"
    assert not list(tmp_path.glob("out*"))


@pytest.mark.parametrize(("scheme", "layout"), [("int4", None), ("nf4", None), ("int8", "torchao"), ("float16", None)])
def test_shards(scheme: str, layout: str | None, tmp_path: Path) -> None:
    model = make("llama", tmp_path / "llama", max_shard_size="300KB")
    assert len(list((tmp_path / "llama").glob("*.safetensors"))) > 2
    out = compressed(tmp_path / "llama", scheme, layout)
    assert len(list(out.glob("*.safetensors"))) > 2
    made: Any = make("llama", tmp_path / "whole")
    whole = compressed(tmp_path / "whole", scheme, layout)
    sharded, single = our_numbers(out), our_numbers(whole)
    assert sharded.keys() == single.keys()
    assert all(torch.equal(values, single[name]) for name, values in sharded.items())
    assert torch.equal(says(load(model, out)), says(load(made, whole)))


@pytest.mark.parametrize("scheme", ["affine4", "affine4:group=32", "affine8", "mxfp4", "mxfp8"])
@pytest.mark.parametrize("kind", ["llama", "bert"])
def test_mlx(kind: str, scheme: str, tmp_path: Path) -> None:
    import mlx.core as mx
    import numpy as np

    make(kind, tmp_path / kind)
    out = compressed(tmp_path / kind, scheme, "mlx")
    told = json.loads((out / "config.json").read_text())["quantization"]
    arrays = mx.load(str(out / "model.safetensors"))
    compared = 0
    for name, ours in our_numbers(out).items():
        module = name.removesuffix(".weight")
        theirs = arrays[name]
        if f"{module}.scales" in arrays:
            settings = {key: told[key] for key in ("group_size", "bits", "mode")}
            theirs = mx.dequantize(theirs, arrays[f"{module}.scales"], arrays.get(f"{module}.biases"), **settings)
            compared += 1
        values = torch.from_numpy(np.array(theirs.astype(mx.float32)))
        assert torch.equal(values.to(torch.bfloat16), ours.to(torch.bfloat16)), name
    assert compared > 10

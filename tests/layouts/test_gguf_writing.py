"""GGUF files that are written: as their owner's library reads them, and as they were made."""

import json
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
import torch
from gguf.quants import dequantize
from safetensors.torch import save_file

from app.errors import WeightFileError
from app.layouts.gguf_original import original_weights
from app.layouts.weights import WeightReader, find_weights
from app.weightfiles.range_reader import WeightFile
from tests.layouts.gguf_files import write_gguf

BLOCKS = [
    *("q8_0", "q4_0", "q4_1", "q5_0", "q5_1", "q2_k", "q3_k", "q4_k", "q5_k", "q6_k"),
    *("iq4_nl", "iq4_xs", "tq1_0", "tq2_0", "gguf_mxfp4", "gguf_nvfp4", "float16", "bfloat16"),
]
HEADS, KEY_HEADS, HEAD, HIDDEN = 4, 2, 16, 64
LLAMA = {
    "model_type": "llama",
    "architectures": ["LlamaForCausalLM"],
    "hidden_act": "silu",
    "hidden_size": HIDDEN,
    "intermediate_size": 96,
    "num_hidden_layers": 1,
    "num_attention_heads": HEADS,
    "num_key_value_heads": KEY_HEADS,
    "max_position_embeddings": 128,
    "rms_norm_eps": 1e-5,
    "vocab_size": 40,
    "_name_or_path": "/home/somebody/models/Tiny-Llama",
}


def random(*shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape))).to(dtype)


def llama_tensors(dtype: torch.dtype = torch.float32) -> dict[str, torch.Tensor]:
    layer = "model.layers.0"
    return {
        "model.embed_tokens.weight": random(40, HIDDEN, dtype=dtype),
        "model.norm.weight": random(HIDDEN, dtype=dtype),
        "lm_head.weight": random(40, HIDDEN, dtype=dtype),
        f"{layer}.input_layernorm.weight": random(HIDDEN, dtype=dtype),
        f"{layer}.post_attention_layernorm.weight": random(HIDDEN, dtype=dtype),
        f"{layer}.self_attn.q_proj.weight": random(HEADS * HEAD, HIDDEN, dtype=dtype),
        f"{layer}.self_attn.q_proj.bias": random(HEADS * HEAD, dtype=dtype),
        f"{layer}.self_attn.k_proj.weight": random(KEY_HEADS * HEAD, HIDDEN, dtype=dtype),
        f"{layer}.self_attn.v_proj.weight": random(KEY_HEADS * HEAD, HIDDEN, dtype=dtype),
        f"{layer}.self_attn.o_proj.weight": random(HIDDEN, HEADS * HEAD, dtype=dtype),
        f"{layer}.mlp.gate_proj.weight": random(96, HIDDEN, dtype=dtype),
        f"{layer}.mlp.up_proj.weight": random(96, HIDDEN, dtype=dtype),
        f"{layer}.mlp.down_proj.weight": random(HIDDEN, 96, dtype=dtype),
    }


def folder_of(folder: Path, tensors: dict[str, torch.Tensor], config: dict[str, Any] | None = None) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    save_file(tensors, folder / "model.safetensors")
    if config is not None:
        (folder / "config.json").write_text(json.dumps(config))
    return folder


def read_by_owner(path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Metadata and numbers."""
    reader = gguf.GGUFReader(path)
    fields = {name: field.contents() for name, field in reader.fields.items() if not name.startswith("GGUF.")}
    tensors = {each.name: dequantize(each.data, each.tensor_type) for each in reader.tensors}
    shapes = {each.name: tuple(map(int, reversed(each.shape))) for each in reader.tensors}
    return fields, {name: np.asarray(found).reshape(shapes[name]) for name, found in tensors.items()}


def read_by_us(path: Path, *, original: bool = False) -> dict[str, torch.Tensor]:
    with WeightFile(path) as file:
        reader = WeightReader(file)
        weights = find_weights(file)
        return {
            weight.name: torch.cat([chunk.clone() for _, chunk in reader.chunks(weight)]).view(weight.shape)
            for weight in (original_weights(file.header, weights) if original else weights)
        }


@pytest.mark.parametrize("scheme", BLOCKS)
def test_the_owner_reads_the_numbers_that_we_read(scheme: str, tmp_path: Path) -> None:
    source = folder_of(
        tmp_path / "model", {"a.weight": random(6, 512), "b.weight": random(3, 256, dtype=torch.bfloat16)}
    )
    made = write_gguf(source, tmp_path / "out.gguf", scheme)
    assert made.obstacles == {}
    _, theirs = read_by_owner(made.path)
    ours = read_by_us(made.path)
    for name in ("a.weight", "b.weight"):
        scale = theirs[f"{name.removesuffix('.weight')}.scale"] if scheme == "gguf_nvfp4" else 1
        assert np.array_equal(theirs[name].astype(np.float32) * scale, ours[name].float().numpy())
        assert float((ours[name].float() - read_by_us(source)[name].float()).square().mean()) < 0.3


@pytest.mark.parametrize("scheme", [None, "q8_0", "gguf_nvfp4", "float16"])
def test_bands_of_any_size_give_the_same_bytes(scheme: str | None, tmp_path: Path) -> None:
    source = folder_of(tmp_path / "model", llama_tensors(), LLAMA)
    made = [
        write_gguf(source, tmp_path / f"{size}.gguf", scheme, band_elements=size).path.read_bytes()
        for size in (1, 2048, 1 << 21)
    ]
    assert made[0] == made[1] == made[2]


def test_a_llama_has_llama_cpps_names_metadata_and_order_of_rows(tmp_path: Path) -> None:
    tensors = llama_tensors(torch.bfloat16)
    made = write_gguf(folder_of(tmp_path / "model", tensors, LLAMA), tmp_path / "out.gguf")
    assert made.description.remarks == ("remark.gguf-no-tokenizer",)
    fields, found = read_by_owner(made.path)
    assert fields["general.architecture"] == "llama"
    assert fields["general.name"] == "Tiny-Llama"
    assert fields["general.file_type"] == gguf.LlamaFileType.MOSTLY_BF16
    assert fields["general.quantization_version"] == gguf.GGML_QUANT_VERSION
    assert fields["llama.attention.head_count_kv"] == KEY_HEADS
    assert fields["llama.rope.dimension_count"] == HEAD
    map_ = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, 1)
    expected = {map_.get_name(name, (".weight", ".bias")): value.float() for name, value in tensors.items()}
    assert found.keys() == expected.keys()
    for name, heads in (
        ("blk.0.attn_q.weight", HEADS),
        ("blk.0.attn_q.bias", HEADS),
        ("blk.0.attn_k.weight", KEY_HEADS),
    ):
        value = expected[name]
        # As llama.cpp's converter has it.
        expected[name] = value.reshape(heads, 2, HEAD // 2, *value.shape[1:]).swapaxes(1, 2).reshape(value.shape)
    for name, value in expected.items():
        assert np.array_equal(found[name], value.numpy()), name
    types = {each.name: each.tensor_type.name for each in gguf.GGUFReader(made.path).tensors}
    assert {types[name] for name, value in expected.items() if value.dim() == 1} == {"F32"}
    assert {types[name] for name, value in expected.items() if value.dim() == 2} == {"BF16"}


@pytest.mark.parametrize("scheme", [None, "q8_0"])
def test_the_original_is_found_again_by_name(scheme: str | None, tmp_path: Path) -> None:
    tensors = llama_tensors()
    made = write_gguf(folder_of(tmp_path / "model", tensors, LLAMA), tmp_path / "out.gguf", scheme)
    found = read_by_us(made.path, original=True)
    assert found.keys() == tensors.keys()
    for name, value in tensors.items():
        assert torch.allclose(found[name], value, atol=0 if scheme is None else 0.03), name


def test_rows_that_blocks_do_not_divide_and_vectors_are_kept_for_a_reason(tmp_path: Path) -> None:
    tensors = {"a.weight": random(4, 48), "b.weight": random(4, 256), "c": random(256, dtype=torch.float16)}
    source = folder_of(tmp_path / "model", tensors)
    made = write_gguf(source, tmp_path / "out.gguf", "q4_k", include=("*",))
    assert {name: (each.reason, dict(each.figures)) for name, each in made.obstacles.items()} == {
        "a.weight": ("row-length", {"columns": 48, "size": 256})
    }
    types = {each.name: each.tensor_type.name for each in gguf.GGUFReader(made.path).tensors}
    assert types == {"a.weight": "F32", "b.weight": "Q4_K", "c": "F32"}
    assert made.description.remarks == ("remark.gguf-no-config",)


def test_types_that_gguf_does_not_have_become_wider_ones_with_the_same_numbers(tmp_path: Path) -> None:
    tensors = {
        "e4m3": random(4, 32).to(torch.float8_e4m3fn),
        "e5m2": random(4, 32).to(torch.float8_e5m2),
        "bytes": torch.arange(64, dtype=torch.uint8).view(2, 32),
        "truths": torch.tensor([[True, False], [False, True]]),
        "words": torch.arange(4, dtype=torch.int32),
        "double": random(2, 32, dtype=torch.float64),
    }
    source = folder_of(tmp_path / "model", tensors)
    made = write_gguf(source, tmp_path / "out.gguf")
    types = {each.name: each.tensor_type.name for each in gguf.GGUFReader(made.path).tensors}
    assert types == {"e4m3": "F16", "e5m2": "F16", "bytes": "I16", "truths": "I8", "words": "I32", "double": "F64"}
    for name, value in read_by_us(made.path).items():
        assert torch.equal(value.double(), tensors[name].double()), name


def test_experts_are_one_tensor_and_need_one_scheme(tmp_path: Path) -> None:
    layer, tensors = "model.layers.0", llama_tensors()
    for part in ("gate", "up", "down"):
        del tensors[f"{layer}.mlp.{part}_proj.weight"]
    moe = f"{layer}.block_sparse_moe"
    tensors[f"{moe}.gate.weight"] = random(3, HIDDEN)
    for expert in range(3):
        for part, shape in (("w1", (96, HIDDEN)), ("w2", (HIDDEN, 96)), ("w3", (96, HIDDEN))):
            tensors[f"{moe}.experts.{expert}.{part}.weight"] = random(*shape) + expert
    config = {**LLAMA, "model_type": "mixtral", "num_local_experts": 3, "num_experts_per_tok": 2}
    source = folder_of(tmp_path / "model", tensors, config)
    made = write_gguf(source, tmp_path / "out.gguf", "q8_0")
    types = {each.name: each.tensor_type.name for each in gguf.GGUFReader(made.path).tensors}
    assert (types["blk.0.ffn_gate_inp.weight"], types["blk.0.ffn_up_exps.weight"]) == ("F32", "Q8_0")
    _, found = read_by_owner(made.path)
    for part, name in (("w1", "gate"), ("w2", "down"), ("w3", "up")):
        wanted = np.stack([tensors[f"{moe}.experts.{expert}.{part}.weight"].numpy() for expert in range(3)])
        assert np.allclose(found[f"blk.0.ffn_{name}_exps.weight"], wanted, atol=0.05)
    assert read_by_us(made.path, original=True).keys() == tensors.keys()
    with pytest.raises(WeightFileError) as caught:
        write_gguf(source, tmp_path / "out.gguf", "q8_0", others={"*experts.1.*": "q4_0"})
    assert caught.value.code == "gguf.experts-differ"
    del tensors[f"{moe}.experts.2.w3.weight"]
    folder_of(tmp_path / "model", tensors, config)
    assert write_gguf(source, tmp_path / "out.gguf").description.remarks == ("remark.gguf-missing",)


@pytest.mark.parametrize(
    ("change", "remark"),
    [
        ({"model_type": "gpt2"}, "unknown-model"),
        ({"architectures": ["LlamaForSequenceClassification"]}, "unknown-model"),
        ({"hidden_act": "gelu"}, "other-setting"),
        ({"rope_scaling": {"rope_type": "longrope", "factor": 2.0}}, "other-setting"),
        ({"num_attention_heads": 3}, "bad-config"),
        ({"hidden_size": "64"}, "bad-config"),
        ({"rms_norm_eps": -1}, "bad-config"),
        ({"vocab_size": 1 << 80}, "bad-config"),
        ({"num_hidden_layers": 2}, "missing"),
    ],
)
def test_a_model_that_llama_cpp_does_not_run_keeps_its_names(
    change: dict[str, Any], remark: str, tmp_path: Path
) -> None:
    tensors = llama_tensors()
    source = folder_of(tmp_path / "model", tensors, {**LLAMA, **change})
    made = write_gguf(source, tmp_path / "out.gguf", "q8_0")
    assert made.description.remarks == (f"remark.gguf-{remark}",)
    fields, found = read_by_owner(made.path)
    assert fields["general.architecture"] == "unknown"
    assert found.keys() == tensors.keys()
    with WeightFile(made.path) as file:
        assert original_weights(file.header, find_weights(file)) == find_weights(file)


def test_a_tensor_without_a_place_keeps_all_names(tmp_path: Path) -> None:
    tensors = {**llama_tensors(), "model.layers.0.adapter.weight": random(4, HIDDEN)}
    made = write_gguf(folder_of(tmp_path / "model", tensors, LLAMA), tmp_path / "out.gguf")
    assert made.description.remarks == ("remark.gguf-unplaced",)
    assert read_by_owner(made.path)[1].keys() == tensors.keys()


def test_a_head_stands_for_embeddings_that_share_its_memory(tmp_path: Path) -> None:
    tensors = llama_tensors()
    del tensors["model.embed_tokens.weight"]
    made = write_gguf(folder_of(tmp_path / "model", tensors, LLAMA), tmp_path / "out.gguf")
    names = read_by_owner(made.path)[1].keys()
    assert "token_embd.weight" in names
    assert "output.weight" not in names


def test_more_dimensions_than_gguf_holds_are_refused(tmp_path: Path) -> None:
    source = folder_of(tmp_path / "model", {"conv": random(1, 2, 1, 2, 8)})
    with pytest.raises(WeightFileError) as caught:
        write_gguf(source, tmp_path / "out.gguf")
    assert caught.value.code == "gguf.rank-to-write"


def test_llama_3_turns_positions_as_transformers_does(tmp_path: Path) -> None:
    from app.layouts.gguf_positions import llama3_factors

    said = {"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}
    frequencies = 1 / 500000.0 ** (torch.arange(0, 128, 2, dtype=torch.float64) / 128)
    waves = 2 * torch.pi / frequencies
    # Llama 3.1's reference, in the words of its paper's code.
    smooth = (8192 / waves - 1.0) / (4.0 - 1.0)
    mixed = (1 - smooth) * frequencies / 8 + smooth * frequencies
    wanted = torch.where(waves > 8192, frequencies / 8, torch.where(waves < 2048, frequencies, mixed))
    found = torch.tensor(llama3_factors(said, 500000.0, 128), dtype=torch.float64)
    assert torch.allclose(frequencies / found, wanted, rtol=1e-12)
    config = {**LLAMA, "rope_scaling": {"rope_type": "llama3", **said}}
    made = write_gguf(folder_of(tmp_path / "model", llama_tensors(), config), tmp_path / "out.gguf")
    assert read_by_owner(made.path)[1]["rope_freqs.weight"].shape == (HEAD // 2,)

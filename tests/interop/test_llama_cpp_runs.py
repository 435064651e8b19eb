"""llama.cpp runs the GGUF files that are made of Hugging Face folders: its logits are the model's."""

from pathlib import Path

import numpy as np
import pytest
import torch

from app.tasks.compare_files import compare_files
from app.tasks.compress_file import compress_file
from app.tasks.compress_options import CompressOptions
from tests.interop.llama_cpp import LlamaCpp
from tests.interop.models_made import MODELS, make_model, save_tokenizer
from tests.interop.tokenizers_made import byte_level
from tests.layouts.gguf_files import write_gguf

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of what transformers imports
TOKENS = [3, 5, 77, 210, 400, 9, 8, 7, 100, 333, 333, 4, 501, 6, 250, 12]
BLOCKS = {
    "q8_0": 0.05,
    "q6_k": 0.1,
    "q5_k": 0.2,
    "q5_1": 0.2,
    "q4_k": 0.4,
    "q4_0": 0.4,
    "iq4_xs": 0.4,
    "iq4_nl": 0.4,
    "gguf_mxfp4": 0.6,
    "q3_k": 0.7,
    "q2_k": 1.0,
    "gguf_nvfp4": 0.6,
    "tq1_0": 2.0,
    "tq2_0": 2.0,
}
"""By how much logits may differ from the original model's, relative; random weights suffer most."""


@pytest.fixture(scope="module")
def llama_cpp() -> LlamaCpp:
    return LlamaCpp()


def relative(found: np.ndarray, wanted: np.ndarray) -> float:
    return float(np.linalg.norm(found - wanted) / np.linalg.norm(wanted))


def wanted_logits(model: torch.nn.Module) -> np.ndarray:
    with torch.no_grad():
        return model(torch.tensor([TOKENS])).logits[0].float().numpy()


@pytest.mark.parametrize("kind", MODELS)
def test_logits_are_those_of_the_model(kind: str, llama_cpp: LlamaCpp, tmp_path: Path) -> None:
    model = make_model(kind, tmp_path / "model")
    save_tokenizer(byte_level("llama-bpe"), tmp_path / "model")
    made = write_gguf(tmp_path / "model", tmp_path / "model.gguf")
    assert made.description.remarks == ()
    with llama_cpp.open(made.path) as opened:
        found = opened.logits(TOKENS)
    assert relative(found, wanted_logits(model)) < 4e-3


@pytest.mark.parametrize("scheme", ["float16", "bfloat16", *BLOCKS])
def test_a_quantized_model_computes_with_the_numbers_that_we_decode(
    scheme: str, llama_cpp: LlamaCpp, tmp_path: Path
) -> None:
    model = make_model("llama", tmp_path / "model")
    original = wanted_logits(model)
    made = write_gguf(tmp_path / "model", tmp_path / "model.gguf", scheme)
    assert made.obstacles == {}
    with llama_cpp.open(made.path) as opened:
        found = opened.logits(TOKENS)
    read_back_into(model, made.path)
    # llama.cpp rounds what it multiplies by to eight bits.
    assert relative(found, wanted_logits(model)) < (0.01 if "float" in scheme else 0.05)
    assert relative(found, original) < BLOCKS.get(scheme, 0.02)


def read_back_into(model: torch.nn.Module, path: Path) -> None:
    """Our own reading of the file, under the model's names."""
    from app.layouts.gguf_original import original_weights
    from app.layouts.weights import WeightReader, find_weights
    from app.weightfiles.range_reader import WeightFile

    with WeightFile(path) as file:
        reader = WeightReader(file)
        found = {
            weight.name: torch.cat([chunk.float().clone() for _, chunk in reader.chunks(weight)]).view(weight.shape)
            for weight in original_weights(file.header, find_weights(file))
        }
    model.load_state_dict(found)


def test_bfloat16_and_a_set_of_schemes_for_different_layers(llama_cpp: LlamaCpp, tmp_path: Path) -> None:
    model = make_model("mixtral", tmp_path / "model", torch.bfloat16)
    others = {"*.layers.0.*experts*": "q8_0", "*self_attn*": "q6_k"}
    made = write_gguf(
        tmp_path / "model", tmp_path / "model.gguf", "q8_0", others=others, include=("*embed*", "lm_head*")
    )
    with llama_cpp.open(made.path) as opened:
        found = opened.logits(TOKENS)
    assert relative(found, wanted_logits(model.float())) < 0.12


@pytest.mark.parametrize(("scheme", "most"), [("int8", 0.06), ("nf4", 0.5)])
def test_a_quantized_folder_goes_on_to_gguf(scheme: str, most: float, llama_cpp: LlamaCpp, tmp_path: Path) -> None:
    model = make_model("llama", tmp_path / "model", torch.bfloat16)
    save_tokenizer(byte_level("llama-bpe"), tmp_path / "model")
    compress_file(tmp_path / "model", tmp_path / "quantized", CompressOptions(scheme=scheme))
    out = tmp_path / "out.gguf"
    report = compress_file(tmp_path / "quantized", out, CompressOptions(scheme="q8_0", layout="gguf"))
    assert report["remarks"] == []
    with llama_cpp.open(out) as opened:
        found = opened.logits(TOKENS)
    assert relative(found, wanted_logits(model.float())) < most
    compared = compare_files(tmp_path / "quantized", out)
    assert (compared["missing"], compared["unexpected"]) == ([], [])
    assert min(float(row["sqnr_db"]) for row in compared["tensors"]) > 40


def test_a_gguf_file_quantized_again_runs_with_its_own_metadata(llama_cpp: LlamaCpp, tmp_path: Path) -> None:
    model = make_model("qwen3", tmp_path / "model")
    save_tokenizer(byte_level("qwen2"), tmp_path / "model")
    first = write_gguf(tmp_path / "model", tmp_path / "first.gguf", "float16").path
    again = write_gguf(first, tmp_path / "again.gguf", "q8_0", include=("token_embd*", "output.weight")).path
    with llama_cpp.open(again) as opened:
        found = opened.logits(TOKENS)
        tokens = opened.tokens("Text, cut as before.")
    assert relative(found, wanted_logits(model)) < 0.05
    with llama_cpp.open(first) as opened:
        assert opened.tokens("Text, cut as before.") == tokens

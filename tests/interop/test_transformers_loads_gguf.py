"""transformers reads the GGUF files that are made of its models: the same weights, to the last bit.

It takes Llama without biases and Qwen3 with heads of 128 numbers only, so those are left to llama.cpp.
"""

from pathlib import Path

import pytest
import torch
import transformers

from tests.interop.models_made import make_model, save_tokenizer
from tests.interop.tokenizers_made import byte_level
from tests.layouts.gguf_files import write_gguf
from tests.layouts.test_gguf_writing import read_by_us

pytestmark = pytest.mark.filterwarnings("ignore")  # of what transformers imports


@pytest.mark.parametrize("kind", ["qwen2", "mistral"])
@pytest.mark.parametrize("scheme", [None, "q4_k"])
def test_weights_are_those_that_we_decode(kind: str, scheme: str | None, tmp_path: Path) -> None:
    original = make_model(kind, tmp_path / "model")
    save_tokenizer(byte_level("llama-bpe"), tmp_path / "model")
    made = write_gguf(tmp_path / "model", tmp_path / "made.gguf", scheme)
    loaded = transformers.AutoModelForCausalLM.from_pretrained(
        tmp_path, gguf_file=made.path.name, dtype=torch.float32
    ).state_dict()
    wanted = original.state_dict() if scheme is None else read_by_us(made.path, original=True)
    assert loaded.keys() == original.state_dict().keys()
    for name, value in loaded.items():
        assert torch.equal(value, wanted[name].float()), name

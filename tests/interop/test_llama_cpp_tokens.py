"""llama.cpp cuts text into the same tokens as the model's own tokenizer, whose file went into the GGUF file."""

import json
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from tests.interop.llama_cpp import LlamaCpp, LlamaModel
from tests.interop.models_made import make_model, save_tokenizer
from tests.interop.tokenizers_made import KINDS, TEXTS, byte_level, sentence_piece
from tests.layouts.gguf_files import write_gguf

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of what transformers imports


@pytest.fixture(scope="module")
def llama_cpp() -> LlamaCpp:
    return LlamaCpp()


@pytest.fixture(scope="module")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tokens") / "model"
    make_model("llama", folder)
    return folder


def check_tokens(opened: LlamaModel, tokenizer: Tokenizer, texts: tuple[str, ...] = TEXTS) -> None:
    for text in texts:
        assert opened.tokens(text, parse_special=True) == tokenizer.encode(text).ids, text


@pytest.mark.parametrize("kind", KINDS)
def test_byte_level_tokenizers(kind: str, llama_cpp: LlamaCpp, model_folder: Path) -> None:
    tokenizer = byte_level(kind)
    save_tokenizer(tokenizer, model_folder)
    made = write_gguf(model_folder, model_folder.parent / "model.gguf")
    assert made.description.remarks == ()
    with llama_cpp.open(made.path) as opened:
        check_tokens(opened, tokenizer)


def test_merges_as_pairs_are_those_as_text(llama_cpp: LlamaCpp, model_folder: Path) -> None:
    tokenizer = byte_level("gpt-2")
    document = json.loads(tokenizer.to_str())
    save_tokenizer(tokenizer, model_folder)
    document["model"]["merges"] = [" ".join(pair) for pair in document["model"]["merges"]]
    (model_folder / "tokenizer.json").write_text(json.dumps(document))
    made = write_gguf(model_folder, model_folder.parent / "model.gguf")
    with llama_cpp.open(made.path) as opened:
        check_tokens(opened, tokenizer)


@pytest.mark.parametrize("prepend", ["normalizer", "first", "always", "never"])
def test_tokenizers_with_bytes_to_fall_back_on(prepend: str, llama_cpp: LlamaCpp, model_folder: Path) -> None:
    tokenizer = sentence_piece(prepend=prepend)
    save_tokenizer(tokenizer, model_folder)
    made = write_gguf(model_folder, model_folder.parent / "model.gguf")
    assert made.description.remarks == ()
    with llama_cpp.open(made.path) as opened:
        # Newer files begin a text with a space unless it has one already; llama.cpp always does, like SentencePiece.
        texts = TEXTS if prepend in {"normalizer", "never"} else tuple(text for text in TEXTS if text[0] != " ")
        check_tokens(opened, tokenizer, texts)

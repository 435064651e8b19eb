"""Tokenizers and configs as GGUF has them: by the owner's rules, and whatever a stranger's files hold."""

import json
from pathlib import Path
from typing import Any

import gguf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.layouts.companion_json import MAX_CONTAINERS, parse_bounded
from app.layouts.gguf_model_metadata import describe_model, pooling_of
from app.layouts.gguf_pre_tokenizers import pre_tokenizer_name
from app.layouts.gguf_settings import UnsupportedModel
from app.layouts.gguf_special_tokens import chat_template_pairs, special_token_pairs
from app.layouts.gguf_tokenizer import UnsupportedTokenizer, tokenizer_pairs, word_list_pairs
from app.weightfiles.gguf_layout import KeyValue, Metadata

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def values(pairs: tuple[KeyValue, ...] | list[KeyValue]) -> dict[str, Any]:
    return {pair.key.removeprefix("tokenizer.ggml."): pair.value for pair in pairs}


def template(*ids: str) -> dict[str, Any]:
    pieces = [{"Sequence": {"id": "A"}} if name == "A" else {"SpecialToken": {"id": name}} for name in ids]
    pair = [*pieces, {"Sequence": {"id": "B"}}]
    return {"type": "TemplateProcessing", "single": pieces, "pair": pair}


TOKENIZER = {
    "added_tokens": [
        {"id": 3, "content": "<s>", "special": True},
        {"id": 4, "content": "</s>", "special": True},
        {"id": 5, "content": "<|tool|>", "special": False},
        {"id": 6, "content": "my▁own", "special": False},
    ],
    "pre_tokenizer": {"type": "ByteLevel", "use_regex": True},
    "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": ["a b"]},
}
SETTINGS = {"bos_token": "<s>", "eos_token": {"content": "</s>"}, "chat_template": "{{ bos_token }}"}


def test_tokens_kinds_and_merges_of_a_byte_level_tokenizer() -> None:
    found = tokenizer_pairs(TOKENIZER, 8)
    assert values(found.pairs) == {
        "model": "gpt2",
        "pre": "gpt-2",
        "tokens": ("a", "b", "ab", "<s>", "</s>", "<|tool|>", "my own", "[PAD7]"),
        "token_type": (1, 1, 1, 3, 3, 3, 4, 5),
        "merges": ("a b",),
    }
    assert found.remark is None
    pairs = {**TOKENIZER, "model": {**TOKENIZER["model"], "merges": [["a", "b"]]}}  # type: ignore[dict-item]
    assert tokenizer_pairs(pairs, 8) == found


def test_merges_become_scores_where_there_are_bytes_to_fall_back_on() -> None:
    vocab = {"<unk>": 0, "<s>": 1, "<0x0A>": 2, "▁": 3, "a": 4, "▁a": 5, "aa": 6}
    document = {
        "added_tokens": [{"id": 0, "content": "<unk>", "special": True}, {"id": 1, "content": "<s>", "special": True}],
        "normalizer": {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"}]},
        "model": {
            "type": "BPE",
            "byte_fallback": True,
            "unk_token": "<unk>",
            "vocab": vocab,
            "merges": ["▁ a", "a a"],
        },
    }
    found = values(tokenizer_pairs(document, 7).pairs)
    assert (found["model"], found["add_space_prefix"]) == ("llama", True)
    assert found["token_type"] == (2, 3, 6, 1, 1, 1, 1)
    assert found["scores"][5] > found["scores"][6]
    metaspace = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "never", "split": False}
    document |= {"normalizer": None, "pre_tokenizer": metaspace}
    assert values(tokenizer_pairs(document, 7).pairs)["add_space_prefix"] is False


def test_words_are_marked_at_their_beginning() -> None:
    found = word_list_pairs(b"[PAD]\n[UNK]\n[CLS]\n[SEP]\nword\n##s\n", 6, lower_case=True)
    assert values(found.pairs)["tokens"] == ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "▁word", "s")
    assert values(found.pairs)["normalizer.strip_accents"] is True


@pytest.mark.parametrize(
    ("processor", "tokenizer_settings"),
    [
        (template("<s>", "A"), {}),
        (template("<s>", "A", "</s>"), {}),
        (template("A", "</s>"), {}),
        ({"type": "RobertaProcessing", "cls": ["<s>", 3], "sep": ["</s>", 4]}, {}),
        ({"type": "Sequence", "processors": [{"type": "ByteLevel"}, template("<s>", "A")]}, {}),
        ({"type": "ByteLevel"}, {"add_bos_token": False, "add_eos_token": True}),
        (None, {"add_bos_token": True}),
        (template("<s>", "A", "</s>"), {"bos_token": None, "eos_token": None, "cls_token": "<s>", "sep_token": "</s>"}),
    ],
)
def test_special_tokens_are_those_that_the_owner_finds(
    processor: dict[str, Any] | None, tokenizer_settings: dict[str, Any], tmp_path: Path
) -> None:
    document = {**TOKENIZER, "post_processor": processor}
    said = {**SETTINGS, **tokenizer_settings}
    config = {"pad_token_id": 2, "eos_token_id": [4, 5]}
    for name, content in (("tokenizer", document), ("tokenizer_config", said), ("config", config)):
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    owner = gguf.SpecialVocab(tmp_path, n_vocab=8)
    ids = tokenizer_pairs(document, 8).ids
    found = values(special_token_pairs(document, said, config, ids))
    names = {"bos": "bos", "eos": "eos", "unk": "unknown", "sep": "seperator", "pad": "padding", "mask": "mask"}
    theirs = {f"{names[kind]}_token_id": token for kind, token in owner.special_token_ids.items() if kind in names}
    assert {key: value for key, value in found.items() if key.endswith("_id")} == theirs
    for kind in ("bos", "eos"):
        assert found[f"add_{kind}_token"] == owner.add_special_token.get(kind, False), kind
    assert [pair.value for pair in chat_template_pairs(said, None)] == [owner.chat_template]


def test_a_chat_template_is_one_text() -> None:
    listed = {"chat_template": [{"name": "tool", "template": "x"}, {"name": "default", "template": "y"}]}
    assert [pair.value for pair in chat_template_pairs(listed, "z")] == ["y"]
    assert [pair.value for pair in chat_template_pairs({}, "z")] == ["z"]
    for wrong in ({"chat_template": 3}, {"chat_template": "\ud800"}, {"chat_template": "x" * (1 << 21)}, {}):
        assert chat_template_pairs(wrong, None) == []


@pytest.mark.parametrize(
    "change",
    [
        {"model": {"type": "BPE", "vocab": {"a": 9}, "merges": []}},
        {"model": {"type": "BPE", "vocab": {"a": -1}, "merges": []}},
        {"model": {"type": "BPE", "vocab": {"a": True}, "merges": []}},
        {"model": {"type": "BPE", "vocab": {"a": 0, "b": 0}, "merges": []}},
        {"model": {"type": "BPE", "vocab": {"[PAD7]": 0}, "merges": []}},
        {"model": {"type": "BPE", "vocab": {"\ud800": 0}, "merges": []}},
        {"model": {"type": "BPE", "vocab": {"": 0}, "merges": []}},
        {"model": {"type": "BPE", "vocab": {"a": 0}, "merges": ["a b c"]}},
        {"model": {"type": "BPE", "vocab": {"a": 0}, "merges": [["a", 3]]}},
        {"model": {"type": "BPE", "vocab": {"a": 0}}},
        {"model": {"type": "Unigram", "vocab": []}},
        {"model": {"type": "WordPiece", "vocab": {"a": 0}, "continuing_subword_prefix": "@@"}},
        {"model": []},
        {"added_tokens": [{"id": 0, "content": "other"}]},
        {"added_tokens": [3]},
    ],
)
def test_what_is_no_tokenizer_is_left_out_with_a_remark(change: dict[str, Any]) -> None:
    with pytest.raises(UnsupportedTokenizer) as caught:
        tokenizer_pairs({**TOKENIZER, **change}, 8)
    assert caught.value.remark in {"remark.gguf-no-tokenizer", "remark.gguf-other-tokenizer"}


def test_other_ways_to_cut_text_are_told() -> None:
    for pre in (None, {"type": "Whitespace"}, {"type": "ByteLevel", "add_prefix_space": True}):
        found = tokenizer_pairs({**TOKENIZER, "pre_tokenizer": pre}, 8)
        assert (values(found.pairs)["pre"], found.remark) == ("default", "remark.gguf-other-cuts")


@settings(max_examples=300)
@given(JSON, JSON, JSON, st.integers(0, 9))
def test_any_json_is_a_tokenizer_or_none(added: Any, pre: Any, model: Any, size: int) -> None:
    document = {"added_tokens": added, "pre_tokenizer": pre, "post_processor": pre, "normalizer": added, "model": model}
    for kind in ("BPE", "WordPiece"):
        inner = {"type": kind, **(model if isinstance(model, dict) else {"vocab": model, "merges": pre})}
        try:
            found = tokenizer_pairs({**document, "model": inner}, size)
        except UnsupportedTokenizer:
            continue
        Metadata.of(found.pairs)
    pre_tokenizer_name(document)
    said = {"bos_token": pre, "eos_token": model, "chat_template": added}
    Metadata.of([*special_token_pairs(document, said, said, {"a": 0}), *chat_template_pairs(said, None)])


_KEYS = (
    *(
        "hidden_size",
        "intermediate_size",
        "num_hidden_layers",
        "num_attention_heads",
        "num_key_value_heads",
        "head_dim",
    ),
    *("max_position_embeddings", "rms_norm_eps", "layer_norm_eps", "vocab_size", "num_local_experts", "rope_theta"),
    *("num_experts_per_tok", "moe_intermediate_size", "hidden_act", "type_vocab_size", "pad_token_id", "architectures"),
)
_ROPE = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(("rope_type", "type"), st.sampled_from(["yarn", "llama3", "linear"]) | JSON)
    | dict.fromkeys(
        ("factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings", "attention_factor"),
        st.floats(0.5, 64) | JSON,
    ),
)


@settings(max_examples=300)
@given(
    st.sampled_from(["llama", "mixtral", "qwen2", "qwen3_moe", "bert", "roberta"]),
    st.dictionaries(st.sampled_from(_KEYS), st.integers(1, 64) | JSON),
    _ROPE | JSON,
    JSON,
)
def test_any_config_is_a_model_or_none(model_type: str, config: dict[str, Any], rope: Any, pooling: Any) -> None:
    usual = dict.fromkeys(_KEYS[:3] + _KEYS[6:7] + ("vocab_size", "num_local_experts", "num_experts_per_tok"), 8)
    whole = {**usual, "num_attention_heads": 2, "hidden_act": "silu", **config, "rope_scaling": rope}
    modules = [{"type": "Pooling"}, pooling]
    try:
        mode = pooling_of(modules, pooling if isinstance(pooling, dict) else {"pooling_mode": pooling})
        found = describe_model({**whole, "model_type": model_type}, mode)
    except UnsupportedModel:
        return
    Metadata.of(found.pairs)
    assert all(factor > 0 for factor in found.rope_factors)


def test_json_that_would_take_much_memory_is_none() -> None:
    assert parse_bounded(b"[" * 200_000) is None
    assert parse_bounded(b"[" + b"{}," * (MAX_CONTAINERS + 1) + b"{}]") is None
    assert parse_bounded(b"[" + b"0," * 5_000_000 + b"0]") is None
    assert parse_bounded(b'{"a": ' + b"9" * 10_000 + b"}") is None
    assert parse_bounded(b"\xff") is None
    assert parse_bounded(b'{"a": [1, "\\ud800"]}') == {"a": [1, "\ud800"]}

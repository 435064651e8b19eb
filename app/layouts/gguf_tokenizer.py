"""A Hugging Face tokenizer as the keys and values that llama.cpp reads: byte-level BPE, SentencePiece and WordPiece.

The tokens come from tokenizer.json, or from BERT's vocab.txt. Kinds of tokens are those of llama.h.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from app.layouts.companion_json import is_text
from app.layouts.gguf_pre_tokenizers import UNKNOWN, pre_tokenizer_name
from app.weightfiles.gguf_layout import KeyValue, ValueType

NORMAL, UNKNOWN_TOKEN, CONTROL, USER_DEFINED, UNUSED, BYTE = range(1, 7)
MAX_TOKENS = 4_000_000
MAX_TOKEN_CHARACTERS = 4096
_SPACE = "▁"
_ADDED_SCORE = -1000.0
_BYTE_TOKEN = re.compile(r"<0x[0-9A-F]{2}>", re.ASCII)
_CONTINUATION = "##"
_BERT_CONTROLS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


class UnsupportedTokenizer(Exception):
    """llama.cpp has no such tokenizer, or the file is none; `remark` is the id of the sentence that says so."""

    def __init__(self, remark: str) -> None:
        super().__init__(remark)
        self.remark = remark


@dataclass(frozen=True, slots=True)
class TokenizerPairs:
    """What of a tokenizer goes into a file."""

    pairs: tuple[KeyValue, ...]
    ids: Mapping[str, int]
    """Of all tokens, by their text in the model's own files."""
    remark: str | None = None
    """The id of a sentence: something that llama.cpp does otherwise."""


@dataclass(slots=True)
class _Vocabulary:
    """Tokens by their numbers."""

    tokens: list[str]
    kinds: list[int]
    ids: dict[str, int]


def tokenizer_pairs(document: Mapping[str, Any], size: int) -> TokenizerPairs:
    """The pairs of a tokenizer.json for a model with so many rows of embeddings.

    Raises:
        UnsupportedTokenizer: there is none that llama.cpp could use.
    """
    model = document.get("model")
    if not isinstance(model, dict):
        raise UnsupportedTokenizer("remark.gguf-no-tokenizer")
    make = _MAKERS.get(_kind_of(model))
    if make is None:
        raise UnsupportedTokenizer("remark.gguf-other-tokenizer")
    return make(document, model, _vocabulary(model.get("vocab"), document.get("added_tokens"), size))


def word_list_pairs(text: bytes, size: int, *, lower_case: bool) -> TokenizerPairs:
    """The same of BERT's vocab.txt, a token a line.

    Raises:
        UnsupportedTokenizer: it is no such list.
    """
    try:
        lines = text.decode("utf-8").removesuffix("\n").split("\n")
    except UnicodeDecodeError:
        raise UnsupportedTokenizer("remark.gguf-no-tokenizer") from None
    vocab = {line.rstrip("\r"): number for number, line in enumerate(lines)}
    added = [{"id": vocab[name], "content": name, "special": True} for name in _BERT_CONTROLS if name in vocab]
    normalizer = {"type": "BertNormalizer", "lowercase": lower_case}
    return _word_piece({"normalizer": normalizer}, {}, _vocabulary(vocab, added, size))


def _kind_of(model: Mapping[str, Any]) -> str:
    kind = model.get("type")
    if kind == "BPE":
        return "sentencepiece" if model.get("byte_fallback") is True else "bytes"
    return "words" if kind == "WordPiece" else ""


def _vocabulary(vocab: Any, added: Any, size: int) -> _Vocabulary:
    """Tokens 0 to `size` - 1; numbers without a token are filled up, as llama.cpp's own converter does."""
    if not isinstance(vocab, dict) or not 0 < size <= MAX_TOKENS:
        raise UnsupportedTokenizer("remark.gguf-no-tokenizer")
    found = _Vocabulary([""] * size, [UNUSED] * size, {})
    for text, number in vocab.items():
        _put(found, text, number, NORMAL)
    for entry in added if isinstance(added, list) else []:
        if not isinstance(entry, dict):
            raise UnsupportedTokenizer("remark.gguf-no-tokenizer")
        text = entry.get("content")
        is_control = entry.get("special") is True or _looks_special(text)
        _put(found, text, entry.get("id"), CONTROL if is_control else USER_DEFINED)
    for number, kind in enumerate(found.kinds):
        if kind == UNUSED:
            found.tokens[number] = f"[PAD{number}]"
    return found


def _put(found: _Vocabulary, text: Any, number: Any, kind: int) -> None:
    is_a_number = isinstance(number, int) and not isinstance(number, bool) and 0 <= number < len(found.tokens)
    if not is_a_number or not is_text(text) or not 0 < len(text) <= MAX_TOKEN_CHARACTERS:
        raise UnsupportedTokenizer("remark.gguf-no-tokenizer")
    if found.kinds[number] != UNUSED and found.tokens[number] != text:
        raise UnsupportedTokenizer("remark.gguf-no-tokenizer")
    found.tokens[number], found.kinds[number], found.ids[text] = text, kind, number


def _looks_special(text: Any) -> bool:
    """Added tokens that are marks, although their file does not call them so."""
    if not isinstance(text, str):
        return False
    wraps = (("<|", "|>"), ("<｜", "｜>"), ("<unused", ">"))
    return text in {"<pad>", "<mask>"} or any(text.startswith(a) and text.endswith(z) for a, z in wraps)


def _pairs(
    model: str, pre: str, tokens: Iterable[str], kinds: Iterable[int], *others: KeyValue
) -> tuple[KeyValue, ...]:
    listed = tuple(tokens)
    if len(set(listed)) < len(listed):
        raise UnsupportedTokenizer("remark.gguf-no-tokenizer")
    return (
        KeyValue("tokenizer.ggml.model", ValueType.STRING, model),
        KeyValue("tokenizer.ggml.pre", ValueType.STRING, pre),
        KeyValue("tokenizer.ggml.tokens", ValueType.STRING, listed),
        KeyValue("tokenizer.ggml.token_type", ValueType.INT32, tuple(kinds)),
        *others,
    )


def _merges(model: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Pairs in the order in which they are merged."""
    merges = model.get("merges")
    if not isinstance(merges, list):
        raise UnsupportedTokenizer("remark.gguf-no-tokenizer")
    found = []
    for merge in merges:
        parts = merge.split(" ") if isinstance(merge, str) else merge
        if not isinstance(parts, list) or len(parts) != 2 or not all(map(is_text, parts)):
            raise UnsupportedTokenizer("remark.gguf-no-tokenizer")
        found.append((parts[0], parts[1]))
    return found


def _byte_level(document: Mapping[str, Any], model: Mapping[str, Any], found: _Vocabulary) -> TokenizerPairs:
    pre = pre_tokenizer_name(document)
    normalizer = document.get("normalizer")
    is_plain = normalizer is None or (isinstance(normalizer, dict) and normalizer.get("type") == "NFC")
    merges = _merges(model)
    if any(" " in part for pair in merges for part in pair):
        raise UnsupportedTokenizer("remark.gguf-other-tokenizer")
    listed = KeyValue("tokenizer.ggml.merges", ValueType.STRING, tuple(f"{left} {right}" for left, right in merges))
    remark = "remark.gguf-other-cuts" if pre == UNKNOWN or not is_plain else None
    return TokenizerPairs(_pairs("gpt2", pre, _spaced(found), found.kinds, listed), found.ids, remark)


def _sentence_piece(document: Mapping[str, Any], model: Mapping[str, Any], found: _Vocabulary) -> TokenizerPairs:
    """Merges become scores: what is merged first has the highest."""
    scores = [_ADDED_SCORE if kind in {CONTROL, USER_DEFINED, UNUSED} else 0.0 for kind in found.kinds]
    ranks: dict[str, int] = {}
    for rank, (left, right) in enumerate(_merges(model)):
        ranks.setdefault(left + right, rank)
    for number, token in enumerate(found.tokens):
        if found.kinds[number] == NORMAL and token in ranks:
            scores[number] = -1.0 - ranks[token]
        elif found.kinds[number] == NORMAL and _BYTE_TOKEN.fullmatch(token):
            found.kinds[number] = BYTE
    unknown = found.ids.get(str(model.get("unk_token")))
    if unknown is not None:
        found.kinds[unknown] = UNKNOWN_TOKEN
    others = (
        KeyValue("tokenizer.ggml.scores", ValueType.FLOAT32, tuple(scores)),
        KeyValue("tokenizer.ggml.add_space_prefix", ValueType.BOOL, _adds_space(document)),
    )
    return TokenizerPairs(_pairs("llama", UNKNOWN, _spaced(found), found.kinds, *others), found.ids)


def _adds_space(document: Mapping[str, Any]) -> bool:
    """Whether a text is begun with a space, by its normalizer (older files) or its pre-tokenizer."""
    normalizer, pre = document.get("normalizer"), document.get("pre_tokenizer")
    steps = normalizer.get("normalizers") if isinstance(normalizer, dict) else None
    listed = steps if isinstance(steps, list) else [normalizer]
    if any(isinstance(step, dict) and step.get("type") == "Prepend" for step in listed):
        return True
    return isinstance(pre, dict) and pre.get("type") == "Metaspace" and pre.get("prepend_scheme") != "never"


def _spaced(found: _Vocabulary) -> Iterable[str]:
    """Tokens that a person added are looked for in plain text."""
    for token, kind in zip(found.tokens, found.kinds, strict=True):
        yield token.replace(_SPACE, " ") if kind == USER_DEFINED else token


def _word_piece(document: Mapping[str, Any], model: Mapping[str, Any], found: _Vocabulary) -> TokenizerPairs:
    """llama.cpp marks the beginning of words, BERT's files what continues one."""
    if model.get("continuing_subword_prefix", _CONTINUATION) != _CONTINUATION:
        raise UnsupportedTokenizer("remark.gguf-other-tokenizer")
    normalizer = document.get("normalizer")
    rules = normalizer if isinstance(normalizer, dict) else {}
    lower = rules.get("lowercase") is True
    strips = rules["strip_accents"] if isinstance(rules.get("strip_accents"), bool) else lower
    tokens = [
        token if kind in {CONTROL, UNUSED} else _marked(token)
        for token, kind in zip(found.tokens, found.kinds, strict=True)
    ]
    others = (
        KeyValue("tokenizer.ggml.normalizer.lowercase", ValueType.BOOL, lower),
        KeyValue("tokenizer.ggml.normalizer.strip_accents", ValueType.BOOL, strips),
    )
    is_usual = rules.get("type") == "BertNormalizer" and rules.get("handle_chinese_chars", True) is True
    remark = None if is_usual else "remark.gguf-other-cuts"
    return TokenizerPairs(_pairs("bert", UNKNOWN, tokens, found.kinds, *others), found.ids, remark)


def _marked(token: str) -> str:
    return token.removeprefix(_CONTINUATION) if token.startswith(_CONTINUATION) else _SPACE + token


_Maker = Callable[[Mapping[str, Any], Mapping[str, Any], _Vocabulary], TokenizerPairs]
_MAKERS: dict[str, _Maker] = {"bytes": _byte_level, "sentencepiece": _sentence_piece, "words": _word_piece}

"""The tokens with a task of their own, and the chat template: keys and values of GGUF, by the rules of gguf-py.

The files are a stranger's: what does not fit is left out, and the chat template is text that is never run.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from app.layouts.companion_json import is_text
from app.weightfiles.gguf_layout import KeyValue, ValueType

MAX_TEMPLATE_CHARACTERS = 1 << 20
_KEYS = {
    "bos": "bos_token_id",
    "eos": "eos_token_id",
    "unk": "unknown_token_id",
    "sep": "seperator_token_id",  # as llama.cpp spells it
    "pad": "padding_token_id",
    "mask": "mask_token_id",
}
_STANDS_FOR = {"bos": "cls", "eos": "sep"}
"""BERT's first and last tokens have names of their own."""


def special_token_pairs(
    tokenizer: Mapping[str, Any], settings: Mapping[str, Any], config: Mapping[str, Any], ids: Mapping[str, int]
) -> list[KeyValue]:
    """The pairs by tokenizer.json, tokenizer_config.json (`settings`), config.json and the ids of all tokens."""
    names = {kind: _token_name(settings, kind) for kind in (*_KEYS, "cls")}
    for kind, other in _STANDS_FOR.items():
        names[kind] = names[kind] or names[other]
    first, last = _ends(tokenizer.get("post_processor"))
    names["sep"] = names["sep"] or _separator(tokenizer.get("post_processor"))
    found = {kind: _token_id(names[kind], kind, config, ids) for kind in _KEYS}
    pairs = [
        KeyValue(f"tokenizer.ggml.{key}", ValueType.UINT32, token)
        for kind, key in _KEYS.items()
        if (token := found[kind]) is not None
    ]
    added = {
        "bos": _is_added(settings, "bos", first, found["bos"], ids),
        "eos": _is_added(settings, "eos", last, found["eos"], ids),
    }
    pairs += [KeyValue(f"tokenizer.ggml.add_{kind}_token", ValueType.BOOL, is_it) for kind, is_it in added.items()]
    return pairs


def chat_template_pairs(settings: Mapping[str, Any], separate: str | None) -> list[KeyValue]:
    """The template of tokenizer_config.json, or else of chat_template.jinja (`separate`)."""
    template = settings.get("chat_template", separate)
    if isinstance(template, list):
        named = [each for each in template if isinstance(each, dict) and each.get("name") == "default"]
        template = named[0].get("template") if named else None
    if not isinstance(template, str) or not is_text(template) or not 0 < len(template) <= MAX_TEMPLATE_CHARACTERS:
        return []
    return [KeyValue("tokenizer.chat_template", ValueType.STRING, template)]


def _token_name(settings: Mapping[str, Any], kind: str) -> str | None:
    entry = settings.get(f"{kind}_token")
    if isinstance(entry, dict):
        entry = entry.get("content")
    return entry if isinstance(entry, str) else None


def _token_id(name: str | None, kind: str, config: Mapping[str, Any], ids: Mapping[str, int]) -> int | None:
    if name is not None and name in ids:
        return ids[name]
    value = config.get(f"{kind}_token_id")
    is_a_token = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(ids)
    return value if is_a_token else None


def _is_added(
    settings: Mapping[str, Any], kind: str, found: str | None, token: int | None, ids: Mapping[str, int]
) -> bool:
    """Whether that token is put around a text; the post-processor knows, else the settings say."""
    if token is None:
        return False
    if found is None:
        return settings.get(f"add_{kind}_token") is True
    return ids.get(found) == token


def _ends(processor: Any) -> tuple[str | None, str | None]:
    """The tokens that are put before and after a text: empty where there is none, None where nothing is known."""
    if not isinstance(processor, dict):
        return None, None
    inner = processor.get("processors") if processor.get("type") == "Sequence" else [processor]
    for step in inner if isinstance(inner, list) else []:
        if not isinstance(step, dict):
            continue
        if step.get("type") in {"RobertaProcessing", "BertProcessing"}:
            return _first_of(step.get("cls")), _first_of(step.get("sep"))
        if step.get("type") == "TemplateProcessing" and isinstance(step.get("single"), list):
            return _template_ends(step["single"])
    return None, None


def _separator(processor: Any) -> str | None:
    """RoBERTa's tokenizers name what stands between two texts there alone."""
    is_it = isinstance(processor, dict) and processor.get("type") == "RobertaProcessing"
    return _first_of(processor.get("sep")) or None if is_it else None


def _template_ends(single: Sequence[Any]) -> tuple[str, str]:
    return (_special(single[0]), _special(single[-1])) if single else ("", "")


def _special(piece: Any) -> str:
    token = piece.get("SpecialToken") if isinstance(piece, dict) else None
    name = token.get("id") if isinstance(token, dict) else None
    return name if isinstance(name, str) else ""


def _first_of(pair: Any) -> str:
    return pair[0] if isinstance(pair, list) and pair and isinstance(pair[0], str) else ""

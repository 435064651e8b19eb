"""How a byte-level tokenizer cuts text before it merges, and llama.cpp's name for that way of cutting.

llama.cpp knows each way by a name (llama-vocab.cpp), tokenizer.json by its steps and regular expressions.
"""

from collections.abc import Mapping
from typing import Any

UNKNOWN = "default"
_CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
_REST = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
_WORD = r"|[^\r\n\p{L}\p{N}]?\p{L}+|"
_UPPER, _LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
_CASED_REST = r"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"


def _cased(ending: str, digits: str) -> str:
    before = r"[^\r\n\p{L}\p{N}]?"
    return f"{before}{_UPPER}*{_LOWER}+{ending}|{before}{_UPPER}+{_LOWER}*{ending}|{digits}{_CASED_REST}"


_LLAMA3 = rf"{_CONTRACTIONS}{_WORD}\p{{N}}{{1,3}}{_REST}"
_SPLITS = {
    rf"{_CONTRACTIONS}{_WORD}\p{{N}}{_REST}": "qwen2",
    rf"{_CONTRACTIONS}|[^\r\n\p{{L}}\p{{N}}]?[\p{{L}}\p{{M}}]+|\p{{N}}"
    r"| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+": "qwen35",
    _cased("", r"\p{N}"): "tekken",
    _cased(f"{_CONTRACTIONS}?", r"\p{N}{1,3}"): "gpt-4o",
}


def pre_tokenizer_name(document: Mapping[str, Any]) -> str:
    """The name of the way that this tokenizer.json cuts text; `UNKNOWN` for one that llama.cpp does not know."""
    steps = _steps(document.get("pre_tokenizer"))
    kinds = [step.get("type") for step in steps]
    if not kinds or kinds[-1] != "ByteLevel" or steps[-1].get("add_prefix_space"):
        return UNKNOWN
    cuts_words = steps[-1].get("use_regex", True) is not False
    if kinds == ["ByteLevel"] and cuts_words:
        return "gpt-2"
    if kinds == ["Digits", "ByteLevel"] and cuts_words and steps[0].get("individual_digits") is True:
        return "smollm"
    if kinds == ["Split", "ByteLevel"] and not cuts_words:
        return _split_name(steps[0], document)
    return UNKNOWN


def _split_name(step: Mapping[str, Any], document: Mapping[str, Any]) -> str:
    pattern = step.get("pattern")
    regex = pattern.get("Regex") if isinstance(pattern, dict) else None
    if step.get("behavior") != "Isolated" or step.get("invert") or not isinstance(regex, str):
        return UNKNOWN
    if regex == _LLAMA3:
        model = document.get("model")
        # The same cuts; one of the two looks a whole word up before it merges.
        return "llama-bpe" if isinstance(model, dict) and model.get("ignore_merges") is True else "dbrx"
    return _SPLITS.get(regex, UNKNOWN)


def _steps(found: Any) -> list[Mapping[str, Any]]:
    if not isinstance(found, dict):
        return []
    inner = found.get("pretokenizers") if found.get("type") == "Sequence" else [found]
    return [step for step in inner if isinstance(step, dict)] if isinstance(inner, list) else []

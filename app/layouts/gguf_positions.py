"""How a model's positions turn pairs of numbers: the keys of llama.cpp, and Llama 3.1's factors for single pairs."""

import math
from collections.abc import Mapping
from typing import Any

from app.layouts.gguf_settings import MOST, ModelSettings, UnsupportedModel, positive
from app.weightfiles.gguf_layout import KeyValue, ValueType

_ROPE_DEFAULT = 10_000.0


def add_positions(settings: ModelSettings, head_size: int) -> tuple[float, ...]:
    """Adds how positions turn; the factors of single pairs, where there are such."""
    found = settings.config.get("rope_parameters") or settings.config.get("rope_scaling") or {}
    if not isinstance(found, dict):
        raise UnsupportedModel("remark.gguf-bad-config")
    base = positive(found.get("rope_theta") or settings.config.get("rope_theta") or _ROPE_DEFAULT)
    settings.number("rope.freq_base", base)
    kind = str(found.get("rope_type") or found.get("type") or "default")
    if kind in {"linear", "yarn"}:
        settings.pairs.append(KeyValue(f"{settings.architecture}.rope.scaling.type", ValueType.STRING, kind))
        settings.number("rope.scaling.factor", positive(found.get("factor")))
        if kind == "yarn":
            _yarn(settings, found)
    elif kind == "llama3":
        return llama3_factors(found, base, head_size)
    elif kind != "default":
        raise UnsupportedModel("remark.gguf-other-setting")
    return ()


def _yarn(settings: ModelSettings, found: Mapping[str, Any]) -> None:
    if found.get("mscale") or found.get("mscale_all_dim") or found.get("truncate") is False:
        raise UnsupportedModel("remark.gguf-other-setting")
    context = positive(found.get("original_max_position_embeddings"))
    if not 1 <= context < MOST:
        raise UnsupportedModel("remark.gguf-bad-config")
    settings.count("rope.scaling.original_context_length", int(context))
    names = {"attention_factor": "attn_factor", "beta_fast": "beta_fast", "beta_slow": "beta_slow"}
    for theirs, ours in names.items():
        if found.get(theirs) is not None:
            settings.number(f"rope.scaling.yarn_{ours}", positive(found[theirs]))


def llama3_factors(found: Mapping[str, Any], base: float, head_size: int) -> tuple[float, ...]:
    """Llama 3.1's rule: long waves turn slower by `factor`, short ones as they did, those between by a mixture."""
    factor, low, high = (positive(found.get(name)) for name in ("factor", "low_freq_factor", "high_freq_factor"))
    context = positive(found.get("original_max_position_embeddings"))
    if low >= high:
        raise UnsupportedModel("remark.gguf-bad-config")
    return tuple(
        _llama3_factor(2 * math.pi * base ** (2 * pair / head_size), factor, context / low, context / high)
        for pair in range(head_size // 2)
    )


def _llama3_factor(wave: float, factor: float, longest: float, shortest: float) -> float:
    if wave < shortest:
        return 1.0
    if wave > longest:
        return factor
    share = (longest / wave - 1) / (longest / shortest - 1)
    return 1 / ((1 - share) / factor + share)

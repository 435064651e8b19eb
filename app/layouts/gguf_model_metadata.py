"""What llama.cpp has to know of a model, from its config.json: keys and values of GGUF, for the families it shares.

Keys are those of llama.cpp (gguf-py, constants.py). A config is a stranger's: whatever is missing, out of bounds or
asks for something that llama.cpp computes otherwise makes the model one that it cannot run.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.weightfiles.gguf_layout import KeyValue, ValueType

MOST_LAYERS, MOST_EXPERTS, MOST_HEAD_SIZE, MOST = 65_536, 4096, 1024, 1 << 31
_MODEL_TYPES = {
    "llama": "llama",
    "mistral": "llama",
    "mixtral": "llama",
    "qwen2": "qwen2",
    "qwen3": "qwen3",
    "qwen3_moe": "qwen3moe",
    "bert": "bert",
    "roberta": "bert",
}
"""`model_type` of transformers, and llama.cpp's architecture."""
_POOLING = {"mean": 1, "cls": 2, "lasttoken": 3}
"""llama.h, `enum llama_pooling_type`."""
_ROPE_DEFAULT = 10_000.0


class UnsupportedModel(Exception):
    """llama.cpp cannot run the model; `remark` is the id of the sentence that says why."""

    def __init__(self, remark: str) -> None:
        super().__init__(remark)
        self.remark = remark


@dataclass(frozen=True, slots=True)
class ModelDescription:
    """A model that llama.cpp knows."""

    architecture: str
    """`general.architecture`."""
    model_type: str
    layers: int
    heads: int
    key_value_heads: int
    head_size: int
    """Numbers in an attention head."""
    experts: int
    """0 where there are none."""
    pairs: tuple[KeyValue, ...]
    rope_factors: tuple[float, ...] = ()
    """By which each pair of a head turns slower, where it does not do so by one number: the tensor `rope_freqs`."""
    first_position: int = 0
    """Rows of position embeddings that no token has: RoBERTa counts from behind the padding token."""


def describe_model(config: Mapping[str, Any], pooling: str | None = None) -> ModelDescription:
    """The description of the model with that config.json; `pooling` as `pooling_of` gives it.

    Raises:
        UnsupportedModel: llama.cpp runs no such model.
    """
    if not config:
        raise UnsupportedModel("remark.gguf-no-config")
    model_type = config.get("model_type")
    if not isinstance(model_type, str) or model_type not in _MODEL_TYPES or _is_a_classifier(config):
        raise UnsupportedModel("remark.gguf-unknown-model")
    settings = _Settings(config, _MODEL_TYPES[model_type])
    return _bert(settings, model_type, pooling) if settings.architecture == "bert" else _llama(settings, model_type)


def pooling_of(modules: Any, pooling_config: Mapping[str, Any]) -> str | None:
    """How sentence-transformers makes one vector of all: `mean`, `cls` or `lasttoken`; None if it is not said."""
    if not isinstance(modules, list) or not any(_is_pooling(module) for module in modules):
        return None
    mode = pooling_config.get("pooling_mode")
    if isinstance(mode, str):
        return mode if mode in _POOLING else None
    named = {"mean_tokens": "mean", "cls_token": "cls", "lasttoken": "lasttoken"}
    chosen = [short for long, short in named.items() if pooling_config.get(f"pooling_mode_{long}") is True]
    return chosen[0] if len(chosen) == 1 else None


def _is_pooling(module: Any) -> bool:
    return isinstance(module, dict) and str(module.get("type", "")).endswith("Pooling")


def _is_a_classifier(config: Mapping[str, Any]) -> bool:
    names = config.get("architectures")
    named = names if isinstance(names, list) else []
    return any("Classification" in str(name) or "QuestionAnswering" in str(name) for name in named)


class _Settings:
    """A config's values, checked as they are asked for, and the pairs made of them."""

    def __init__(self, config: Mapping[str, Any], architecture: str) -> None:
        self.config = config
        self.architecture = architecture
        self.pairs: list[KeyValue] = []

    def whole(self, *names: str, most: int = MOST, default: int | None = None) -> int:
        """A whole number from 1 to `most`, under the first of these names that is there."""
        value = next((self.config[name] for name in names if self.config.get(name) is not None), default)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= most:
            raise UnsupportedModel("remark.gguf-bad-config")
        return value

    def real(self, name: str, default: float | None = None) -> float:
        """A positive number."""
        return positive(self.config.get(name) if self.config.get(name) is not None else default)

    def demand(self, name: str, *usual: Any, default: Any = None) -> None:
        """Checks a setting that llama.cpp has no other way of; a missing one has that default, or is the usual one."""
        value = self.config.get(name, default)
        if value is not None and value not in usual:
            raise UnsupportedModel("remark.gguf-other-setting")

    def count(self, key: str, value: int) -> None:
        """Adds a pair of the architecture."""
        self.pairs.append(KeyValue(f"{self.architecture}.{key}", ValueType.UINT32, value))

    def number(self, key: str, value: float) -> None:
        """The same of a float32."""
        self.pairs.append(KeyValue(f"{self.architecture}.{key}", ValueType.FLOAT32, value))

    def layers(self) -> int:
        """How many layers there are."""
        return self.whole("num_hidden_layers", most=MOST_LAYERS)

    def sizes(self) -> tuple[int, int]:
        """What all architectures have: adds those pairs; heads, and numbers in a head."""
        heads = self.whole("num_attention_heads", most=MOST_LAYERS)
        hidden = self.whole("hidden_size")
        self.count("block_count", self.layers())
        self.count("embedding_length", hidden)
        self.count("feed_forward_length", self.whole("intermediate_size"))
        self.count("attention.head_count", heads)
        return heads, self.whole("head_dim", most=MOST_HEAD_SIZE, default=hidden // heads)


def positive(value: Any) -> float:
    """A positive number that float32 holds.

    Raises:
        UnsupportedModel: it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e38:
        raise UnsupportedModel("remark.gguf-bad-config")
    return float(value)


def _bert(settings: _Settings, model_type: str, pooling: str | None) -> ModelDescription:
    settings.demand("hidden_act", "gelu")
    settings.demand("position_embedding_type", "absolute")
    heads, head_size = settings.sizes()
    padding = settings.config.get("pad_token_id")
    is_offset = model_type == "roberta" and isinstance(padding, int) and 0 <= padding < MOST_LAYERS
    first = padding + 1 if is_offset and isinstance(padding, int) else 0
    positions = settings.whole("max_position_embeddings")
    if positions <= first:
        raise UnsupportedModel("remark.gguf-bad-config")
    settings.count("context_length", positions - first)
    settings.number("attention.layer_norm_epsilon", settings.real("layer_norm_eps", 1e-12))
    settings.pairs.append(KeyValue("bert.attention.causal", ValueType.BOOL, value=False))
    if pooling is not None:
        settings.count("pooling_type", _POOLING[pooling])
    types = settings.whole("type_vocab_size", default=1)
    settings.pairs.append(KeyValue("tokenizer.ggml.token_type_count", ValueType.UINT32, types))
    layers = settings.layers()
    pairs = tuple(settings.pairs)
    return ModelDescription("bert", model_type, layers, heads, heads, head_size, 0, pairs, first_position=first)


def _llama(settings: _Settings, model_type: str) -> ModelDescription:
    settings.demand("hidden_act", "silu")
    settings.demand("use_sliding_window", 0)
    heads, head_size = settings.sizes()
    if head_size % 2:
        raise UnsupportedModel("remark.gguf-bad-config")
    key_value_heads = settings.whole("num_key_value_heads", most=heads, default=heads)
    settings.count("attention.head_count_kv", key_value_heads)
    settings.count("context_length", settings.whole("max_position_embeddings"))
    settings.count("vocab_size", settings.whole("vocab_size"))
    settings.count("attention.key_length", head_size)
    settings.count("attention.value_length", head_size)
    settings.count("rope.dimension_count", head_size)
    settings.number("attention.layer_norm_rms_epsilon", settings.real("rms_norm_eps", 1e-6))
    experts = _experts(settings, model_type)
    factors = _rope(settings, head_size)
    layers, pairs = settings.layers(), tuple(settings.pairs)
    name = settings.architecture
    return ModelDescription(name, model_type, layers, heads, key_value_heads, head_size, experts, pairs, factors)


def _experts(settings: _Settings, model_type: str) -> int:
    if model_type not in {"mixtral", "qwen3_moe"}:
        return 0
    experts = settings.whole("num_local_experts", "num_experts", most=MOST_EXPERTS)
    settings.count("expert_count", experts)
    settings.count("expert_used_count", settings.whole("num_experts_per_tok", most=experts))
    if model_type == "qwen3_moe":
        settings.demand("norm_topk_prob", 1, default=0)
        settings.demand("decoder_sparse_step", 1)
        settings.demand("mlp_only_layers", [])
        settings.count("expert_feed_forward_length", settings.whole("moe_intermediate_size"))
    return experts


def _rope(settings: _Settings, head_size: int) -> tuple[float, ...]:
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


def _yarn(settings: _Settings, found: Mapping[str, Any]) -> None:
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


def general_pairs(architecture: str, name: str) -> Sequence[KeyValue]:
    """What stands first in every file."""
    pairs = [
        KeyValue("general.architecture", ValueType.STRING, architecture),
        KeyValue("general.type", ValueType.STRING, "model"),
    ]
    return [*pairs, KeyValue("general.name", ValueType.STRING, name)] if name else pairs

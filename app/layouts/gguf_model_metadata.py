"""What llama.cpp has to know of a model, from its config.json: keys and values of GGUF, for the families it shares.

Keys are those of llama.cpp (gguf-py, constants.py). A config is a stranger's: whatever is missing, out of bounds or
asks for something that llama.cpp computes otherwise makes the model one that it cannot run.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.layouts.gguf_positions import add_positions
from app.layouts.gguf_settings import MOST_LAYERS, ModelSettings, UnsupportedModel
from app.weightfiles.gguf_layout import KeyValue, ValueType

MOST_EXPERTS = 4096
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
    settings = ModelSettings(config, _MODEL_TYPES[model_type])
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


def _bert(settings: ModelSettings, model_type: str, pooling: str | None) -> ModelDescription:
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
    types = settings.whole("type_vocab_size", default=2)
    settings.pairs.append(KeyValue("tokenizer.ggml.token_type_count", ValueType.UINT32, types))
    layers = settings.layers()
    pairs = tuple(settings.pairs)
    return ModelDescription("bert", model_type, layers, heads, heads, head_size, 0, pairs, first_position=first)


def _llama(settings: ModelSettings, model_type: str) -> ModelDescription:
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
    factors = add_positions(settings, head_size)
    layers, pairs = settings.layers(), tuple(settings.pairs)
    name = settings.architecture
    return ModelDescription(name, model_type, layers, heads, key_value_heads, head_size, experts, pairs, factors)


def _experts(settings: ModelSettings, model_type: str) -> int:
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


def general_pairs(architecture: str, name: str) -> Sequence[KeyValue]:
    """What stands first in every file."""
    pairs = [
        KeyValue("general.architecture", ValueType.STRING, architecture),
        KeyValue("general.type", ValueType.STRING, "model"),
    ]
    return [*pairs, KeyValue("general.name", ValueType.STRING, name)] if name else pairs

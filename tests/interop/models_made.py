"""Small random models of several architectures with their tokenizers, as folders that transformers has written."""

import json
from pathlib import Path

import torch
import transformers
from tokenizers import Tokenizer

HIDDEN = 256
"""A row of it is one block of a K-quant."""
_SIZES = {
    "vocab_size": 512,
    "hidden_size": HIDDEN,
    "intermediate_size": 512,
    "num_hidden_layers": 2,
    "num_attention_heads": 8,
    "max_position_embeddings": 256,
    # Attention is nearly even in a model with the usual small weights, whatever the order of its rows.
    "initializer_range": 0.08,
}
_GROUPED = {**_SIZES, "num_key_value_heads": 4}
_LLAMA3_ROPE = {
    "rope_type": "llama3",
    "rope_theta": 10000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}
MODELS = {
    "llama": lambda: transformers.LlamaForCausalLM(
        transformers.LlamaConfig(
            **_GROUPED, attention_bias=True, rope_parameters={"rope_theta": 5e5, "rope_type": "default"}
        )
    ),
    "llama-3.1": lambda: transformers.LlamaForCausalLM(
        transformers.LlamaConfig(**_GROUPED, rope_parameters=_LLAMA3_ROPE, tie_word_embeddings=True)
    ),
    "linear-rope": lambda: transformers.LlamaForCausalLM(
        transformers.LlamaConfig(
            **_GROUPED, head_dim=64, rope_parameters={"rope_type": "linear", "rope_theta": 1e4, "factor": 2.0}
        )
    ),
    "mistral": lambda: transformers.MistralForCausalLM(transformers.MistralConfig(**_GROUPED, sliding_window=None)),
    "mixtral": lambda: transformers.MixtralForCausalLM(
        transformers.MixtralConfig(**_GROUPED, num_local_experts=4, num_experts_per_tok=2)
    ),
    "qwen2": lambda: transformers.Qwen2ForCausalLM(transformers.Qwen2Config(**_GROUPED)),
    "qwen3": lambda: transformers.Qwen3ForCausalLM(transformers.Qwen3Config(**_GROUPED, head_dim=32)),
    "qwen3-moe": lambda: transformers.Qwen3MoeForCausalLM(
        transformers.Qwen3MoeConfig(
            **_GROUPED,
            head_dim=32,
            num_experts=4,
            num_experts_per_tok=2,
            moe_intermediate_size=256,
            norm_topk_prob=True,
        )
    ),
}


def make_model(kind: str, folder: Path, dtype: torch.dtype = torch.float32) -> torch.nn.Module:
    """Writes the model and gives it."""
    torch.manual_seed(1)
    model = MODELS[kind]().eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() == 1:
                parameter.copy_(torch.randn_like(parameter) * 0.2 + ("norm" in name))
    model = model.to(dtype)
    model.save_pretrained(folder)
    return model


def save_tokenizer(tokenizer: Tokenizer, folder: Path) -> None:
    """Writes tokenizer.json and what transformers says beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    ends = {"bos_token": "<|begin|>", "eos_token": "<|end|>"}
    if tokenizer.token_to_id("<s>") is not None:
        ends = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    settings = {**ends, "tokenizer_class": "PreTrainedTokenizerFast", "chat_template": "{{ messages }}"}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))

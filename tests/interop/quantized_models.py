"""Small models, quantized into folders by us and loaded by transformers; and the numbers that owners' modules hold."""

from pathlib import Path
from typing import Any

import torch
import transformers
from torch import Tensor

from app.layouts.weights import WeightReader, find_weights
from app.weightfiles.range_reader import WeightFile

TOKENS = torch.arange(32).view(2, 16)
_SIZES = {
    "vocab_size": 320,
    "hidden_size": 128,
    "intermediate_size": 256,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
}
_GROUPED = {**_SIZES, "num_key_value_heads": 2}
MAKERS: dict[str, Any] = {
    "llama": lambda: transformers.LlamaForCausalLM(transformers.LlamaConfig(**_GROUPED)),
    "tied": lambda: transformers.LlamaForCausalLM(transformers.LlamaConfig(**_GROUPED, tie_word_embeddings=True)),
    "bert": lambda: transformers.BertModel(transformers.BertConfig(**_SIZES)),
    "mixtral": lambda: transformers.MixtralForCausalLM(transformers.MixtralConfig(**_GROUPED, num_local_experts=4)),
    "gpt2": lambda: transformers.GPT2LMHeadModel(
        transformers.GPT2Config(vocab_size=320, n_embd=128, n_layer=2, n_head=4)
    ),
}


def make(kind: str, folder: Path, **more: Any) -> Any:
    """The model, in bfloat16, saved."""
    torch.manual_seed(0)
    model = MAKERS[kind]().to(torch.bfloat16).eval()
    model.save_pretrained(folder, **more)
    return model


def load(model: Any, folder: Path, **more: Any) -> Any:
    """What transformers makes of a folder, without a word about missing or odd tensors."""
    found, told = type(model).from_pretrained(folder, dtype=torch.bfloat16, output_loading_info=True, **more)
    assert not any(told.values()), told
    return found.eval()


def says(model: Any) -> Tensor:
    """The model's first output for a few tokens, in float32."""
    with torch.no_grad():
        found: Tensor = model(TOKENS)[0].float()
    return found


def relative(found: Tensor, wanted: Tensor) -> float:
    return float((found - wanted).norm() / wanted.norm())


def owners_numbers(model: Any, name: str) -> Tensor | None:
    """The weight of that name as its owner dequantizes it; None where transformers has merged it into another.

    Asked for before bitsandbytes' first product, which reorders codes on CPUs, and after that of compressed-tensors,
    which restores weights then.
    """
    from bitsandbytes.functional import dequantize_4bit, int8_vectorwise_dequant

    module_name, _, attribute = name.rpartition(".")
    try:
        weight = getattr(model.get_submodule(module_name), attribute)
    except AttributeError:
        return None
    if getattr(weight, "quant_state", None) is not None:
        return dequantize_4bit(weight.data, weight.quant_state)
    if getattr(weight, "SCB", None) is not None:
        return int8_vectorwise_dequant(weight.data, weight.SCB)
    return weight.dequantize() if hasattr(weight, "qdata") else weight.data


def our_numbers(folder: Path) -> dict[str, Tensor]:
    with WeightFile(folder) as file:
        reader = WeightReader(file)
        return {
            weight.name: reader.elements(weight, 0, weight.elements).clone().view(weight.shape)
            for weight in find_weights(file)
        }


def assert_same_numbers(model: Any, folder: Path, *, least: int) -> None:
    """Our reading of the folder is the owner's to the last bit, in the model's own dtype."""
    compared = 0
    for name, ours in our_numbers(folder).items():
        theirs = owners_numbers(model, name)
        if theirs is not None:
            assert torch.equal(theirs.to(torch.bfloat16), ours.to(torch.bfloat16)), name
            compared += 1
    assert compared >= least, compared

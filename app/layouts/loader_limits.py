"""Weights that a layout could hold, but that its loaders would not find: they are kept, and the report says so."""

import re

from app.layouts.weights import Weight
from app.layouts.writing import Obstacle
from app.schemes.selection import Kept

_TURNED_MODELS = frozenset({"gpt2", "openai-gpt", "imagegpt", "decision_transformer"})
"""Their layers are `Conv1D`, with input before output; loaders of quantized layouts look for `Linear`."""
_TURNED = re.compile(r".*\.(c_attn|c_proj|c_fc|q_attn)\.weight")
_EXPERT = re.compile(r".*\.experts\.[0-9]+\..*")


def loader_obstacle(weight: Weight, model_type: str, *, takes_experts: bool = True) -> Obstacle | None:
    """Why loaders would not find the weight; experts are those of one matrix each, which transformers merges."""
    if model_type in _TURNED_MODELS and _TURNED.fullmatch(weight.name):
        return Obstacle(Kept.TURNED)
    if not takes_experts and _EXPERT.fullmatch(weight.name):
        return Obstacle(Kept.MERGED_EXPERTS)
    return None

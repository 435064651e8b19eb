"""Which weights are kept because loaders of a layout would not find them again."""

import pytest

from app.layouts.loader_limits import loader_obstacle
from app.layouts.weights import Weight
from app.schemes.selection import Kept, reason_by_name


def weight(name: str) -> Weight:
    return Weight(name, (64, 64), "float32", ())


@pytest.mark.parametrize(
    ("name", "model_type", "takes_experts", "reason"),
    [
        ("transformer.h.0.attn.c_attn.weight", "gpt2", True, Kept.TURNED),
        ("transformer.h.0.mlp.c_proj.weight", "gpt2", False, Kept.TURNED),
        ("transformer.h.0.mlp.c_proj.weight", "gpt_bigcode", True, None),
        ("model.layers.1.mlp.up_proj.weight", "llama", False, None),
        ("model.layers.0.block_sparse_moe.experts.3.w1.weight", "mixtral", False, Kept.MERGED_EXPERTS),
        ("model.layers.0.block_sparse_moe.experts.3.w1.weight", "mixtral", True, None),
    ],
)
def test_obstacles(name: str, model_type: str, takes_experts: bool, reason: Kept | None) -> None:
    found = loader_obstacle(weight(name), model_type, takes_experts=takes_experts)
    assert (found.reason if found else None) == reason


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("model.layers.0.block_sparse_moe.gate.weight", Kept.ROUTER),
        ("model.layers.0.mlp.gate.weight", Kept.ROUTER),
        ("blk.0.ffn_gate_inp.weight", Kept.ROUTER),
        ("model.layers.0.mlp.gate_proj.weight", None),
        ("blk.0.ffn_gate.weight", None),
    ],
)
def test_what_chooses_among_experts_is_kept(name: str, reason: Kept | None) -> None:
    assert reason_by_name(name) == reason

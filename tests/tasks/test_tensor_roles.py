import pytest

from app.tasks.tensor_roles import Role, role_of

NAMES = {
    Role.EMBEDDING: [
        "model.embed_tokens.weight",
        "transformer.wte.weight",
        "token_embd.weight",
        "embeddings.word_embeddings.weight",
    ],
    Role.ATTENTION: [
        "model.layers.0.self_attn.q_proj.weight",
        "blk.3.attn_q.weight",
        "encoder.layer.0.attention.self.query.bias",
        "encoder.layer.0.attention.output.dense.weight",
        "transformer.h.0.attn.c_attn.weight",
        "layers.0.attention.wq.weight",
    ],
    Role.MLP: [
        "model.layers.0.mlp.gate_proj.weight",
        "blk.3.ffn_gate.weight",
        "encoder.layer.0.intermediate.dense.weight",
        "encoder.layer.0.output.dense.weight",
        "model.layers.0.block_sparse_moe.experts.1.w2.weight",
        "layers.0.feed_forward.w1.weight",
    ],
    Role.NORM: [
        "model.norm.weight",
        "encoder.layer.0.attention.output.LayerNorm.weight",
        "output_norm.weight",
        "blk.0.attn_norm.weight",
        "encoder.layer.0.output.LayerNorm.bias",
        "model.layers.0.input_layernorm.weight",
    ],
    Role.HEAD: ["lm_head.weight", "output.weight", "classifier.weight"],
    Role.OTHER: ["weird", "conv1.weight", "a.b.c", ""],
}


@pytest.mark.parametrize(("role", "name"), [(role, name) for role, names in NAMES.items() for name in names])
def test_names_tell_roles(role: Role, name: str) -> None:
    assert role_of(name) is role


def test_a_long_name_takes_no_time() -> None:
    for name in ("q" * 1024, "a." * 512, "attn_" * 200, "w" * 500 + "1"):
        role_of(name)

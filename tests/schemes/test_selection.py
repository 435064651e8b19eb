import pytest

from app.schemes.registry import ENTRIES
from app.schemes.selection import Candidate, Kept, reason_by_name, reason_to_keep

NAMES = {
    "model.layers.0.self_attn.q_proj.weight": None,
    "model.layers.0.mlp.gate_proj.weight": None,
    "encoder.layer.3.attention.output.dense.weight": None,
    "pooler.dense.weight": None,
    "h.0.attn.c_attn.weight": None,
    "blk.0.attn_output.weight": None,
    "layers.5.output.weight": None,
    "w": None,
    "model.norm.weight": Kept.NORM,
    "model.layers.0.input_layernorm.weight": Kept.NORM,
    "model.layers.0.self_attn.q_norm.weight": Kept.NORM,
    "encoder.layer.0.output.LayerNorm.weight": Kept.NORM,
    "h.0.ln_1.weight": Kept.NORM,
    "ln_f.weight": Kept.NORM,
    "layer1.0.bn2.weight": Kept.NORM,
    "model.layers.0.self_attn.q_proj.bias": Kept.BIAS,
    "swin.relative_position_bias_table": Kept.BIAS,
    "model.embed_tokens.weight": Kept.EMBEDDING,
    "embeddings.word_embeddings.weight": Kept.EMBEDDING,
    "tok_embeddings.weight": Kept.EMBEDDING,
    "wte.weight": Kept.EMBEDDING,
    "transformer.wpe.weight": Kept.EMBEDDING,
    "shared.weight": Kept.EMBEDDING,
    "vit.embeddings.position_embeddings": Kept.EMBEDDING,
    "embeddings.word.weight": Kept.EMBEDDING,
    "vit.embeddings.patch_embeddings.projection.weight": Kept.EMBEDDING,
    "model.layers.0.mlp.shared.up_proj.weight": None,
    "lm_head.weight": Kept.HEAD,
    "classifier.dense.weight": Kept.HEAD,
    "model.layers.0.classifier_gate.weight": None,
    "output.weight": Kept.HEAD,
    "classifier.weight": Kept.HEAD,
    "score.weight": Kept.HEAD,
    "qa_outputs.weight": Kept.HEAD,
    "model.layers.0.mlp.up_proj.weight_scale": Kept.QUANTIZATION,
    "model.layers.0.mlp.up_proj.weight_scale_inv": Kept.QUANTIZATION,
    "model.layers.0.mlp.up_proj.scales": Kept.QUANTIZATION,
}


@pytest.mark.parametrize("name", NAMES)
def test_names_tell_what_is_kept(name: str) -> None:
    assert reason_by_name(name) == NAMES[name]


CASES = [
    ("w.weight", "float32", (4, 4), "int8", None),
    ("w.weight", "float32", (4, 4, 4), "bfloat16", None),
    ("w.weight", "float32", (4, 4, 4), "int8", None),
    ("w.weight", "float32", (4,), "bfloat16", Kept.ONE_DIMENSIONAL),
    ("w.weight", "float32", (), "bfloat16", Kept.ONE_DIMENSIONAL),
    ("w.weight", "int64", (4, 4), "bfloat16", Kept.NOT_FLOATING),
    ("w.weight", "bool", (4, 4), "int8", Kept.NOT_FLOATING),
    ("w.weight", "complex64", (4, 4), "int8", Kept.NOT_FLOATING),
    ("w.weight", "float4_e2m1fn", (4, 4), "float16", Kept.LARGER),
    ("w.weight", "float8_e8m0fnu", (4, 4), "float16", Kept.QUANTIZATION),
    ("w.weight", "bfloat16", (4, 4), "bfloat16", Kept.SAME_FORMAT),
    ("w.weight", "float16", (4, 4), "bfloat16", None),
    ("w.weight", "float8_e5m2", (4, 4), "float16", Kept.LARGER),
    ("w.weight", "float32", (0, 4), "int8", Kept.EMPTY),
]


@pytest.mark.parametrize(("name", "dtype", "shape", "scheme", "reason"), CASES)
def test_formats_and_shapes_tell_what_is_kept(name, dtype, shape, scheme, reason) -> None:
    assert reason_to_keep(Candidate(name, dtype, shape), ENTRIES[scheme]) == reason


def test_patterns_override_names_and_exclusion_wins() -> None:
    head = Candidate("lm_head.weight", "float32", (4, 4))
    vector = Candidate("norm.weight", "float32", (4,))
    half, int8 = ENTRIES["float16"], ENTRIES["int8"]
    assert reason_to_keep(head, int8, include=["lm_*"]) is None
    assert reason_to_keep(head, int8, include=["*"], exclude=["lm_head.weight"]) is Kept.EXCLUDED
    assert reason_to_keep(vector, half, include=["norm.*"]) is None
    assert reason_to_keep(vector, int8, include=["norm.*"]) is None
    assert reason_to_keep(head, half, include=["LM_HEAD*"]) is Kept.HEAD

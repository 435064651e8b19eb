"""What a tensor does in its model, as far as its name tells: attention, MLP, embedding, norm, head or another."""

import re
from enum import StrEnum

from app.schemes.selection import Kept, reason_by_name


class Role(StrEnum):
    """In the order in which a model computes them."""

    EMBEDDING = "embedding"
    ATTENTION = "attention"
    MLP = "mlp"
    NORM = "norm"
    HEAD = "head"
    OTHER = "other"


_BY_REASON = {Kept.EMBEDDING: Role.EMBEDDING, Kept.NORM: Role.NORM, Kept.HEAD: Role.HEAD}
# Tried on the name's parts, the outermost first. `blk.0.attn_q.weight` and `ffn_gate` are GGUF's names, `c_attn` and
# `c_fc` those of GPT-2, `query_key_value` and `dense_h_to_4h` those of Falcon and BLOOM, `wq` and `w1` Meta's own.
_EMBEDDING = re.compile(r"token_embd.*|position_embd|token_types")
_ATTENTION = re.compile(
    r".*attn.*|.*attention.*|attn|[qkvo]_proj|qkv(_proj)?|query|key|value|query_key_value|w[qkvo]|out_proj|[qkvo]_lin"
)
_MLP = re.compile(
    r".*mlp.*|.*ffn.*|.*feed_?forward.*|(gate|up|down|gate_up)_proj|fc_?\d|c_fc|w[123]|.*expert.*|intermediate"
    r"|dense_h_to_4h|dense_4h_to_h|wi(_\d)?|lin[12]|linear[12]|router"
)


def role_of(name: str) -> Role:
    """The role of a tensor of that name."""
    parts = name.lower().split(".")
    by_reason = _BY_REASON.get(reason_by_name(name) or Kept.BIAS)
    if by_reason is not None:
        return by_reason
    for part in parts:
        if _EMBEDDING.fullmatch(part):
            return Role.EMBEDDING
        if _ATTENTION.fullmatch(part):
            return Role.ATTENTION
        if _MLP.fullmatch(part):
            return Role.MLP
    # BERT: what stands behind the intermediate layer is called `output.dense`.
    if parts[-3:-1] == ["output", "dense"]:
        return Role.MLP
    return _of_a_bias(parts)


def _of_a_bias(parts: list[str]) -> Role:
    """A bias belongs to its module: that of a norm is a part of the norm."""
    if parts[-1] != "bias" or len(parts) < 2:
        return Role.OTHER
    reason = reason_by_name(".".join([*parts[:-1], "weight"]))
    return _BY_REASON.get(reason or Kept.BIAS, Role.OTHER)

"""Which tensors are compressed, and why the others are kept: one table of names and a few rules.

The rules in order: what cannot be compressed at all; `exclude`; `include`; then the names, and the rank. What a layout
has no room for is kept as well.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from app.formats import FloatFormat, find_format, format_names

if TYPE_CHECKING:
    from app.schemes.entries import SchemeEntry  # which loads torch


class Kept(StrEnum):
    """Why a tensor is stored as it was; each has a sentence `kept.REASON`."""

    NOT_FLOATING = "not-floating"
    EMPTY = "empty"
    SAME_FORMAT = "same-format"
    LARGER = "larger"
    LAYOUT = "layout"
    ROW_LENGTH = "row-length"
    LONG_ROWS = "long-rows"
    TURNED = "turned"
    MERGED_EXPERTS = "merged-experts"
    EXCLUDED = "excluded"
    QUANTIZATION = "quantization"
    BIAS = "bias"
    NORM = "norm"
    EMBEDDING = "embedding"
    HEAD = "head"
    ROUTER = "router"
    ONE_DIMENSIONAL = "one-dimensional"


@dataclass(frozen=True, slots=True)
class Candidate:
    """What the rules look at."""

    name: str
    format: str
    shape: tuple[int, ...]


# The name is lower-cased and split at its dots. A rule holds when its pattern matches the whole of the last part, or of
# the part before a last `weight`: the module's own name. `encoder.layer.0.attention.output.LayerNorm.weight` is a norm.
_NAMES: Sequence[tuple[Kept, str]] = (
    # Scales, zero points and the like of a file that is quantized already.
    (Kept.QUANTIZATION, r"(.*_)?(scales?|scale_inv|scale_2|zero_points?|zeros|qzeros|absmax|quant_map|scb|g_idx)"),
    (Kept.BIAS, r"(.*_)?bias(_.*)?|.*_bias_table"),
    # norm, layernorm, rms_norm, ln_1, ln_f, post_attention_layernorm, bn2, q_norm.
    (Kept.NORM, r"(.*_)?((layer|rms|batch|group)?_?norm(_?\d+|_f)?|ln(_?\w)?|bn\d*)|.*(layer|rms)norm.*"),
    # embed_tokens, word_embeddings, tok_embeddings, wte, wpe, position tables, relative_attention_bias, T5's shared,
    # and GGUF's token_embd.
    (Kept.EMBEDDING, r".*embe?d.*|wte|wpe|shared|(.*_)?position_(ids|encoding|table)|pos_emb|cls_token|rotary.*"),
    # lm_head, classifier, score, qa_outputs, and a last layer that is called just `output` or `head`.
    (Kept.HEAD, r"(.*_)?(head|classifier|score|qa_outputs|logits)|embed_out"),
    # What chooses among experts: small, sensitive, and read as it is by every loader; gate_proj is none.
    (Kept.ROUTER, r"gate|(ffn_)?gate_inp|router|(.*_)?router_?(weights?)?|shared_expert_gate"),
)
_PATTERNS = {reason: re.compile(pattern) for reason, pattern in _NAMES}
# Only at the top of the model: inside a layer these are ordinary projections.
_TOP_LEVEL_HEADS = {"output", "decoder", "fc_out", "proj_out"}


def reason_by_name(name: str) -> Kept | None:
    """Why a tensor of that name is kept, going by its name alone."""
    *around, own = _parts(name)
    for reason, pattern in _PATTERNS.items():
        if pattern.fullmatch(own):
            return reason
    # `embeddings.word.weight`, `classifier.dense.weight`: part of an embedding anywhere, of a head at the top.
    if any("embed" in part for part in around):
        return Kept.EMBEDDING
    if own in _TOP_LEVEL_HEADS and not around:
        return Kept.HEAD
    return Kept.HEAD if around and _PATTERNS[Kept.HEAD].fullmatch(around[0]) else None


def _parts(name: str) -> list[str]:
    parts = name.lower().split(".")
    return parts[:-1] if len(parts) > 1 and parts[-1] == "weight" else parts


def reason_to_keep(
    tensor: Candidate, entry: "SchemeEntry", include: Sequence[str] = (), exclude: Sequence[str] = ()
) -> Kept | None:
    """Why the tensor is kept, or None if it is compressed; whether the layout can hold it is the layout's to say."""
    impossible = _reason_it_cannot(tensor, entry)
    if impossible is not None:
        return impossible
    if any(fnmatchcase(tensor.name, pattern) for pattern in exclude):
        return Kept.EXCLUDED
    if any(fnmatchcase(tensor.name, pattern) for pattern in include):
        return None
    by_name = reason_by_name(tensor.name)
    if by_name is not None:
        return by_name
    return Kept.ONE_DIMENSIONAL if len(tensor.shape) < 2 else None


def _reason_it_cannot(tensor: Candidate, entry: "SchemeEntry") -> Kept | None:
    number_format = find_format(tensor.format) if tensor.format in format_names() else None
    if not isinstance(number_format, FloatFormat):
        return Kept.NOT_FLOATING
    if not number_format.has_zero:
        # Powers of two without a zero (E8M0) are scales, never weights.
        return Kept.QUANTIZATION
    if 0 in tensor.shape:
        return Kept.EMPTY
    if entry.family != "cast":
        return None
    if tensor.format == entry.element:
        return Kept.SAME_FORMAT
    return Kept.LARGER if number_format.width < find_format(entry.element).width else None

"""Which tensor of a Hugging Face model is which in a GGUF file that llama.cpp runs, both ways: tables only.

The names are those of llama.cpp (llama-arch.cpp) and of transformers. In models of the Llama architecture the rows of
queries and keys stand in another order in GGUF: transformers rotates a head's halves, llama.cpp its neighbours.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain, islice

_WEIGHT, _BIAS = ".weight", ".bias"
_EXPERT = "{expert}"
EXPERTS_SUFFIX = "_exps"


@dataclass(frozen=True, slots=True)
class ModelFamily:
    """Models whose modules have the same names."""

    prefixes: tuple[str, ...]
    """What may stand before every name, as in `bert.encoder...`; the usual one first."""
    layers: str
    """What stands before a layer's number."""
    whole: Mapping[str, str]
    """Modules of the whole model, without `.weight`: Hugging Face's name and llama.cpp's."""
    layer: Mapping[str, str]
    """The same in a layer; `{expert}` is the number of one of several that GGUF stores as one tensor."""
    left_out: re.Pattern[str]
    """Names, without a prefix, of what llama.cpp makes itself or has no use for."""


_LLAMA_LAYER = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_norm": "attn_k_norm",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    # Mixtral.
    "block_sparse_moe.gate": "ffn_gate_inp",
    "block_sparse_moe.experts.{expert}.w1": "ffn_gate_exps",
    "block_sparse_moe.experts.{expert}.w2": "ffn_down_exps",
    "block_sparse_moe.experts.{expert}.w3": "ffn_up_exps",
}
_QWEN_EXPERTS = {
    "mlp.gate": "ffn_gate_inp",
    "mlp.experts.{expert}.gate_proj": "ffn_gate_exps",
    "mlp.experts.{expert}.down_proj": "ffn_down_exps",
    "mlp.experts.{expert}.up_proj": "ffn_up_exps",
}
_MIXTRAL_PARTS = "block_sparse_moe"
_LLAMA_WHOLE = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output"}
_LLAMA_LEFT_OUT = re.compile(r"model\.(?:layers\.\d+\.self_attn\.)?rotary_emb\.inv_freq", re.ASCII)

LLAMA = ModelFamily(("",), "model.layers.", _LLAMA_WHOLE, _LLAMA_LAYER, _LLAMA_LEFT_OUT)
QWEN = ModelFamily(
    ("",),
    "model.layers.",
    _LLAMA_WHOLE,
    {**{name: found for name, found in _LLAMA_LAYER.items() if _MIXTRAL_PARTS not in name}, **_QWEN_EXPERTS},
    _LLAMA_LEFT_OUT,
)
BERT = ModelFamily(
    prefixes=("", "bert.", "roberta."),
    layers="encoder.layer.",
    whole={
        "embeddings.word_embeddings": "token_embd",
        "embeddings.position_embeddings": "position_embd",
        "embeddings.token_type_embeddings": "token_types",
        "embeddings.LayerNorm": "token_embd_norm",
    },
    layer={
        "attention.self.query": "attn_q",
        "attention.self.key": "attn_k",
        "attention.self.value": "attn_v",
        "attention.output.dense": "attn_output",
        "attention.output.LayerNorm": "attn_output_norm",
        "intermediate.dense": "ffn_up",
        "output.dense": "ffn_down",
        "output.LayerNorm": "layer_output_norm",
    },
    # The pooler feeds classifiers; embeddings are made without it. The others are heads of training.
    left_out=re.compile(
        r"embeddings\.(?:position_ids|token_type_ids)|pooler\.dense\.(?:weight|bias)|(?:cls|lm_head)\..+", re.ASCII
    ),
)

FAMILIES: dict[str, ModelFamily] = {"llama": LLAMA, "qwen2": QWEN, "qwen3": QWEN, "qwen3moe": QWEN, "bert": BERT}
"""By `general.architecture`."""

PERMUTED: dict[str, frozenset[str]] = {"llama": frozenset({"attn_q", "attn_k"})}
"""Modules whose rows change their order, by architecture."""

_NEEDED = {
    "bert": (
        "attn_q",
        "attn_k",
        "attn_v",
        "attn_output",
        "attn_output_norm",
        "ffn_up",
        "ffn_down",
        "layer_output_norm",
    ),
    "": ("attn_norm", "attn_q", "attn_k", "attn_v", "attn_output", "ffn_norm"),
}
"""Modules that every layer has; of all other architectures under no name."""
_FEED_FORWARD = ("ffn_gate", "ffn_up", "ffn_down")
_NEEDED_ONCE = {
    "bert": ("token_embd", "position_embd", "token_types", "token_embd_norm"),
    "": ("token_embd", "output_norm"),
}

FLOAT32_ONLY = frozenset({"ffn_gate_inp", "token_types", "position_embd"})
"""Modules that llama.cpp adds to other numbers or routes by: its own converter keeps them in float32."""

_LAYER_NUMBER = re.compile(r"(?P<layer>0|[1-9][0-9]{0,4})\.(?P<module>.+)", re.ASCII)
_BLOCK = re.compile(r"blk\.(?P<layer>0|[1-9][0-9]{0,4})\.(?P<module>[a-z0-9_]+)", re.ASCII)
_EXPERT_NUMBER = re.compile(r"\.experts\.(?P<expert>0|[1-9][0-9]{0,4})\.", re.ASCII)
_OLD_NORMS = {".gamma": _WEIGHT, ".beta": _BIAS}
"""How TensorFlow called them; old checkpoints of BERT still do."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a tensor of a model goes."""

    name: str
    module: str
    """Its last part without `.weight`: `attn_q`."""
    expert: int | None = None
    """Which slice of the outermost dimension it is, where experts are stored as one tensor."""


def place_of(name: str, architecture: str) -> Place | None:
    """Where the tensor of that Hugging Face name goes; None for one that llama.cpp has no place for."""
    family = FAMILIES[architecture]
    stem, kind = _split(_without_prefix(name, family))
    if not kind:
        return None
    if stem in family.whole:
        return Place(family.whole[stem] + kind, family.whole[stem])
    found = _LAYER_NUMBER.fullmatch(stem.removeprefix(family.layers)) if stem.startswith(family.layers) else None
    if found is None:
        return None
    expert = _EXPERT_NUMBER.search(found["module"])
    key = found["module"] if expert is None else _EXPERT_NUMBER.sub(f".experts.{_EXPERT}.", found["module"], count=1)
    module = family.layer.get(key)
    if module is None:
        return None
    return Place(f"blk.{found['layer']}.{module}{kind}", module, None if expert is None else int(expert["expert"]))


def is_left_out(name: str, architecture: str) -> bool:
    """Whether the tensor of that Hugging Face name is none that llama.cpp reads, and the model runs without it."""
    family = FAMILIES[architecture]
    return family.left_out.fullmatch(_without_prefix(name, family)) is not None


def hf_name(name: str, architecture: str, expert: int | None = None) -> str | None:
    """The Hugging Face name of a tensor of a GGUF file, without a prefix; None for one that has none.

    `expert` says which slice of a tensor of experts is asked for.
    """
    family = FAMILIES.get(architecture)
    stem, kind = _split(name)
    if family is None or not kind:
        return None
    for theirs, ours in family.whole.items():
        if ours == stem:
            return theirs + kind
    found = _BLOCK.fullmatch(stem)
    if found is None:
        return None
    for theirs, ours in family.layer.items():
        if ours == found["module"] and (_EXPERT in theirs) == (expert is not None):
            return f"{family.layers}{found['layer']}.{theirs.replace(_EXPERT, str(expert))}{kind}"
    return None


def missing_modules(names: Iterable[str], architecture: str, layers: int, experts: int) -> list[str]:
    """The first tensors that llama.cpp needs and that are not among these GGUF names; at most a few."""
    found = set(names)
    needed = _NEEDED.get(architecture, _NEEDED[""])
    if architecture != "bert":
        needed += (*(f"{part}{EXPERTS_SUFFIX}" for part in _FEED_FORWARD), "ffn_gate_inp") if experts else _FEED_FORWARD
    whole = [f"{module}{_WEIGHT}" for module in _NEEDED_ONCE.get(architecture, _NEEDED_ONCE[""])]
    inside = (f"blk.{layer}.{module}{_WEIGHT}" for layer in range(layers) for module in needed)
    return list(islice((name for name in chain(whole, inside) if name not in found), 8))


def module_of(name: str) -> str:
    """The last part of a GGUF name without `.weight`: `attn_q`."""
    return _split(name)[0].rpartition(".")[2]


def permuted_rows(name: str, architecture: str) -> bool:
    """Whether the rows of the GGUF tensor of that name stand in another order than in the model."""
    return module_of(name) in PERMUTED.get(architecture, frozenset())


def prefix_of(name: str, architecture: str) -> str:
    """What stands before the usual names in that Hugging Face name."""
    return next((prefix for prefix in FAMILIES[architecture].prefixes[1:] if name.startswith(prefix)), "")


def _without_prefix(name: str, family: ModelFamily) -> str:
    for prefix in family.prefixes[1:]:
        if name.startswith(prefix):
            return name.removeprefix(prefix)
    return name


def _split(name: str) -> tuple[str, str]:
    """The module, and `.weight` or `.bias`; no ending for other names."""
    for old, new in _OLD_NORMS.items():
        if name.endswith(f"LayerNorm{old}"):
            return name.removesuffix(old), new
    for kind in (_WEIGHT, _BIAS):
        if name.endswith(kind):
            return name.removesuffix(kind), kind
    return name, ""

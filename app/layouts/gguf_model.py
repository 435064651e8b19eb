"""What a GGUF file of a source will be: which name each weight gets, and what the file says about the model.

Three cases: a GGUF file, which keeps names and metadata; a model that llama.cpp runs, whose names are mapped; and any
other, which keeps its names in a file that llama.cpp does not run.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from app.layouts.companion_json import companion_json, companion_object
from app.layouts.gguf_model_metadata import (
    ModelDescription,
    describe_model,
    general_pairs,
    pooling_of,
)
from app.layouts.gguf_names import (
    FLOAT32_ONLY,
    PERMUTED,
    Place,
    is_left_out,
    missing_modules,
    module_of,
    place_of,
    prefix_of,
)
from app.layouts.gguf_original import original_pairs
from app.layouts.gguf_settings import UnsupportedModel
from app.layouts.gguf_special_tokens import chat_template_pairs, special_token_pairs
from app.layouts.gguf_tokenizer import TokenizerPairs, UnsupportedTokenizer, tokenizer_pairs, word_list_pairs
from app.layouts.weights import Weight
from app.weightfiles.gguf_layout import KeyValue, ValueType
from app.weightfiles.source import Source
from app.weightfiles.strict_json import shown

MODULES, POOLING = "modules.json", "1_Pooling/config.json"
"""Of sentence-transformers."""
EMBEDDINGS, HEAD = "token_embd.weight", "output.weight"
_NAME_CHARACTERS = 120


@dataclass(frozen=True, slots=True)
class Target:
    """Where a weight of the source goes."""

    name: str
    is_left_out: bool = False
    """llama.cpp reads no such tensor, and the model runs without it."""
    is_float32: bool = False
    """llama.cpp reads the tensor in float32 only."""
    head_rows: int = 0
    """Where rows change their order: how many make one attention head."""
    first_row: int = 0
    """Rows before this one are not stored."""
    expert: int | None = None
    experts: int = 0
    """Of how many slices of one stored tensor it is one."""


@dataclass(frozen=True, slots=True)
class OutputModel:
    """The names and the metadata of an output."""

    targets: Mapping[str, Target]
    """By the weight's name."""
    pairs: tuple[KeyValue, ...] = ()
    """Without what depends on how tensors are stored."""
    remarks: tuple[str, ...] = ()
    """Ids of sentences for the report."""
    rope_factors: tuple[float, ...] = ()
    architecture: str = ""
    """llama.cpp's name for it; empty where it knows none."""
    is_copy: bool = False
    """A GGUF file's own metadata go on, and its tensors stay as they are where they are kept."""


def copied_model(weights: Sequence[Weight]) -> OutputModel:
    """A GGUF file once more."""
    targets = {
        weight.name: Target(weight.name, is_float32=module_of(weight.name) in FLOAT32_ONLY) for weight in weights
    }
    return OutputModel(targets, is_copy=True)


def model_of(source: Source, weights: Sequence[Weight]) -> OutputModel:
    """What is made of a source of any other kind."""
    config = companion_object(source, "config.json")
    name = _model_name(config)
    try:
        pooling = pooling_of(companion_json(source, MODULES), companion_object(source, POOLING))
        description = describe_model(config, pooling)
        targets = _mapped(weights, description)
    except UnsupportedModel as error:
        targets = {weight.name: Target(weight.name) for weight in weights}
        return OutputModel(targets, tuple(general_pairs("unknown", name)), (error.remark,))
    architecture = description.architecture
    embeddings = next(weight for weight in weights if targets[weight.name].name == EMBEDDINGS)
    tokenizer, remarks = _tokenizer(source, config, embeddings.shape[0], architecture)
    hints = original_pairs(prefix_of(embeddings.name, architecture), description.first_position)
    pairs = (*general_pairs(architecture, name), *description.pairs, *tokenizer, *hints)
    return OutputModel(targets, pairs, remarks, description.rope_factors, architecture)


def _model_name(config: Mapping[str, object]) -> str:
    """The last part of what the config calls the model; a path of somebody's machine is nobody's business."""
    found = config.get("_name_or_path")
    parts = found.replace("\\", "/").rstrip("/").split("/") if isinstance(found, str) else [""]
    return shown(parts[-1], _NAME_CHARACTERS)


def _mapped(weights: Sequence[Weight], description: ModelDescription) -> Mapping[str, Target]:
    """The target of every weight.

    Raises:
        UnsupportedModel: a weight has no place, or a place has no weight, or a shape is not what the config says.
    """
    architecture = description.architecture
    targets: dict[str, Target] = {}
    taken: set[tuple[str, int | None]] = set()
    for weight, place in _places(weights, architecture):
        if place is None and is_left_out(weight.name, architecture):
            targets[weight.name] = Target("", is_left_out=True)
        elif place is None or (place.name, place.expert) in taken:
            raise UnsupportedModel("remark.gguf-unplaced")
        else:
            taken.add((place.name, place.expert))
            targets[weight.name] = _target(weight, place, description)
    stacks = {name for name, expert in taken if expert is not None}
    if any((name, expert) not in taken for name in stacks for expert in range(description.experts)):
        raise UnsupportedModel("remark.gguf-missing")
    if missing_modules((name for name, _ in taken), architecture, description.layers, description.experts):
        raise UnsupportedModel("remark.gguf-missing")
    return MappingProxyType(targets)


def _places(weights: Sequence[Weight], architecture: str) -> Iterator[tuple[Weight, Place | None]]:
    """Where each weight goes; a head that shares the embeddings' memory may stand for both."""
    found = [(weight, place_of(weight.name, architecture)) for weight in weights]
    has_embeddings = any(place is not None and place.name == EMBEDDINGS for _, place in found)
    for weight, place in found:
        is_for_both = not has_embeddings and place is not None and place.name == HEAD
        yield weight, Place(EMBEDDINGS, EMBEDDINGS.removesuffix(".weight")) if is_for_both else place


def _target(weight: Weight, place: Place, description: ModelDescription) -> Target:
    head_rows = 0
    if place.module in PERMUTED.get(description.architecture, frozenset()):
        heads = description.heads if place.module == "attn_q" else description.key_value_heads
        if not weight.shape or weight.shape[0] != heads * description.head_size:
            raise UnsupportedModel("remark.gguf-bad-config")
        head_rows = description.head_size
    if place.expert is not None and (place.expert >= description.experts or len(weight.shape) != 2):
        raise UnsupportedModel("remark.gguf-bad-config")
    if place.module == "token_embd" and len(weight.shape) != 2:
        raise UnsupportedModel("remark.gguf-bad-config")
    first_row = description.first_position if place.module == "position_embd" else 0
    if first_row and (len(weight.shape) != 2 or weight.shape[0] <= first_row):
        raise UnsupportedModel("remark.gguf-bad-config")
    return Target(
        place.name,
        is_float32=place.module in FLOAT32_ONLY,
        head_rows=head_rows,
        first_row=first_row,
        expert=place.expert,
        experts=0 if place.expert is None else description.experts,
    )


def _tokenizer(
    source: Source, config: Mapping[str, object], rows: int, architecture: str
) -> tuple[list[KeyValue], tuple[str, ...]]:
    """The tokenizer's pairs and what there is to say; without a tokenizer, what makes llama.cpp go by numbers."""
    document = companion_object(source, "tokenizer.json")
    settings = companion_object(source, "tokenizer_config.json")
    try:
        found = _tokens(source, document, settings, rows, architecture)
    except UnsupportedTokenizer as error:
        none = KeyValue("tokenizer.ggml.model", ValueType.STRING, "no_vocab")
        size = KeyValue(f"{architecture}.vocab_size", ValueType.UINT32, rows)
        return [none, size] if architecture == "bert" else [none], (error.remark,)
    template = source.companion("chat_template.jinja")
    pairs = [
        *found.pairs,
        *special_token_pairs(document, settings, config, found.ids),
        *chat_template_pairs(settings, None if template is None else template.decode("utf-8", "replace")),
    ]
    return pairs, () if found.remark is None else (found.remark,)


def _tokens(
    source: Source,
    document: Mapping[str, object],
    settings: Mapping[str, object],
    rows: int,
    architecture: str,
) -> TokenizerPairs:
    words = source.companion("vocab.txt")
    if not document and architecture == "bert" and words is not None:
        return word_list_pairs(words, rows, lower_case=settings.get("do_lower_case", True) is True)
    return tokenizer_pairs(document, rows)

"""What an expansion will write, known from headers alone: each weight's format, its names, and its place in a file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.errors import WeightFileError
from app.formats import FloatFormat, find_format
from app.layouts.plain_writing import kept_metadata
from app.layouts.tied_weights import TIED_KEY, tied_names
from app.layouts.weights import StoredTensors, Weight
from app.tasks.shards import shard_names, shards_by_part
from app.weightfiles.file_layout import FileLayout, StoredTensor
from app.weightfiles.range_reader import WeightFile
from app.weightfiles.safetensors_layout import lay_out
from app.weightfiles.storage_types import BY_FORMAT
from app.weightfiles.strict_json import shown

MODEL_FILE = "model.safetensors"
_TORCHAO_KEY = "tensor_names"
_PLAIN = '{"_type": "Tensor"}'
"""What torchao's metadata says of a tensor that was left as it was."""
_CODE_FORMATS = frozenset({"int8", "uint8", "int32", "uint32", "float8_e4m3fn", "float8_e5m2", "float8_e8m0fnu"})
"""What codes of a quantization are stored in, and hardly anything else that is a matrix."""


@dataclass(frozen=True, slots=True)
class ExpandedWeight:
    """A weight, the format of its numbers in the output, and all names that it is written under."""

    weight: Weight
    format: str
    names: tuple[str, ...]

    @property
    def stored(self) -> tuple[StoredTensor, ...]:
        """What is written, once for each name."""
        return tuple(StoredTensor.of(name, self.format, self.weight.shape) for name in self.names)

    @property
    def bytes(self) -> int:
        """Of one of these."""
        return self.stored[0].bytes


@dataclass(frozen=True, slots=True)
class ExpandedFile:
    """One file of the output."""

    name: str
    """What it is called in a folder."""
    weights: tuple[ExpandedWeight, ...]
    layout: FileLayout


@dataclass(frozen=True, slots=True)
class ExpandPlan:
    """The whole output."""

    files: tuple[ExpandedFile, ...]
    tied: dict[str, str]
    """Names that the source had dropped, and the kept ones."""

    @property
    def total_size(self) -> int:
        """The bytes of all tensors."""
        return sum(item.bytes * len(item.names) for file in self.files for item in file.weights)

    @property
    def weight_map(self) -> dict[str, str]:
        """The file of each tensor."""
        return {name: file.name for file in self.files for item in file.weights for name in item.names}


def plan_expansion(file: WeightFile, weights: Sequence[Weight], dtype: str | None, *, is_folder: bool) -> ExpandPlan:
    """The plan for a source; in a folder there are as many files as the source has parts with weights.

    Raises:
        WeightFileError: `expand.unreadable`, a weight that is no numbers to us; `expand.unknown-codes`, codes of a
            layout that is not read; `layout.tied-*`.
    """
    _refuse_codes(file, weights)
    tied = tied_names(file.header.metadata, {weight.name for weight in weights})
    dropped: dict[str, list[str]] = {}
    for name, kept in sorted(tied.items()):
        dropped.setdefault(kept, []).append(name)
    items = [
        ExpandedWeight(weight, _format(weight, dtype), (weight.name, *dropped.get(weight.name, ())))
        for weight in weights
    ]
    places = shards_by_part([weight.parts[0].part for weight in weights]) if is_folder else [0] * len(weights)
    metadata = _metadata(file, weights)
    files = []
    for index, name in enumerate(shard_names(MODEL_FILE, max(places, default=0) + 1)):
        mine = tuple(item for item, place in zip(items, places, strict=True) if place == index)
        stored = [tensor for item in mine for tensor in item.stored]
        files.append(ExpandedFile(name, mine, lay_out(stored, metadata)))
    return ExpandPlan(tuple(files), tied)


def _refuse_codes(file: WeightFile, weights: Sequence[Weight]) -> None:
    """Refuses to pass codes off as numbers, where the model says that it is quantized."""
    config = StoredTensors(file).quantization_config
    method = config.get("quant_method")
    if method is None and _TORCHAO_KEY in file.header.metadata:
        method = "torchao"
    if method is None:
        return
    plain = _named_plain(config)
    for weight in weights:
        is_told = weight.name.removesuffix(".weight") in plain or file.header.metadata.get(weight.name) == _PLAIN
        if not is_told and weight.encoding is None and len(weight.shape) > 1 and weight.format in _CODE_FORMATS:
            raise WeightFileError("expand.unknown-codes", tensor=shown(weight.name), method=shown(str(method), 40))


def _format(weight: Weight, dtype: str | None) -> str:
    """Of the numbers in the output."""
    entry = weight.parts[0]
    is_run = entry.strides is None and not entry.is_big_endian
    if weight.format not in BY_FORMAT or not (weight.is_readable or is_run):
        raise WeightFileError("expand.unreadable", tensor=shown(weight.name), dtype=weight.format[:40])
    is_float = weight.is_readable and isinstance(find_format(weight.format), FloatFormat)
    return dtype if dtype is not None and is_float else weight.format


def _metadata(file: WeightFile, weights: Sequence[Weight]) -> dict[str, str]:
    """The source's own, without what it said of how weights are stored."""
    gone = {TIED_KEY, _TORCHAO_KEY, *(weight.name for weight in weights)}
    return {name: text for name, text in kept_metadata(file).items() if name not in gone} | {"format": "pt"}


def _named_plain(config: Mapping[str, Any]) -> set[str]:
    """Modules that a config says were left as they were."""
    lists = (config.get(key) for key in ("ignore", "modules_to_not_convert", "llm_int8_skip_modules"))
    return {name for each in lists if isinstance(each, list) for name in each if isinstance(name, str)}

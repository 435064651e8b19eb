"""The layout of compressed-tensors: integers in words, floats of 8, 6 and 4 bits, and which weights it has room for."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from app.errors import InvalidInput, WeightFileError
from app.layouts.compressed_tensors_config import WeightArguments, quantization_config
from app.layouts.loader_limits import loader_obstacle
from app.layouts.plain_writing import CONFIG_KEY, SafetensorsSession
from app.layouts.scheme_coder import SchemeCoder, Slots, fits_memory
from app.layouts.weights import Weight
from app.layouts.writing import ChosenScheme, Coder, Description, Obstacle, OutputLayout, Planned
from app.schemes.affine import AffineScheme
from app.schemes.entries import SchemeEntry
from app.schemes.grid_scheme import GridScheme
from app.schemes.partitions import Granularity
from app.schemes.selection import Kept, reason_by_name
from app.weightfiles.file_header import MAX_NAME_BYTES
from app.weightfiles.file_layout import StoredTensor
from app.weightfiles.strict_json import shown

LAYOUT = "compressed-tensors"
UNUSUAL_NAME = "note.unusual-name"
"""The id of a sentence: the name does not end in `.weight`, so loaders of the layout may not look for it."""
_WEIGHT = ".weight"
_INTEGERS = tuple(f"int{bits}" for bits in range(2, 9))
_SMALL_FLOATS = {
    "nvfp4": ("nvfp4-pack-quantized", "tensor_group", 16, "torch.float8_e4m3fn"),
    "mxfp4": ("mxfp4-pack-quantized", "group", 32, "torch.uint8"),
    "mxfp6": ("mxfp6-pack-quantized", "group", 32, "torch.uint8"),
    "mxfp8": ("mxfp8-quantized", "group", 32, "torch.uint8"),
}
"""The format, strategy, size of a group, and dtype of scales."""
_INTEGER_GRANULARITIES = (Granularity.TENSOR, Granularity.CHANNEL, Granularity.GROUP)
_FLOAT_GRANULARITIES = (*_INTEGER_GRANULARITIES, Granularity.BLOCK)
_SCALE_FORMATS = ("float32", "float16", "bfloat16")


def _takes(entry: SchemeEntry) -> bool:
    return entry.name in (*_INTEGERS, "fp8", *_SMALL_FLOATS)


@dataclass(frozen=True, slots=True)
class CompressedTensorsSession(SafetensorsSession):
    """One output in this layout."""

    def coder(self, weight: Weight, chosen: ChosenScheme) -> Coder | Obstacle:
        """See `LayoutSession`."""
        own = weight.format if weight.format in _SCALE_FORMATS else "float32"
        scheme = chosen.scheme(scale_format=own)
        assert isinstance(scheme, GridScheme | AffineScheme)
        arguments = weight_arguments(scheme, chosen)
        if len(weight.shape) != 2:
            return Obstacle(Kept.LAYOUT)
        obstacle = loader_obstacle(weight, self.model_type)
        if obstacle is not None:
            return obstacle
        size = arguments.group_size
        if size is not None and weight.shape[1] % size:
            return Obstacle(Kept.ROW_LENGTH, {"columns": weight.shape[1], "size": size})
        if not fits_memory(scheme, weight.shape[1]):
            return Obstacle(Kept.LONG_ROWS, {"columns": weight.shape[1]})
        return _coder(weight, scheme, chosen, arguments)

    def describe(self, planned: Sequence[Planned]) -> Description:
        """See `LayoutSession`."""
        groups: dict[WeightArguments, list[str]] = {}
        notes: dict[str, str] = {}
        kept: list[str] = []
        has_embeddings = False
        for each in planned:
            name = each.weight.name
            module = name.removesuffix(_WEIGHT)
            if each.chosen is None:
                if name.endswith(_WEIGHT) and len(each.weight.shape) > 1:
                    kept.append(module)
                continue
            assert isinstance(each.coder, SchemeCoder)
            groups.setdefault(weight_arguments(each.coder.scheme, each.chosen), []).append(module)
            has_embeddings |= reason_by_name(name) is Kept.EMBEDDING
            if not name.endswith(_WEIGHT):
                notes[name] = UNUSUAL_NAME
        if not groups:
            return SafetensorsSession.describe(self, planned)
        config = quantization_config(groups, kept, has_embeddings=has_embeddings)
        metadata = {**self.metadata, CONFIG_KEY: json.dumps(config, separators=(",", ":"))}
        return Description(metadata, {CONFIG_KEY: config}, notes=notes)


def weight_arguments(scheme: GridScheme | AffineScheme, chosen: ChosenScheme) -> WeightArguments:
    """What the config says of a scheme's weights.

    Raises:
        InvalidInput: `layout.option`, `layout.granularity`: options that the layout has no place for.
    """
    name, partition = scheme.name, scheme.partition
    if name in _SMALL_FLOATS:
        stored_as, strategy, size, scale_dtype = _SMALL_FLOATS[name]
        bits = scheme.grid.bits if isinstance(scheme, GridScheme) else 0
        return WeightArguments(stored_as, bits, "float", strategy, size, scale_dtype=scale_dtype)
    if chosen.options.zero_point == "float":
        raise InvalidInput("layout.option", layout=LAYOUT, option="zero=float")
    known = _FLOAT_GRANULARITIES if name == "fp8" else _INTEGER_GRANULARITIES
    if partition.granularity not in known:
        raise InvalidInput("layout.granularity", layout=LAYOUT, scheme=name, granularity=str(partition))
    is_group = partition.granularity is Granularity.GROUP
    return WeightArguments(
        "naive-quantized" if name == "fp8" else "pack-quantized",
        8 if name == "fp8" else int(name.removeprefix("int")),
        "float" if name == "fp8" else "int",
        str(partition.granularity),
        partition.columns if is_group else None,
        (partition.rows, partition.columns) if partition.granularity is Granularity.BLOCK else None,
        symmetric=isinstance(scheme, GridScheme),
    )


def _coder(weight: Weight, scheme: GridScheme | AffineScheme, chosen: ChosenScheme, said: WeightArguments) -> Coder:
    name = weight.name
    rows, columns = weight.shape
    if len(f"{name}_global_scale".encode()) > MAX_NAME_BYTES:
        raise WeightFileError("compress.name-too-long", tensor=shown(name))
    down, across = scheme.partition.scale_shape((rows, columns))
    scale_shape = (1,) if scheme.partition.granularity is Granularity.TENSOR else (down, across)
    scale_format = "uint8" if said.scale_dtype == "torch.uint8" else scheme.scale_format.name
    row_bytes = scheme.packing.row_bits(columns) // 8
    if said.format == "pack-quantized":
        codes = StoredTensor.of(f"{name}_packed", "int32", (rows, row_bytes // 4))
    elif said.bits == 8:
        codes = StoredTensor.of(name, "float8_e4m3fn", (rows, columns))
    else:
        codes = StoredTensor.of(f"{name}_packed", "uint8", (rows, row_bytes))
    shape = StoredTensor.of(f"{name}_shape", "int64", (2,)), torch.tensor([rows, columns], dtype=torch.int64)
    slots = Slots(
        codes,
        StoredTensor.of(f"{name}_scale", scale_format, scale_shape),
        _zero_points(name, scheme, (down, across), scale_shape),
        StoredTensor.of(f"{name}_global_scale", "float32", (1,)) if said.strategy == "tensor_group" else None,
        (shape,) if said.format == "pack-quantized" else (),
    )
    return SchemeCoder(
        weight, scheme, chosen.choices, slots, packed_text(scale_format, scheme.name, said.format), _dtype(scheme)
    )


def _zero_points(
    name: str, scheme: GridScheme | AffineScheme, arranged: tuple[int, int], scale_shape: tuple[int, ...]
) -> StoredTensor | None:
    if isinstance(scheme, GridScheme):
        return None
    if scheme.partition.granularity is Granularity.TENSOR:
        return StoredTensor.of(f"{name}_zero_point", "int8", scale_shape)
    words = -(-arranged[0] * scheme.pairs.bits // 32)
    return StoredTensor.of(f"{name}_zero_point", "int32", (words, arranged[1]))


def _dtype(scheme: GridScheme | AffineScheme) -> torch.dtype:
    """What the layout's readers give: the dtype of the scales, where that is a model's; of NVFP4 bfloat16."""
    if scheme.name == "nvfp4":
        return torch.bfloat16
    return scheme.scale_format.dtype if scheme.scale_format.name in _SCALE_FORMATS else torch.float32


def packed_text(scale_format: str, scheme: str = "int8", stored_format: str = "pack-quantized") -> str:
    """The layout's format in a few words that need no translation."""
    return f"{stored_format} {scheme}, {scale_format} scales"


COMPRESSED_TENSORS = OutputLayout(LAYOUT, ".safetensors", "model.safetensors", _takes, CompressedTensorsSession.begin)
"""Weights for vLLM and transformers."""

"""MLX's layout: affine integers of 2 to 8 bits with a scale and a bias a group, and its modes mxfp4 and mxfp8."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from torch import Tensor

from app.errors import InvalidInput
from app.layouts.loader_limits import loader_obstacle
from app.layouts.plain_writing import CONFIG_KEY, SafetensorsSession, kept_metadata, model_type_of
from app.layouts.scheme_coder import SchemeCoder, Slots
from app.layouts.weights import Weight
from app.layouts.writing import ChosenScheme, Coder, Description, Obstacle, OutputLayout, Planned
from app.schemes.affine import AffineScheme
from app.schemes.entries import SchemeEntry
from app.schemes.grid_scheme import GridScheme
from app.schemes.partitions import Granularity
from app.schemes.scheme import QuantizedTensor, Scheme
from app.schemes.selection import Kept
from app.weightfiles.file_layout import StoredTensor
from app.weightfiles.range_reader import WeightFile

LAYOUT = "mlx"
MODEL_KEY = "quantization"
"""Where mlx-lm looks in config.json; under `quantization_config` stands the same for transformers."""
_WEIGHT = ".weight"
_GROUPS = (32, 64, 128)
_MICROSCALING = {"mxfp4": 4, "mxfp8": 8}
_SCALE_FORMATS = ("float32", "float16", "bfloat16")


def _takes(entry: SchemeEntry) -> bool:
    return entry.layout == LAYOUT or entry.name in _MICROSCALING


@dataclass(frozen=True, slots=True)
class MlxSession(SafetensorsSession):
    """One output in this layout."""

    @classmethod
    def begin(cls, file: WeightFile, weights: Sequence[Weight]) -> Self:
        """See `SafetensorsSession`."""
        del weights
        return cls({**kept_metadata(file), "format": "mlx"}, model_type_of(file))

    def coder(self, weight: Weight, chosen: ChosenScheme) -> Coder | Obstacle:
        """See `LayoutSession`."""
        own = weight.format if weight.format in _SCALE_FORMATS else "float32"
        scheme = chosen.scheme(scale_format=own)
        assert isinstance(scheme, GridScheme | AffineScheme)
        said = arguments(scheme)
        if len(weight.shape) != 2 or not weight.name.endswith(_WEIGHT):
            return Obstacle(Kept.LAYOUT)
        obstacle = loader_obstacle(weight, self.model_type)
        if obstacle is not None:
            return obstacle
        rows, columns = weight.shape
        size = said["group_size"]
        if columns % size:
            return Obstacle(Kept.ROW_LENGTH, {"columns": columns, "size": size})
        module = weight.name.removesuffix(_WEIGHT)
        groups = (rows, columns // size)
        is_affine = isinstance(scheme, AffineScheme)
        stored_scales = scheme.scale_format.name if is_affine else "uint8"
        slots = Slots(
            StoredTensor.of(weight.name, "uint32", (rows, scheme.packing.row_bits(columns) // 32)),
            StoredTensor.of(f"{module}.scales", stored_scales, groups),
            StoredTensor.of(f"{module}.biases", stored_scales, groups) if is_affine else None,
        )
        text = f"mlx {said['mode']} {said['bits']} bits, {stored_scales} scales"
        return SchemeCoder(weight, scheme, chosen.choices, slots, text, restored=restored if is_affine else None)

    def describe(self, planned: Sequence[Planned]) -> Description:
        """See `LayoutSession`: what most weights have stands for all, others are named."""
        found = {
            each.weight.name.removesuffix(_WEIGHT): arguments(each.coder.scheme)
            for each in planned
            if each.chosen is not None and isinstance(each.coder, SchemeCoder)
        }
        if not found:
            return SafetensorsSession.describe(self, planned)
        (usual, _), *_others = Counter(json.dumps(said) for said in found.values()).most_common(1)
        config: dict[str, Any] = json.loads(usual)
        others = {module: said for module, said in found.items() if json.dumps(said) != usual}
        whole = {**config, **others}
        return Description(self.metadata, {MODEL_KEY: whole, CONFIG_KEY: whole})


def arguments(scheme: Scheme) -> Mapping[str, Any]:
    """What the config says of a scheme.

    Raises:
        InvalidInput: `layout.granularity`, groups that MLX has no kernels for; `layout.option`.
    """
    assert isinstance(scheme, GridScheme | AffineScheme)
    partition = scheme.partition
    if isinstance(scheme, GridScheme):
        return {"group_size": partition.columns, "bits": _MICROSCALING[scheme.name], "mode": scheme.name}
    if partition.granularity is not Granularity.GROUP or partition.columns not in _GROUPS:
        raise InvalidInput("layout.granularity", layout=LAYOUT, scheme=scheme.name, granularity=str(partition))
    return {"group_size": partition.columns, "bits": scheme.pairs.bits, "mode": "affine"}


def restored(scheme: Scheme, stored: QuantizedTensor) -> Tensor:
    """What MLX gives: the product and then the sum, each rounded to the dtype of the scales."""
    assert isinstance(scheme, AffineScheme)
    elements = scheme.elements(stored)
    assert elements.offsets is not None
    dtype = scheme.scale_format.dtype
    return elements.levels.to(dtype) * elements.scales.to(dtype) + elements.offsets.to(dtype)


MLX = OutputLayout(LAYOUT, ".safetensors", "model.safetensors", _takes, MlxSession.begin)
"""Weights for mlx and mlx-lm."""

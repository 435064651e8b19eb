"""GPTQ's layout, second version: codes of 2, 3, 4 or 8 bits packed down the turned matrix, zero points as they are."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from app.errors import InvalidInput
from app.layouts.loader_limits import loader_obstacle
from app.layouts.plain_writing import CONFIG_KEY, SafetensorsSession
from app.layouts.turned_coder import TurnedCoder
from app.layouts.weights import Weight
from app.layouts.writing import ChosenScheme, Coder, Description, Obstacle, OutputLayout, Planned
from app.schemes.affine import AffineScheme
from app.schemes.affine_offsets import PackedZeroPoints
from app.schemes.entries import SchemeEntry
from app.schemes.grid_scheme import GridScheme
from app.schemes.partitions import Granularity
from app.schemes.selection import Kept, reason_by_name
from app.weightfiles.file_layout import StoredTensor

LAYOUT = "gptq"
_WEIGHT = ".weight"
_SCHEMES = ("int2", "int3", "int4", "int8")
_MULTIPLE = 32
"""Of rows and columns: codes and zero points fill whole words."""
MOST_COLUMNS = 1 << 18
"""A band of rows of that length still fits into memory."""


def _takes(entry: SchemeEntry) -> bool:
    return entry.name in _SCHEMES


@dataclass(frozen=True, slots=True)
class GptqSession(SafetensorsSession):
    """One output in this layout."""

    def coder(self, weight: Weight, chosen: ChosenScheme) -> Coder | Obstacle:
        """See `LayoutSession`."""
        scheme = turned_scheme(chosen, LAYOUT)
        obstacle = turned_obstacle(weight, scheme, _MULTIPLE) or loader_obstacle(weight, self.model_type)
        if obstacle is not None:
            return obstacle
        rows, columns = weight.shape
        groups, bits = scheme.partition.scale_shape((rows, columns))[1], bits_of(scheme)
        module, packing = weight.name.removesuffix(_WEIGHT), PackedZeroPoints(bits)
        index = torch.arange(columns, dtype=torch.int32).div_(columns // groups, rounding_mode="floor")
        return TurnedCoder(
            weight,
            scheme,
            chosen.choices,
            StoredTensor.of(f"{module}.qweight", "int32", (columns * bits // 32, rows)),
            StoredTensor.of(f"{module}.qzeros", "int32", (groups, rows * bits // 32)),
            StoredTensor.of(f"{module}.scales", "float16", (groups, rows)),
            packing.stored,
            lambda zeros: packing.stored(zeros.t().contiguous()).t(),
            f"gptq int{bits}, float16 scales",
            ((StoredTensor.of(f"{module}.g_idx", "int32", (columns,)), index),),
        )

    def describe(self, planned: Sequence[Planned]) -> Description:
        """See `LayoutSession`."""
        scheme = only_scheme(planned, LAYOUT)
        if scheme is None:
            return SafetensorsSession.describe(self, planned)
        config: dict[str, Any] = {
            "quant_method": "gptq",
            "bits": bits_of(scheme),
            "group_size": group_size(scheme),
            "desc_act": False,
            "sym": isinstance(scheme, GridScheme),
            "lm_head": False,
            "checkpoint_format": "gptq_v2",
            "pack_dtype": "int32",
        }
        kept = kept_modules(planned)
        if kept:
            config["dynamic"] = {f"-:{_escaped(module)}": {} for module in kept}
        metadata = {**self.metadata, CONFIG_KEY: json.dumps(config, separators=(",", ":"))}
        return Description(metadata, {CONFIG_KEY: config})


def turned_scheme(chosen: ChosenScheme, layout: str) -> GridScheme | AffineScheme:
    """The scheme with what these layouts need: float16 scales, of groups or rows.

    Raises:
        InvalidInput: `layout.granularity`, `layout.option`.
    """
    if chosen.options.zero_point == "float":
        raise InvalidInput("layout.option", layout=layout, option="zero=float")
    if chosen.options.scale_format not in {None, "float16"}:
        raise InvalidInput("layout.option", layout=layout, option=f"scales={chosen.options.scale_format}")
    scheme = chosen.scheme(scale_format="float16", granularity="group=128")
    assert isinstance(scheme, GridScheme | AffineScheme)
    if scheme.partition.granularity not in {Granularity.GROUP, Granularity.CHANNEL}:
        raise InvalidInput("layout.granularity", layout=layout, scheme=chosen.name, granularity=str(scheme.partition))
    return scheme


def turned_obstacle(weight: Weight, scheme: GridScheme | AffineScheme, multiple: int) -> Obstacle | None:
    """Why these layouts cannot hold a weight."""
    if len(weight.shape) != 2 or not weight.name.endswith(_WEIGHT):
        return Obstacle(Kept.LAYOUT)
    rows, columns = weight.shape
    size = scheme.partition.columns or multiple
    if columns % size or columns % multiple:
        return Obstacle(Kept.ROW_LENGTH, {"columns": columns, "size": max(size, multiple)})
    if rows % multiple:
        return Obstacle(Kept.ROW_LENGTH, {"columns": rows, "size": multiple})
    if columns > MOST_COLUMNS:
        return Obstacle(Kept.LONG_ROWS, {"columns": columns})
    return None


def bits_of(scheme: GridScheme | AffineScheme) -> int:
    """Of a code."""
    return scheme.grid.bits if isinstance(scheme, GridScheme) else scheme.pairs.bits


def group_size(scheme: GridScheme | AffineScheme) -> int:
    """As these configs write it: -1 for whole rows."""
    return scheme.partition.columns if scheme.partition.granularity is Granularity.GROUP else -1


def only_scheme(planned: Sequence[Planned], layout: str) -> GridScheme | AffineScheme | None:
    """The scheme of all compressed weights; None where there are none.

    Raises:
        InvalidInput: `layout.one-scheme`, there is more than one, for which the config has no place.
    """
    coders = [each.coder for each in planned if each.chosen is not None and isinstance(each.coder, TurnedCoder)]
    if len({(str(each.scheme.partition), bits_of(each.scheme), type(each.scheme)) for each in coders}) > 1:
        raise InvalidInput("layout.one-scheme", layout=layout)
    return coders[0].scheme if coders else None


def kept_modules(planned: Sequence[Planned]) -> list[str]:
    """Linear layers whose weights were kept; loaders leave embeddings and heads alone by themselves."""
    return sorted(
        each.weight.name.removesuffix(_WEIGHT)
        for each in planned
        if each.chosen is None
        and each.weight.name.endswith(_WEIGHT)
        and len(each.weight.shape) == 2
        and reason_by_name(each.weight.name) not in {Kept.EMBEDDING, Kept.HEAD}
    )


def _escaped(module: str) -> str:
    return module.replace(".", r"\.")


GPTQ = OutputLayout(LAYOUT, ".safetensors", "model.safetensors", _takes, GptqSession.begin)
"""Weights for GPTQModel, vLLM and transformers."""

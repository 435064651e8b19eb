"""AWQ's layout, version `gemm`: codes of 4 bits, eight in a word along the rows of the turned matrix, in an order."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from app.layouts.gptq_writing import group_size, kept_modules, only_scheme, turned_obstacle, turned_scheme
from app.layouts.loader_limits import loader_obstacle
from app.layouts.plain_writing import CONFIG_KEY, SafetensorsSession
from app.layouts.turned_coder import TurnedCoder
from app.layouts.weights import Weight
from app.layouts.writing import ChosenScheme, Coder, Description, Obstacle, OutputLayout, Planned
from app.schemes.entries import SchemeEntry
from app.weightfiles.file_layout import StoredTensor

LAYOUT = "awq"
_WEIGHT = ".weight"
_ORDER = (0, 2, 4, 6, 1, 3, 5, 7)
"""Which of eight neighbours each four bits of a word hold, from the lowest."""
_MULTIPLE = 8


def _takes(entry: SchemeEntry) -> bool:
    return entry.name == "int4"


@dataclass(frozen=True, slots=True)
class AwqSession(SafetensorsSession):
    """One output in this layout."""

    def coder(self, weight: Weight, chosen: ChosenScheme) -> Coder | Obstacle:
        """See `LayoutSession`."""
        scheme = turned_scheme(chosen, LAYOUT)
        obstacle = turned_obstacle(weight, scheme, _MULTIPLE) or loader_obstacle(weight, self.model_type)
        if obstacle is not None:
            return obstacle
        rows, columns = weight.shape
        groups, module = scheme.partition.scale_shape((rows, columns))[1], weight.name.removesuffix(_WEIGHT)
        return TurnedCoder(
            weight,
            scheme,
            chosen.choices,
            StoredTensor.of(f"{module}.qweight", "int32", (columns, rows // 8)),
            StoredTensor.of(f"{module}.qzeros", "int32", (groups, rows // 8)),
            StoredTensor.of(f"{module}.scales", "float16", (groups, rows)),
            packed_words,
            packed_words,
            "awq int4, float16 scales",
        )

    def describe(self, planned: Sequence[Planned]) -> Description:
        """See `LayoutSession`."""
        scheme = only_scheme(planned, LAYOUT)
        if scheme is None:
            return SafetensorsSession.describe(self, planned)
        kept = kept_modules(planned)
        config: dict[str, Any] = {
            "quant_method": "awq",
            "bits": 4,
            "group_size": group_size(scheme),
            "zero_point": True,
            "version": "gemm",
            "modules_to_not_convert": kept or None,
        }
        metadata = {**self.metadata, CONFIG_KEY: json.dumps(config, separators=(",", ":"))}
        return Description(metadata, {CONFIG_KEY: config})


def packed_words(codes: Tensor) -> Tensor:
    """int32 `[lines, n / 8]` of uint8 `[lines, n]`."""
    eights = codes.to(torch.int32).reshape(codes.shape[0], -1, 8)
    words = torch.zeros(eights.shape[:2], dtype=torch.int32)
    for place, neighbour in enumerate(_ORDER):
        words |= eights[:, :, neighbour] << (4 * place)
    return words


AWQ = OutputLayout(LAYOUT, ".safetensors", "model.safetensors", _takes, AwqSession.begin)
"""Weights for AutoAWQ's readers, vLLM and transformers."""

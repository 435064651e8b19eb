"""The layout of bitsandbytes: NF4 and fp4 in blocks that run across rows, and int8 by rows."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.errors import InvalidInput
from app.layouts.bitsandbytes_four_bit import FourBitCoder, unit_rows
from app.layouts.bitsandbytes_rows import RowInt8Coder
from app.layouts.loader_limits import loader_obstacle
from app.layouts.plain_writing import CONFIG_KEY, SafetensorsSession, modules_left_alone
from app.layouts.weights import Weight
from app.layouts.writing import ChosenScheme, Coder, Description, Obstacle, OutputLayout, Planned
from app.schemes.codebooks import CodebookScheme
from app.schemes.entries import SchemeEntry
from app.schemes.grid_scheme import GridScheme
from app.schemes.partitions import Granularity
from app.schemes.selection import Kept

LAYOUT = "bitsandbytes"
_WEIGHT = ".weight"
_FOUR_BITS = ("nf4", "fp4")
_FLOATS = ("float32", "float16", "bfloat16")
_MOST_TOGETHER = 1 << 24
"""Elements of rows that no block border ends."""


def _takes(entry: SchemeEntry) -> bool:
    return entry.name in (*_FOUR_BITS, "int8")


@dataclass(frozen=True, slots=True)
class BitsandbytesSession(SafetensorsSession):
    """One output in this layout."""

    def coder(self, weight: Weight, chosen: ChosenScheme) -> Coder | Obstacle:
        """See `LayoutSession`."""
        scheme = chosen.scheme(scale_format="float32")
        if len(weight.shape) != 2 or not weight.name.endswith(_WEIGHT):
            return Obstacle(Kept.LAYOUT)
        obstacle = loader_obstacle(weight, self.model_type, takes_experts=False)
        if obstacle is not None:
            return obstacle
        rows, columns = weight.shape
        if isinstance(scheme, CodebookScheme):
            unit = unit_rows(scheme, columns)
            if min(unit, rows) * columns > _MOST_TOGETHER and columns % scheme.partition.columns:
                return Obstacle(Kept.LONG_ROWS, {"columns": columns})
            return FourBitCoder(
                weight, scheme, chosen.choices, weight.format if weight.format in _FLOATS else "float32"
            )
        if not isinstance(scheme, GridScheme) or scheme.partition.granularity is not Granularity.CHANNEL:
            granularity = str(getattr(scheme, "partition", ""))
            raise InvalidInput("layout.granularity", layout=LAYOUT, scheme=chosen.name, granularity=granularity)
        if columns > _MOST_TOGETHER:
            return Obstacle(Kept.LONG_ROWS, {"columns": columns})
        return RowInt8Coder(weight, scheme, chosen.choices)

    def describe(self, planned: Sequence[Planned]) -> Description:
        """See `LayoutSession`; modules whose weights were kept are named, so that loaders leave them alone."""
        coders = [each.coder for each in planned if each.chosen is not None]
        if not coders:
            return SafetensorsSession.describe(self, planned)
        four = [coder for coder in coders if isinstance(coder, FourBitCoder)]
        if four and len(four) < len(coders):
            raise InvalidInput("layout.mixed-bits", layout=LAYOUT)
        config = _config(four, modules_left_alone(planned))
        metadata = {**self.metadata, CONFIG_KEY: json.dumps(config, separators=(",", ":"))}
        return Description(metadata, {CONFIG_KEY: config})


def _config(four: Sequence[FourBitCoder], kept: list[str]) -> dict[str, Any]:
    is_four = bool(four)
    first = four[0] if four else None
    return {
        "quant_method": "bitsandbytes",
        "load_in_4bit": is_four,
        "load_in_8bit": not is_four,
        "_load_in_4bit": is_four,
        "_load_in_8bit": not is_four,
        "bnb_4bit_compute_dtype": first.dtype if first else "float32",
        "bnb_4bit_quant_storage": "uint8",
        "bnb_4bit_quant_type": first.scheme.name if first else "fp4",
        "bnb_4bit_use_double_quant": bool(first and first.scheme.is_nested),
        "llm_int8_enable_fp32_cpu_offload": False,
        "llm_int8_has_fp16_weight": False,
        "llm_int8_skip_modules": kept,
        "llm_int8_threshold": 6.0,
    }


BITSANDBYTES = OutputLayout(LAYOUT, ".safetensors", "model.safetensors", _takes, BitsandbytesSession.begin)
"""Weights for bitsandbytes and transformers."""

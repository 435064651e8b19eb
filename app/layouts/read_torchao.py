"""torchao: tensors of several parts whose kind and attributes stand in the file's metadata under the weight's name."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from app.layouts.stored_tensors import StoredTensors
from app.layouts.torchao_described import Described
from app.layouts.torchao_kinds import KINDS
from app.layouts.weight import Weight

_MOST_TEXT = 1 << 16


def recognise(stored: StoredTensors) -> Sequence[Weight]:
    """Weights that the metadata describes and whose parts `MODULE._weight_PART` are there."""
    return list(_recognised(stored))


def _recognised(stored: StoredTensors) -> Iterator[Weight]:
    for name, text in stored.header.metadata.items():
        described = _read(text) if isinstance(text, str) and '"_type"' in text[:_MOST_TEXT] else None
        read = KINDS.get(described[0]) if described is not None else None
        if described is None or read is None:
            continue
        module, _, parameter = name.rpartition(".")
        prefix = f"{module}._{parameter}_" if module else f"_{parameter}_"
        parts = {each: stored.entries[f"{prefix}{each}"] for each in _PARTS if f"{prefix}{each}" in stored.entries}
        if parts:
            yield read(Described(name, described[1], parts))


_PARTS = (
    "qdata",
    "scale",
    "zero_point",
    "per_tensor_scale",
    "act_per_tensor_scale",
    "act_pre_scale",
    "act_quant_scale",
    "act_quant_zero_point",
)


def _read(text: str) -> tuple[str, Mapping[str, Any]] | None:
    if len(text) > _MOST_TEXT:
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or not isinstance(found.get("_data"), dict):
        return None
    kind = found.get("_type")
    return (kind, found["_data"]) if isinstance(kind, str) else None

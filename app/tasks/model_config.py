"""The quantization config in a model's config.json: merged, and never over a file that is about something else."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.errors import Conflict
from app.layouts.plain_writing import CONFIG_KEY

MAX_CONFIG_BYTES = 4 << 20
_MODEL_KEYS = frozenset({"model_type", "architectures", "hidden_size", "num_hidden_layers", "transformers_version"})


@dataclass(frozen=True, slots=True)
class MergedConfig:
    """Where a config will be written, and its text."""

    path: Path
    text: str

    @classmethod
    def of(cls, path: Path, model: Path, quantization_config: Mapping[str, Any], *, force: bool) -> "MergedConfig":
        """The config at `path`, made of the model's own (`model`, if there is such a file).

        Raises:
            Conflict: `output.config-differs`, `path` exists and is no model's config, or holds another quantization;
                with `force`, that quantization is replaced, and what is no model's config is written over.
        """
        document = _read(model)
        if path.exists() and not force and not _is_ours_to_merge(document, quantization_config):
            raise Conflict("output.config-differs", name=path.name)
        merged = {**(document or {}), CONFIG_KEY: quantization_config}
        return cls(path, json.dumps(merged, indent=2, ensure_ascii=False) + "\n")


def tells_of_another_model(path: Path) -> bool:
    """Whether there is a config.json that says more than how an earlier result of ours is stored."""
    return path.exists() and not _is_ours_alone(_read(path))


def _read(path: Path) -> dict[str, Any] | None:
    """The object that the file holds; None if it is missing, large, or holds something else."""
    try:
        with path.open("rb") as file:
            text = file.read(MAX_CONFIG_BYTES + 1)
        document = json.loads(text) if len(text) <= MAX_CONFIG_BYTES else None
    except (OSError, ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _is_ours_to_merge(document: dict[str, Any] | None, quantization_config: Mapping[str, Any]) -> bool:
    if document is None:
        return False
    if _is_ours_alone(document):
        # Written beside an earlier result; each result tells its own in its metadata, this file tells the last one's.
        return True
    if CONFIG_KEY in document:
        return bool(document[CONFIG_KEY] == quantization_config)
    return not document or not _MODEL_KEYS.isdisjoint(document)


def _is_ours_alone(document: dict[str, Any] | None) -> bool:
    return document is not None and document.keys() == {CONFIG_KEY} and _is_compressed_tensors(document[CONFIG_KEY])


def _is_compressed_tensors(quantization_config: Any) -> bool:
    return isinstance(quantization_config, dict) and quantization_config.get("quant_method") == "compressed-tensors"

"""The quantization config in a model's config.json: merged, and never over a file that is about something else."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.errors import Conflict
from app.layouts.plain_writing import CONFIG_KEY

MAX_CONFIG_BYTES = 4 << 20
_METHODS = frozenset({"compressed-tensors", "bitsandbytes", "gptq", "awq", "torchao"})
_MODEL_KEYS = frozenset({"model_type", "architectures", "hidden_size", "num_hidden_layers", "transformers_version"})


@dataclass(frozen=True, slots=True)
class MergedConfig:
    """Where a config will be written, and its text."""

    path: Path
    text: str

    @classmethod
    def of(
        cls,
        path: Path,
        model: dict[str, Any] | None,
        added: Mapping[str, Any],
        *,
        dropped: Sequence[str] = (),
        force: bool,
    ) -> "MergedConfig":
        """The config at `path`, made of the model's own (`model`, if there is one).

        Raises:
            Conflict: `output.config-differs`, `path` exists and is no model's config, or holds another quantization;
                with `force`, that quantization is replaced, and what is no model's config is written over.
        """
        if path.exists() and not force and not _is_ours_to_merge(model, added):
            raise Conflict("output.config-differs", name=path.name)
        kept = {name: value for name, value in (model or {}).items() if name not in dropped}
        return cls(path, json.dumps({**kept, **added}, indent=2, ensure_ascii=False) + "\n")


def model_config(text: bytes | None) -> dict[str, Any] | None:
    """The object that a config.json holds; None if it is missing, large, or holds something else."""
    try:
        document = json.loads(text) if text is not None and len(text) <= MAX_CONFIG_BYTES else None
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def tells_of_another_model(path: Path) -> bool:
    """Whether there is a config.json that says more than how an earlier result of ours is stored."""
    return path.exists() and not _is_ours_alone(_read(path))


def _read(path: Path) -> dict[str, Any] | None:
    try:
        with path.open("rb") as file:
            return model_config(file.read(MAX_CONFIG_BYTES + 1))
    except OSError:
        return None


def _is_ours_to_merge(document: dict[str, Any] | None, added: Mapping[str, Any]) -> bool:
    if document is None:
        return False
    if _is_ours_alone(document):
        # Written beside an earlier result; each result tells its own in its metadata, this file tells the last one's.
        return True
    if CONFIG_KEY in document:
        return bool(document[CONFIG_KEY] == added.get(CONFIG_KEY))
    return not document or not _MODEL_KEYS.isdisjoint(document)


def _is_ours_alone(document: dict[str, Any] | None) -> bool:
    return document is not None and document.keys() == {CONFIG_KEY} and _is_known(document[CONFIG_KEY])


def _is_known(quantization_config: Any) -> bool:
    return isinstance(quantization_config, dict) and quantization_config.get("quant_method") in _METHODS

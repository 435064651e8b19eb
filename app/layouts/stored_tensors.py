"""What recognisers of layouts look at: the stored tensors of a source, and what its configs say."""

import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from app.weightfiles.file_header import TensorEntry
from app.weightfiles.range_reader import WeightFile
from app.weightfiles.tensor_reader import TensorReader


class StoredTensors:
    """What recognisers look at: the stored tensors of a source, its configs, and the contents of small tensors."""

    def __init__(self, file: WeightFile) -> None:
        self.header = file.header
        self.entries: dict[str, TensorEntry] = {entry.name: entry for entry in file.header.tensors}
        self._file = file
        self._reader = TensorReader(file)

    @cached_property
    def config(self) -> Mapping[str, Any]:
        """The model's config.json, or nothing."""
        return self._object("config.json")

    @cached_property
    def quantization_config(self) -> Mapping[str, Any]:
        """What config.json, quantize_config.json or the file's own metadata say of how it is quantized."""
        written = self.header.metadata.get("quantization_config")
        found = (
            self.config.get("quantization_config"),
            _json_object(written) if isinstance(written, str) else None,
            self._object("quantize_config.json"),
        )
        return next((each for each in found if isinstance(each, dict) and each), {})

    def small(self, entry: TensorEntry) -> Tensor:
        """All elements of a small tensor, a copy; the caller has looked at its size."""
        return torch.cat([chunk.flatten().clone() for _, chunk in self._reader.chunks(entry)])

    def first(self, entry: TensorEntry) -> Tensor:
        """The first element of a tensor that has one, a copy."""
        return self._reader.elements(entry, 0, 1).clone()

    def chunks(self, entry: TensorEntry) -> Iterator[tuple[int, Tensor]]:
        """The whole tensor: the first element's index and the elements, chunk by chunk."""
        return self._reader.chunks(entry)

    def _object(self, name: str) -> Mapping[str, Any]:
        return _json_object(self._file.source.companion(name) or b"{}")


def _json_object(text: bytes | str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}

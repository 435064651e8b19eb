"""The weights of a source as a model knows them: one name and shape, however many stored tensors stand for it."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any, Protocol

from torch import Tensor

from app.weightfiles.file_header import TensorEntry
from app.weightfiles.range_reader import WeightFile
from app.weightfiles.tensor_reader import TensorReader


class Decoder(Protocol):
    """Reads the numbers of one weight out of stored tensors."""

    @property
    def unit(self) -> int:
        """The smallest run of elements, in row-major order, that can be decoded by itself."""
        ...

    def decode(self, reader: TensorReader, first: int, count: int) -> Tensor:
        """`count` elements from element `first` on, flat, in the dtype that the layout's owner computes in.

        Both are whole units, but that the last run may end with the weight.
        """
        ...


@dataclass(frozen=True, slots=True)
class Encoding:
    """How a weight is stored that is not plain."""

    layout: str
    """`compressed-tensors`, `bitsandbytes`, `gptq`, `awq`, `torchao`, `mlx`, `gguf`, `onnx`."""
    scheme: str
    """In the words of `app.tasks.scheme_words` as far as they go: `int4:group=128`, `nf4:block=64:double-quant`."""
    decoder: Decoder


@dataclass(frozen=True, slots=True)
class Weight:
    """One weight. A plain one is a stored tensor of the same name and needs no decoder."""

    name: str
    shape: tuple[int, ...]
    format: str
    """Of its numbers once they are read, a name of the format table (`bfloat16`); what a plain one is stored in."""
    parts: tuple[TensorEntry, ...]
    """The stored tensors, the one with the codes first."""
    encoding: Encoding | None = None
    is_readable: bool = True
    """Whether it can be read as numbers; others are only copied."""

    @property
    def bytes(self) -> int:
        """What it takes in the source, scales and all."""
        return sum(part.bytes for part in self.parts)

    @property
    def elements(self) -> int:
        return prod(self.shape)

    @property
    def stored_as(self) -> str:
        """In a few words that need no translation."""
        return self.format if self.encoding is None else f"{self.encoding.layout} {self.encoding.scheme}"


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
        return self._reader.elements(entry, 0, entry.elements).clone()

    def _object(self, name: str) -> Mapping[str, Any]:
        return _json_object(self._file.source.companion(name) or b"{}")


def _json_object(text: bytes | str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


Recogniser = Callable[[StoredTensors], Sequence[Weight]]
"""The weights of one layout among stored tensors; raises WeightFileError where parts contradict each other."""

RECOGNISERS: tuple[Recogniser, ...] = ()


def find_weights(file: WeightFile) -> tuple[Weight, ...]:
    """All weights, in the order of their bytes; stored tensors that no layout claims are plain weights.

    Raises:
        WeightFileError: `layout.*`, parts of a layout that do not fit together.
    """
    stored = StoredTensors(file)
    found = [weight for recognise in RECOGNISERS for weight in recognise(stored)]
    claimed = {part.name for weight in found for part in weight.parts}
    found += [plain_weight(entry) for entry in file.header.tensors if entry.name not in claimed]
    return tuple(sorted(found, key=lambda weight: (weight.parts[0].part, weight.parts[0].begin, weight.parts[0].end)))


def plain_weight(entry: TensorEntry) -> Weight:
    """A stored tensor that stands for itself."""
    return Weight(entry.name, entry.shape, entry.type.format, (entry,), is_readable=entry.type.is_readable)


class WeightReader:
    """Reads the numbers of weights, a chunk at a time. Each read may overwrite what the read before gave."""

    def __init__(self, file: WeightFile) -> None:
        self.tensors = TensorReader(file)

    def elements(self, weight: Weight, first: int, count: int) -> Tensor:
        """Flat elements in row-major order; in whole units where the weight has an encoding."""
        if weight.encoding is None:
            return self.tensors.elements(weight.parts[0], first, count)
        return weight.encoding.decoder.decode(self.tensors, first, count)

    def chunk_elements(self, weight: Weight) -> int:
        """How many elements a chunk holds: whole units."""
        if weight.encoding is None:
            return self.tensors.chunk_elements(weight.parts[0])
        unit = weight.encoding.decoder.unit
        return max(self.tensors.chunk_bytes // 4 // unit, 1) * unit

    def chunks(self, weight: Weight) -> Iterator[tuple[int, Tensor]]:
        """The whole weight: the first element's index and the elements, chunk by chunk."""
        step = self.chunk_elements(weight)
        for first in range(0, weight.elements, step or 1):
            yield first, self.elements(weight, first, min(step, weight.elements - first))

"""The layout of plain tensors in safetensors: copies and casts, one stored tensor for each weight."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import torch

from app.codec import torch_dtype
from app.errors import InvalidInput, WeightFileError
from app.formats import FloatFormat, find_format
from app.layouts.companion_json import companion_object
from app.layouts.refusals import refusal
from app.layouts.weights import Weight
from app.layouts.writing import (
    ChosenScheme,
    Coder,
    Description,
    Numbers,
    Obstacle,
    Outcome,
    OutputLayout,
    Planned,
    Write,
)
from app.metrics.blocks import blocks
from app.metrics.error_sums import ErrorSums
from app.schemes.casts import CastCounts, cast_block
from app.schemes.entries import SchemeEntry
from app.weightfiles.file_layout import FileLayout, StoredTensor
from app.weightfiles.range_reader import WeightFile
from app.weightfiles.safetensors_layout import lay_out
from app.weightfiles.storage_types import BY_FORMAT
from app.weightfiles.strict_json import shown

CONFIG_KEY = "quantization_config"
"""Of config.json and of a file's own metadata."""


@dataclass(frozen=True, slots=True)
class CopyCoder:
    """A weight as it is: its bytes, or, where it is encoded or does not lie in one run, its plain numbers."""

    weight: Weight

    @property
    def stored(self) -> tuple[StoredTensor, ...]:
        """See `Coder`."""
        return (StoredTensor.of(self.weight.name, self.weight.format, self.weight.shape),)

    @property
    def stored_as(self) -> str:
        """See `Coder`."""
        return self.weight.format

    def write(self, numbers: Numbers, write: Write) -> Outcome:
        """See `Coder`."""
        if is_plain_run(self.weight):
            for offset, data in numbers.byte_chunks():
                write(self.weight.name, offset, data)
        else:
            for first, chunk in numbers.chunks():
                write(self.weight.name, first * chunk.element_size(), chunk)
        return Outcome(None)


def is_plain_run(weight: Weight) -> bool:
    """Whether its bytes in the source are what a little-endian file of plain rows holds."""
    entry = weight.parts[0]
    return weight.encoding is None and entry.strides is None and not entry.is_big_endian


def plain_keeper(weight: Weight) -> Coder:
    """Keeps a weight in a container of plain tensors.

    Raises:
        WeightFileError: `layout.cannot-keep`, safetensors has no type for its elements.
    """
    if weight.format not in BY_FORMAT or not (weight.is_readable or is_plain_run(weight)):
        raise WeightFileError("layout.cannot-keep", tensor=shown(weight.name), type=weight.format[:40])
    return CopyCoder(weight)


@dataclass(frozen=True, slots=True)
class CastCoder:
    """Every number rounded once to another format."""

    weight: Weight
    target: FloatFormat

    @property
    def stored(self) -> tuple[StoredTensor, ...]:
        """See `Coder`."""
        return (StoredTensor.of(self.weight.name, self.target.name, self.weight.shape),)

    @property
    def stored_as(self) -> str:
        """See `Coder`."""
        return self.target.name

    def write(self, numbers: Numbers, write: Write) -> Outcome:
        """See `Coder`: NaN and infinity are carried where the format has them."""
        dtype = torch_dtype(self.target)
        out = torch.empty(0, dtype=dtype)
        sums, counts = ErrorSums(), CastCounts()
        for first, chunk in numbers.chunks():
            if out.numel() < chunk.numel():
                out = torch.empty(chunk.numel(), dtype=dtype)
            end = 0
            for block in blocks(chunk):
                begin, end = end, end + block.numel()
                out[begin:end] = cast_block(block, self.target, counts)
                sums.add(block, out[begin:end])
            if counts.infinities and not self.target.has_infinity:
                raise refusal("compress.infinity", numbers, self.target.name)
            write(self.weight.name, first * dtype.itemsize, out[:end])
        return Outcome(sums.sums(), counts.saturated, counts.overflowed)


@dataclass(frozen=True, slots=True)
class SafetensorsSession:
    """An output of plain tensors; layouts of quantized ones in safetensors build on it."""

    metadata: Mapping[str, str]
    """Of the source, without what no longer holds."""
    model_type: str = ""
    """What config.json says: loaders treat some models in ways that a layout does not survive."""

    @classmethod
    def begin(cls, file: WeightFile, weights: Sequence[Weight]) -> Self:
        """Starts an output."""
        del weights
        return cls(kept_metadata(file), model_type_of(file))

    def coder(self, weight: Weight, chosen: ChosenScheme) -> Coder | Obstacle:
        """See `LayoutSession`."""
        if chosen.choices.seed is not None:
            raise InvalidInput("layout.option", layout="safetensors", option="stochastic")
        target = find_format(chosen.entry.element)
        assert isinstance(target, FloatFormat)
        return CastCoder(weight, target)

    def keeper(self, weight: Weight) -> Coder:
        """See `LayoutSession`."""
        return plain_keeper(weight)

    def describe(self, planned: Sequence[Planned]) -> Description:
        """See `LayoutSession`: encoded weights were written as plain ones, so no old config holds."""
        del planned
        return Description(self.metadata, dropped_config=(CONFIG_KEY,))

    def lay_out(self, stored: Sequence[StoredTensor], description: Description) -> FileLayout:
        """See `LayoutSession`."""
        return lay_out(stored, {key: str(value) for key, value in description.metadata.items()})


def model_type_of(file: WeightFile) -> str:
    """`llama`, `gpt2` and so on, as the model's config.json has it; empty where there is none."""
    found = companion_object(file.source, "config.json").get("model_type")
    return found if isinstance(found, str) else ""


def modules_left_alone(planned: Sequence[Planned]) -> list[str]:
    """Modules whose matrices were kept, as configs list them for loaders.

    The head is always there: one that shares its weights with the embedding is in no file, but a module all the same.
    """
    kept = {
        each.weight.name.removesuffix(".weight")
        for each in planned
        if each.chosen is None and each.weight.name.endswith(".weight") and len(each.weight.shape) > 1
    }
    return ["lm_head", *sorted(kept - {"lm_head"})]


def kept_metadata(file: WeightFile) -> dict[str, str]:
    """What the source's own metadata may go on saying: texts of a safetensors file but how it was quantized."""
    if file.header.kind != "safetensors":
        return {"format": "pt"}
    found = {name: value for name, value in file.header.metadata.items() if isinstance(value, str)}
    found.pop(CONFIG_KEY, None)
    return found


def _takes(entry: SchemeEntry) -> bool:
    number_format = BY_FORMAT.get(entry.element)
    return entry.family == "cast" and number_format is not None and isinstance(find_format(entry.element), FloatFormat)


SAFETENSORS = OutputLayout("safetensors", ".safetensors", "model.safetensors", _takes, SafetensorsSession.begin)
"""Plain casts."""

"""Runs one weight through a layout's coder, in memory, as a job does it on disk."""

from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

from app.codec import torch_dtype
from app.formats import find_format
from app.layouts.numbers import WeightNumbers
from app.layouts.table import find_layout
from app.layouts.weights import WeightReader, find_weights
from app.layouts.writing import ChosenScheme, Coder, Obstacle, Outcome, Planned
from app.tasks.quantize_values import choices_of
from app.tasks.scheme_words import read_scheme, scheme_text
from app.weightfiles.range_reader import WeightFile

NAME = "model.layers.0.mlp.up_proj.weight"


def chosen(text: str) -> ChosenScheme:
    """A scheme in words."""
    choice = read_scheme(text)
    return ChosenScheme(choice.name, choice.options, choices_of(choice), scheme_text(choice))


class Coded:
    """What a layout stores for one matrix, and what it says about it."""

    def __init__(self, folder: Path, layout: str, words: str, values: Tensor, *, band_elements: int = 1 << 21) -> None:
        path = folder / "source.safetensors"
        save_file({NAME: values.contiguous()}, path)
        with WeightFile(path) as file:
            (weight,) = find_weights(file)
            session = find_layout(layout).begin(file, (weight,))
            coder = session.coder(weight, chosen(words))
            assert not isinstance(coder, Obstacle), coder
            self.coder: Coder = coder
            self.buffers = {each.name: bytearray(each.bytes) for each in coder.stored}
            numbers = WeightNumbers(weight, WeightReader(file), band_elements=band_elements)
            self.outcome: Outcome = coder.write(numbers, self._write)
            self.description = session.describe([Planned(weight, chosen(words), coder)])

    def _write(self, name: str, offset: int, data: Tensor | memoryview) -> None:
        raw = (
            data.contiguous().view(-1).view(torch.uint8).numpy().tobytes() if isinstance(data, Tensor) else bytes(data)
        )
        assert offset + len(raw) <= len(self.buffers[name]), name
        self.buffers[name][offset : offset + len(raw)] = raw

    @property
    def tensors(self) -> dict[str, Tensor]:
        """As a loader gives them."""
        return {
            each.name: torch.from_numpy(np.frombuffer(self.buffers[each.name], dtype=np.uint8).copy())
            .view(torch_dtype(find_format(each.format)))
            .view(each.shape)
            for each in self.coder.stored
        }

    def read_back(self, folder: Path) -> Tensor:
        """By our own reader, out of a file with these tensors."""
        path = folder / "target.safetensors"
        save_file(self.tensors, path, {key: str(value) for key, value in self.description.metadata.items()})
        with WeightFile(path) as file:
            (weight,) = find_weights(file)
            assert weight.name == NAME
            values = WeightReader(file).elements(weight, 0, weight.elements).clone()
            return values.view(weight.shape)

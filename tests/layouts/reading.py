"""Reads weights of a file back through the layer of layouts, whole and in odd parts."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from app.codec import torch_dtype
from app.formats import find_format
from app.layouts.weights import Weight, WeightReader, find_weights
from app.weightfiles.range_reader import WeightFile


@dataclass(frozen=True, slots=True)
class Back:
    """A weight, its numbers, and how it is stored."""

    weight: Weight
    numbers: Tensor

    @property
    def scheme(self) -> str:
        assert self.weight.encoding is not None
        return f"{self.weight.encoding.layout} {self.weight.encoding.scheme}"


def read_back(path: Path, seed: int = 1) -> dict[str, Back]:
    """Every weight that can be read; encoded ones are read in odd parts too, which must be the same."""
    found = {}
    with WeightFile(path) as file:
        reader = WeightReader(file)
        for weight in find_weights(file):
            if not weight.is_readable:
                continue
            dtype = torch_dtype(find_format(weight.format))
            chunks = [chunk.clone() for _, chunk in reader.chunks(weight)]
            numbers = torch.cat(chunks) if chunks else torch.empty(0, dtype=dtype)
            assert numbers.dtype == dtype
            if weight.encoding is not None:
                _check_parts(reader, weight, numbers, Random(seed))
            found[weight.name] = Back(weight, numbers.view(weight.shape))
    return found


def _check_parts(reader: WeightReader, weight: Weight, numbers: Tensor, random: Random) -> None:
    for _ in range(8):
        first = random.randrange(weight.elements + 1)
        count = random.randrange(weight.elements - first + 1)
        part = reader.elements(weight, first, count)
        assert same_bits(part, numbers[first : first + count]), (weight.name, first, count)


def same_bits(found: Tensor, expected: Tensor) -> bool:
    """The same dtype, shape and numbers, zeros with their signs; any NaN is NaN."""
    if found.dtype != expected.dtype or found.shape != expected.shape:
        return False
    whole = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}[found.dtype.itemsize]
    there, here = expected.contiguous(), found.contiguous()
    equal = here.view(whole) == there.view(whole)
    return bool((equal | (here.isnan() & there.isnan())).all())


def save(folder: Path, tensors: Mapping[str, Tensor], config: Any = None, metadata: Any = None) -> Path:
    """A file of these tensors, and its config.json beside it if told."""
    path = folder / "model.safetensors"
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path, metadata=metadata)
    if config is not None:
        (folder / "config.json").write_text(json.dumps(config))
    return path

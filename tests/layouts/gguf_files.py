"""GGUF files made of a source by the layout alone, with reasons to keep by name, as a compression makes them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import torch
from torch import Tensor

from app.layouts.gguf_writing import GGUF
from app.layouts.numbers import WeightNumbers
from app.layouts.weights import WeightReader, find_weights
from app.layouts.writing import Coder, Description, Obstacle, Planned
from app.schemes.selection import reason_by_name
from app.weightfiles.range_reader import WeightFile
from tests.layouts.coding import chosen


@dataclass(frozen=True, slots=True)
class Made:
    """What was written."""

    path: Path
    description: Description
    obstacles: Mapping[str, Obstacle]


def write_gguf(
    source: Path,
    path: Path,
    scheme: str | None = None,
    *,
    include: Sequence[str] = (),
    band_elements: int = 1 << 21,
    others: Mapping[str, str] | None = None,
) -> Made:
    """By `scheme`, or by `others` where a pattern fits: what its name does not keep, and what `include` matches."""
    with WeightFile(source) as file:
        weights = find_weights(file)
        session = GGUF.begin(file, weights)
        planned: list[Planned] = []
        obstacles: dict[str, Obstacle] = {}
        for weight in weights:
            words = next((to for pattern, to in (others or {}).items() if fnmatchcase(weight.name, pattern)), scheme)
            is_meant = reason_by_name(weight.name) is None or any(fnmatchcase(weight.name, each) for each in include)
            coder: Coder | Obstacle | None = None
            if words is not None and is_meant and len(weight.shape) > 1:
                coder = session.coder(weight, chosen(words))
            if isinstance(coder, Obstacle):
                obstacles[weight.name] = coder
                coder = None
            meant = None if coder is None or words is None else chosen(words)
            planned.append(Planned(weight, meant, coder or session.keeper(weight)))
        description = session.describe(planned)
        layout = session.lay_out([stored for each in planned for stored in each.coder.stored], description)
        content = bytearray(layout.file_bytes)
        content[: len(layout.head)] = layout.head

        def write(name: str, offset: int, data: Tensor | memoryview) -> None:
            raw = data.contiguous().view(-1).view(torch.uint8).numpy().data if isinstance(data, Tensor) else data
            place = layout.begins[name] + offset
            assert len(layout.head) <= place
            assert place + len(raw) <= len(content)
            content[place : place + len(raw)] = raw

        reader = WeightReader(file)
        for each in planned:
            each.coder.write(WeightNumbers(each.weight, reader, band_elements=band_elements), write)
    path.write_bytes(content)
    return Made(path, description, obstacles)

"""The block: as many elements as the caches hold together with their float64 copies."""

from collections.abc import Iterator

import torch
from torch import Tensor

BLOCK_ELEMENTS = 1 << 15

WORTH_COMPILING = 1 << 20
"""Elements of a chunk from which on a compiled loop saves more than the half second that compiling it takes."""

SMALLEST_SQUARES = 1e-290
"""A sum of squares below has lost digits: float64 holds them in full down to 2e-308."""


def blocks(values: Tensor) -> Iterator[Tensor]:
    """The flat pieces of a contiguous tensor, in order."""
    yield from torch.split(values.view(-1), BLOCK_ELEMENTS) if values.numel() else ()


def block_buffer() -> Tensor:
    """Room for one block in float64."""
    return torch.empty(BLOCK_ELEMENTS, dtype=torch.float64)

"""Entropy of codes, order 0: of whole codes and of each of their bits, counted block by block."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from app.metrics.blocks import blocks

MOST_BITS = 16
"""Of a code: 65,536 counts."""


@dataclass(frozen=True, slots=True)
class CodeEntropy:
    """In bits for each code."""

    width: int
    count: int
    entropy: float
    """-sum p log2 p over the codes: no coder that looks at one code alone gets below."""
    bit_entropies: tuple[float, ...]
    """Of each bit by itself, the highest first: 0 where it never changes, 1 where it is as often set as not."""
    used: int
    """How many different codes occur."""

    @property
    def slack(self) -> float:
        """What part of the stored bits carries nothing."""
        return 1 - self.entropy / self.width


def code_entropy(chunks: Iterable[Tensor], width: int) -> CodeEntropy:
    """The entropy of codes of `width` bits (at most 16), in contiguous tensors of any integer dtype.

    Bits above `width` must be zero.
    """
    assert 1 <= width <= MOST_BITS, "at most 65,536 codes are counted"
    counts = torch.zeros(1 << width, dtype=torch.int64)
    for chunk in chunks:
        for block in blocks(chunk):
            counts += torch.bincount(block.to(torch.int64), minlength=1 << width)
    total = int(counts.sum())
    return CodeEntropy(width, total, _entropy(counts, total), _bits(counts, width, total), int((counts > 0).sum()))


def _entropy(counts: Tensor, total: int) -> float:
    if not total:
        return 0.0
    shares = [count / total for count in counts[counts > 0].tolist()]
    return max(0.0, -math.fsum(share * math.log2(share) for share in shares))


def _bits(counts: Tensor, width: int, total: int) -> tuple[float, ...]:
    places = torch.arange(1 << width)
    found = []
    for bit in reversed(range(width)):
        ones = int(counts[(places >> bit) & 1 == 1].sum())
        found.append(_entropy(torch.tensor([ones, total - ones]), total))
    return tuple(found)

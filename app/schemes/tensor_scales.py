"""One scale for a whole matrix of any size: numbers are counted by their first twenty bits, and the counts searched.

Counts and means of each bin are whole numbers: they do not depend on bands, threads or their order. The numbers of a
bin differ by less than 1/2000, far below a step of eight bits.
"""

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from app.schemes.affine import AffineScheme
from app.schemes.affine_search import find_pairs
from app.schemes.fast_stretches import mapped, shares, stretches
from app.schemes.grid_scheme import GridScheme
from app.schemes.partitions import Granularity
from app.schemes.scheme import Choices, ScaleRule, check_values
from app.schemes.search import find_scales

FEWEST = 1 << 16
"""Numbers of a matrix from which on they are counted."""
_DROP = 12
"""Bits of a float32 that do not count."""


def is_counted(scheme: GridScheme | AffineScheme, elements: int, choices: Choices) -> bool:
    """Whether the scale of a matrix of so many numbers is found so."""
    is_whole = scheme.partition.granularity is Granularity.TENSOR
    is_plain = choices.importance is None and choices.seed is None
    is_found = choices.scale is ScaleRule.ABSMAX or (choices.scale is ScaleRule.MSE and elements >= FEWEST)
    return is_whole and is_plain and is_found


class Numbers:
    """What a scale depends on, band after band of a matrix."""

    def __init__(self, rule: ScaleRule) -> None:
        self._rule = rule
        self._low, self._high = math.inf, -math.inf
        size = (1 << (32 - _DROP)) if rule is ScaleRule.MSE else 0
        self._counts, self._rests = np.zeros(size, np.int64), np.zeros(size, np.int64)

    def add(self, values: Tensor, threads: int | None = None) -> None:
        """Looks at a contiguous float32 tensor of finite numbers."""
        low, high = torch.aminmax(values)
        self._low, self._high = min(self._low, float(low)), max(self._high, float(high))
        if self._rule is ScaleRule.MSE:
            self._count(values.view(-1).numpy(), threads)

    def _count(self, flat: Any, threads: int | None) -> None:
        from app.schemes.kernels.sources import mark  # noqa: PLC0415 - numba is imported on first use only
        from app.schemes.kernels.word_counts import count_words  # noqa: PLC0415 - as above

        parts = stretches(len(flat), 1, shares(len(flat), threads))
        rooms = {part.start: (np.zeros_like(self._counts), np.zeros_like(self._rests)) for part in parts[1:]}
        rooms[0] = self._counts, self._rests
        mapped(lambda start, end: int(count_words(flat[start:end], np.int64(_DROP), *rooms[start], mark())), parts)
        for part in parts[1:]:
            counts, rests = rooms[part.start]
            self._counts += counts
            self._rests += rests

    def block(self) -> tuple[Tensor, Tensor | None]:
        """Numbers that stand for all, float32 `[1, n]`, and how many each stands for: the ends, or means of bins."""
        if self._rule is not ScaleRule.MSE:
            return torch.tensor([[self._low, self._high]]), None
        places = np.flatnonzero(self._counts)
        counts = self._counts[places]
        words = (places << _DROP) + np.rint(self._rests[places] / counts).astype(np.int64)
        means = words.astype(np.uint32).view(np.float32)
        return torch.from_numpy(means)[None], torch.from_numpy(counts.astype(np.float32))[None]


def tensor_scale(scheme: GridScheme, numbers: Numbers, choices: Choices) -> float:
    """The scale of a whole matrix by the rule, one that is stored."""
    block, weights = numbers.block()
    return float(find_scales(block, scheme.grid, scheme.fitted_format(block), choices, weights))


def tensor_pair(scheme: AffineScheme, numbers: Numbers, choices: Choices) -> tuple[float, float]:
    """The scale and the offset of a whole matrix by the rule."""
    block, weights = numbers.block()
    scales, offsets = find_pairs(block, scheme.pairs, choices, weights)
    return float(scales), float(offsets)


def numbers_of(values: Tensor, choices: Choices) -> Numbers:
    """All of a matrix in memory.

    Raises:
        InvalidInput: what `check_values` refuses.
    """
    check_values(values, choices)
    found = Numbers(choices.scale)
    found.add(values, choices.threads)
    return found

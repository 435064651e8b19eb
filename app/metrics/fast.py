"""Sums over pairs of float32 at the speed of memory: compiled, one pass, in an order that threads do not change."""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor

from app.metrics.blocks import BLOCK_ELEMENTS
from app.metrics.error_sums import NO_PAIRS, PairSums
from app.metrics.tensor_error import pair_sums

_TILE = 1 << 11
_SMALLEST_SHARE = 1 << 17
"""Elements below which a thread is not worth starting."""


def pair_sums_fast(original: Tensor, restored: Tensor, threads: int | None = None) -> PairSums:
    """The sums over two contiguous tensors of as many elements; float32 on the CPU is compiled.

    Blocks of 2^15 pairs are added up in their order. `threads` is torch's number by default.
    """
    count = original.numel()
    if not count:
        return NO_PAIRS
    if any(each.dtype is not torch.float32 or each.is_cuda for each in (original, restored)):
        return pair_sums(original, restored)
    x, y = original.view(-1).numpy(), restored.view(-1).numpy()
    blocks = -(-count // BLOCK_ELEMENTS)
    room = SumRoom(blocks)
    wanted = torch.get_num_threads() if threads is None else threads
    parts = max(1, min(wanted, count // _SMALLEST_SHARE))
    ends = [blocks * part // parts for part in range(parts + 1)]

    def work(first: int, last: int) -> None:
        from app.metrics.kernels.pair_sums import sum_pairs  # noqa: PLC0415 - numba is imported on first use only

        part = slice(first * BLOCK_ELEMENTS, last * BLOCK_ELEMENTS)
        sum_pairs(x[part], y[part], BLOCK_ELEMENTS, _TILE, room.rows[first:last], room.peak(part.start))

    if parts == 1:
        work(0, blocks)
    else:
        with ThreadPoolExecutor(parts) as pool:
            list(pool.map(lambda part: work(*part), pairwise(ends)))
    return room.sums(count) if room.are_finite else pair_sums(original, restored)


class SumRoom:
    """Room for the sums of some blocks, which kernels fill in stretches."""

    def __init__(self, blocks: int) -> None:
        self.rows = np.zeros((blocks, 3))
        self._peaks: list[tuple[int, Any]] = []

    def peak(self, origin: int) -> Any:
        """Room for the largest error of a stretch and the place of that, counted from a place on."""
        found = np.zeros(2)
        self._peaks.append((origin, found))
        return found

    @property
    def are_finite(self) -> bool:
        """Whether all numbers were: no square of a float32 is beyond float64."""
        return bool(np.isfinite(self.rows).all())

    def sums(self, count: int) -> PairSums:
        """Of all blocks, whose numbers were finite: added in their order."""
        squares, others, errors = (float(np.add.accumulate(self.rows[:, column])[-1]) for column in range(3))
        largest, place = 0.0, None
        for origin, (size, where) in self._peaks:
            here = origin + int(where)
            if size > largest or (size == largest and place is not None and here < place):
                largest, place = float(size), here
        # of 2 x y = x^2 + y^2 - (x - y)^2: a sum less
        return PairSums(count, count, squares, others, (squares + others - errors) / 2, errors, largest, place)

"""The error of a matrix at many clipping points at once: what a slider runs along, in a few passes over the numbers."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from app.metrics.blocks import SMALLEST_SQUARES
from app.schemes.grid_scheme import GridScheme

_TOGETHER = 1 << 19
"""Numbers that one pass holds: the matrix once for each clipping point in it."""


@dataclass(frozen=True, slots=True)
class ClipPoint:
    """All scales at one multiple of what puts each block's largest magnitude on the grid's end."""

    clip: float
    mse: float | None
    sqnr_db: float | None
    clipped_share: float
    """Of all numbers: those beyond the ends of their block."""


def full_scales(values: Tensor, scheme: GridScheme) -> Tensor:
    """Of each block, the scale that puts its largest magnitude on the grid's end."""
    largest = scheme.partition.blocks(values.abs()).nan_to_num(0.0).amax(dim=1)
    return largest / max(scheme.grid.largest, -scheme.grid.smallest)


def clip_points(values: Tensor, scheme: GridScheme, clips: Sequence[float]) -> tuple[ClipPoint, ...]:
    """The error at each clipping point, every scale one that the layout stores, every number at its nearest level."""
    blocks = scheme.partition.blocks(values)
    step = max(1, _TOGETHER // blocks.numel())
    squares = float(values.to(torch.float64).square().sum())
    found: list[ClipPoint] = []
    for start in range(0, len(clips), step):
        part = clips[start : start + step]
        errors, outside = _pass(blocks, _scales(values, scheme, part), scheme)
        found += map(_Sums(values.numel(), squares).point, part, errors, outside)
    return tuple(found)


def _scales(values: Tensor, scheme: GridScheme, clips: Sequence[float]) -> Tensor:
    """float32 `[clips, blocks]`."""
    full, storable = full_scales(values, scheme), scheme.fitted_format(values)
    return torch.stack([storable.nearest(torch.where(full == 0, 1.0, full * clip)) for clip in clips])


def _pass(blocks: Tensor, scales: Tensor, scheme: GridScheme) -> tuple[list[float], list[int]]:
    grid, plain, spread = scheme.grid, blocks.nan_to_num(0.0), scales[:, :, None]
    levels = grid.level_tensor()[grid.nearest(plain * (1 / spread))]
    restored = (levels * spread).to(torch.float64)  # as readers get it, a float32
    difference = torch.where(blocks.isnan(), 0.0, restored.sub_(plain))
    outside = (blocks < spread * grid.smallest) | (blocks > spread * grid.largest)
    return difference.square_().sum(dim=(1, 2)).tolist(), outside.sum(dim=(1, 2)).tolist()


@dataclass(frozen=True, slots=True)
class _Sums:
    count: int
    squares: float
    """Of the numbers themselves."""

    def point(self, clip: float, error: float, outside: int) -> ClipPoint:
        share = outside / self.count
        if not math.isfinite(error) or 0 < error < SMALLEST_SQUARES:
            return ClipPoint(clip, None, None, share)
        return ClipPoint(clip, error / self.count, self._sqnr(error), share)

    def _sqnr(self, error: float) -> float | None:
        if error == 0:
            return math.inf
        if self.squares == 0:
            return -math.inf
        is_known = math.isfinite(self.squares) and self.squares >= SMALLEST_SQUARES
        return 10 * (math.log10(self.squares) - math.log10(error)) if is_known else None

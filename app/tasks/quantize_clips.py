"""The error of a matrix at many clipping points at once: what a slider runs along, in a few passes over the numbers."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from app.metrics.blocks import SMALLEST_SQUARES
from app.schemes.affine import AffineScheme
from app.schemes.affine_pairs import AffinePairs, MinimumPairs
from app.schemes.gguf_affine import GgufAffineScheme
from app.schemes.gguf_blocks import GgufBlockScheme
from app.schemes.grid_scheme import GridScheme
from app.schemes.grids import Grid
from app.schemes.scale_formats import ScaleFormat
from app.schemes.scheme import QuantizedTensor, Scheme

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


class Clips(Protocol):
    """A matrix in blocks whose scales can be moved together."""

    @property
    def blocks(self) -> Tensor:
        """float32 `[blocks, elements]`; NaN where there is no element."""
        ...

    def pass_over(self, clips: Sequence[float]) -> tuple[list[float], list[int]]:
        """For each clipping point the sum of squared errors, and how many numbers lie beyond the ends."""
        ...

    def chosen(self, quantized: QuantizedTensor) -> Tensor:
        """The multiple that each block's own scale stands for; NaN where the block is all zero."""
        ...


def clips_of(scheme: Scheme, values: Tensor) -> Clips | None:
    """How the scales of a scheme move; None where they depend on each other, or there are none."""
    match scheme:
        case GridScheme():
            return GridClips(scheme.partition.blocks(values), scheme.grid, scheme.fitted_format(values), scheme)
        case GgufBlockScheme():
            blocks = values.view(-1, scheme.layout.group)
            return GridClips(blocks, scheme.grid, scheme.fitted_format(values), scheme)
        case AffineScheme():
            return PairClips(scheme.partition.blocks(values), scheme.pairs, scheme)
        case GgufAffineScheme():
            blocks, scales = values.view(-1, scheme.layout.elements), scheme.scale_format
            return PairClips(blocks, MinimumPairs(scheme.layout.coding.bits, scales, scales), scheme)
        case _:
            return None


def clip_points(values: Tensor, scheme: Scheme, clips: Sequence[float]) -> tuple[ClipPoint, ...]:
    """The error at each clipping point, every scale one that the layout stores, every number at its nearest level."""
    moved = clips_of(scheme, values)
    assert moved is not None, "a scheme with scales to move"
    step = max(1, _TOGETHER // moved.blocks.numel())
    squares = float(values.to(torch.float64).square().sum())
    found: list[ClipPoint] = []
    for start in range(0, len(clips), step):
        part = clips[start : start + step]
        found += map(_Sums(values.numel(), squares).point, part, *moved.pass_over(part))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class GridClips:
    """One scale a block: clipping at 1 puts its largest magnitude on the grid's end."""

    blocks: Tensor
    grid: Grid
    storable: ScaleFormat
    scheme: GridScheme | GgufBlockScheme

    @property
    def full(self) -> Tensor:
        """Of each block, the scale that puts its largest magnitude on the grid's end."""
        largest = self.blocks.abs().nan_to_num(0.0).amax(dim=1)
        return largest / max(self.grid.largest, -self.grid.smallest)

    def pass_over(self, clips: Sequence[float]) -> tuple[list[float], list[int]]:
        """See `Clips`."""
        full = self.full
        scales = torch.stack([self.storable.nearest(torch.where(full == 0, 1.0, full * clip)) for clip in clips])
        plain, spread = self.blocks.nan_to_num(0.0), scales[:, :, None]
        levels = self.grid.level_tensor()[self.grid.nearest(plain * (1 / spread))]
        restored = (levels * spread).to(torch.float64)  # as readers get it, a float32
        difference = torch.where(self.blocks.isnan(), 0.0, restored.sub_(plain))
        outside = (self.blocks < spread * self.grid.smallest) | (self.blocks > spread * self.grid.largest)
        return difference.square_().sum(dim=(1, 2)).tolist(), outside.sum(dim=(1, 2)).tolist()

    def chosen(self, quantized: QuantizedTensor) -> Tensor:
        """See `Clips`."""
        if isinstance(self.scheme, GridScheme):
            scales = self.scheme.read_scales(quantized).reshape(-1)
        else:
            scales = self.scheme.elements(quantized).scales.reshape(len(self.blocks), -1)[:, 0]
        full = self.full
        return torch.where(full > 0, scales.abs() / full, torch.nan)


@dataclass(frozen=True, slots=True)
class PairClips:
    """A scale and an offset a block: clipping at 1 puts its smallest and largest number on the first and last code."""

    blocks: Tensor
    pairs: AffinePairs
    scheme: AffineScheme | GgufAffineScheme

    def _ends(self) -> tuple[Tensor, Tensor]:
        low = torch.where(self.blocks.isnan(), torch.inf, self.blocks).amin(dim=1).to(torch.float64)
        high = torch.where(self.blocks.isnan(), -torch.inf, self.blocks).amax(dim=1).to(torch.float64)
        return low, high

    def pass_over(self, clips: Sequence[float]) -> tuple[list[float], list[int]]:
        """See `Clips`: both ends move towards the middle between them."""
        low, high = self._ends()
        middle, half, last = (low + high) / 2, (high - low) / 2, float((1 << self.pairs.bits) - 1)
        plain = self.blocks.nan_to_num(0.0)
        errors, outside = [], []
        for clip in clips:
            scales, offsets = self.pairs.between(middle - clip * half, middle + clip * half)
            pair = scales[:, None], offsets[:, None]
            restored = self.pairs.decode(self.pairs.encode(plain, *pair), *pair).to(torch.float64)
            difference = torch.where(self.blocks.isnan(), 0.0, restored.sub_(plain))
            ends = (self.pairs.decode(torch.full_like(pair[0], end), *pair) for end in (0.0, last))
            is_outside = (self.blocks < next(ends)) | (self.blocks > next(ends))
            errors.append(float(difference.square_().sum()))
            outside.append(int(is_outside.sum()))
        return errors, outside

    def chosen(self, quantized: QuantizedTensor) -> Tensor:
        """See `Clips`."""
        low, high = self._ends()
        found = self.scheme.elements(quantized)
        partition = self.scheme.partition if isinstance(self.scheme, AffineScheme) else None
        scales = (partition.blocks(found.scales) if partition else found.scales.view(len(self.blocks), -1))[:, 0]
        return torch.where(high > low, scales * ((1 << self.pairs.bits) - 1) / (high - low), torch.nan)


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

"""Scales in eight bits, as bitsandbytes' double quantization stores them: map[code] * absmax of 256 + offset."""

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from app.schemes.ordered_sums import ordered_sum

NESTED_BLOCK = 256
"""So many scales share an absmax."""
_SMALLEST = 2.0**-126
_EXPONENTS = 7


@dataclass(frozen=True, slots=True)
class NestedScales:
    """The storable scales of some blocks; see `StorableScales`."""

    absmax: Tensor
    """float32 `[blocks]`: of the scales less the offset, in the block's 256."""
    offset: float
    """A float32: the mean of the scales."""
    ends: Tensor
    """int64 `[4, blocks]`: the first and last code of a negative scale, the first and last of a positive one."""

    @classmethod
    def of(cls, absmax: Tensor, offset: float, count: int) -> "NestedScales":
        """What is stored (an absmax for every 256) as `count` blocks use it."""
        every = dynamic_map().to(absmax.device) * absmax[:, None] + offset
        negatives, positives = (every <= -_SMALLEST).sum(dim=1), (every >= _SMALLEST).sum(dim=1)
        # Where a sign cannot be stored at all the other one serves.
        last_negative = torch.where(negatives > 0, negatives - 1, 255)
        first_positive = torch.where(positives > 0, 256 - positives, 0)
        first_negative = torch.where(negatives > 0, 0, first_positive)
        last_positive = torch.where(positives > 0, 255, last_negative)
        ends = torch.stack([first_negative, last_negative, first_positive, last_positive])
        places = torch.arange(count, device=absmax.device) // NESTED_BLOCK
        return cls(absmax[places], offset, ends[:, places])

    @classmethod
    def fitted(
        cls, scales: Tensor, is_used: Tensor, given_offset: float | None = None
    ) -> tuple["NestedScales", Tensor]:
        """For these scales as the owner has it, but blocks that are all zero do not count; and each 256's absmax.

        `given_offset`: that of the whole, where these are some of its scales.
        """
        offset = mean_of(scales[is_used]) if given_offset is None else torch.tensor(given_offset, device=scales.device)
        distances = torch.where(is_used, (scales - offset).abs(), 0.0)
        absmax = torch.nn.functional.pad(distances, (0, -len(scales) % NESTED_BLOCK)).view(-1, NESTED_BLOCK).amax(dim=1)
        is_finite = torch.isfinite(absmax + offset.abs())
        absmax = torch.where(is_finite, absmax, absmax * (1 - 2.0**-22))
        return cls.of(absmax, float(offset), len(scales)), absmax

    @property
    def has_signs(self) -> bool:
        """See `StorableScales`."""
        return True

    @property
    def least_halved(self) -> float:
        """See `StorableScales`: no half is."""
        return float("inf")

    @property
    def are_few(self) -> bool:
        """See `StorableScales`: 256, but most of them far away."""
        return False

    @property
    def are_dense(self) -> bool:
        """See `StorableScales`."""
        return False

    def of_rows(self, rows: slice) -> "NestedScales":
        """See `StorableScales`."""
        return NestedScales(self.absmax[rows], self.offset, self.ends[:, rows])

    def nearest(self, scales: Tensor) -> Tensor:
        """See `StorableScales`: of the other sign only where no number of the same one can be stored."""
        return self.read(self._codes(scales))

    def shifted(self, scales: Tensor, places: int) -> Tensor:
        """See `StorableScales`."""
        outward = torch.where(scales < 0, -places, places)
        return self.read(self._within(self._codes(scales) + outward, scales < 0))

    def stored(self, scales: Tensor) -> Tensor:
        """The codes of scales that `nearest` gave, as uint8."""
        return self._codes(scales).to(torch.uint8)

    def read(self, codes: Tensor) -> Tensor:
        """float32: what readers multiply by, rounded after the product and after the sum, like theirs."""
        return dynamic_map().to(codes.device)[codes.to(torch.int64)] * self.absmax + self.offset

    def _codes(self, scales: Tensor) -> Tensor:
        share = torch.where(self.absmax > 0, (scales - self.offset) / self.absmax, 0.0)
        return self._within(torch.searchsorted(_middles().to(scales.device), share), scales < 0)

    def _within(self, codes: Tensor, is_negative: Tensor) -> Tensor:
        first_negative, last_negative, first_positive, last_positive = self.ends
        low = torch.where(is_negative, first_negative, first_positive)
        high = torch.where(is_negative, last_negative, last_positive)
        return torch.minimum(torch.maximum(codes, low), high)


def mean_of(used: Tensor) -> Tensor:
    """What is taken off scales: their mean, a float32; 1 where there are none."""
    if not len(used):
        return torch.ones((), device=used.device)
    return (ordered_sum(used.to(torch.float64)[None])[0] / len(used)).to(torch.float32)


@lru_cache(maxsize=1)
def dynamic_map() -> Tensor:
    """float32 `[256]`, ascending: bitsandbytes' signed map of 8 bits (Dettmers, 8-bit optimizers, 2021, section 1.3).

    For every decade from 1e-6 to 1 the middles of 1, 2, 4 .. 64 equal parts of it, with both signs; and 0 and 1.
    """
    found = [0.0, 1.0]
    for exponent in range(_EXPONENTS):
        borders = torch.linspace(0.1, 1, (1 << exponent) + 1, dtype=torch.float32)
        middles = (borders[:-1] + borders[1:]) / 2
        decade = 10.0 ** (exponent - _EXPONENTS + 1)
        found += (decade * middles).tolist() + (-decade * middles).tolist()
    return torch.tensor(sorted(found), dtype=torch.float32)


@lru_cache(maxsize=1)
def _middles() -> Tensor:
    levels = dynamic_map().to(torch.float64)
    return ((levels[1:] + levels[:-1]) / 2).to(torch.float32)

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
    """float32 `[ceil(count / 256)]`: of the scales less the offset."""
    offset: float
    """A float32: the mean of the scales."""
    count: int
    first: int = 0
    """The place of the first block among all."""

    @classmethod
    def fitted(cls, scales: Tensor, is_used: Tensor) -> "NestedScales":
        """For these scales as the owner has it, but blocks that are all zero do not count."""
        used = scales[is_used].to(torch.float64)
        mean = ordered_sum(used[None])[0] / max(len(used), 1) if len(used) else torch.ones(())
        offset = mean.to(torch.float32)
        distances = torch.where(is_used, (scales - offset).abs(), 0.0)
        padded = torch.nn.functional.pad(distances, (0, -len(scales) % NESTED_BLOCK))
        absmax = padded.view(-1, NESTED_BLOCK).amax(dim=1)
        while not torch.isfinite(absmax + offset.abs()).all():
            absmax = torch.where(torch.isfinite(absmax + offset.abs()), absmax, absmax * (1 - 2.0**-23))
        return cls(absmax, float(offset), len(scales))

    @property
    def has_signs(self) -> bool:
        """See `StorableScales`."""
        return True

    def of_rows(self, rows: slice) -> "NestedScales":
        """See `StorableScales`."""
        start, end, _ = rows.indices(self.count)
        return NestedScales(self.absmax, self.offset, end - start, self.first + start)

    def nearest(self, scales: Tensor) -> Tensor:
        """See `StorableScales`: of the other sign only where no number of the same one can be stored."""
        return self._read(self._codes(scales))

    def neighbours(self, scales: Tensor) -> tuple[Tensor, Tensor]:
        """See `StorableScales`."""
        codes, sign = self._codes(scales), torch.where(scales < 0, -1, 1)
        low, high = self._ends(scales < 0)
        return self._read((codes - sign).clamp(low, high)), self._read((codes + sign).clamp(low, high))

    def all_between(self, low: float, high: float) -> Tensor | None:
        """See `StorableScales`: they differ from block to block."""
        del low, high
        return None

    def every(self) -> Tensor:
        """All storable scales of each block, `[blocks, 256]`."""
        return dynamic_map().to(self.absmax.device) * self._absmax()[:, None] + self.offset

    def stored(self, scales: Tensor) -> Tensor:
        """The codes of scales that `nearest` gave, as uint8."""
        return self._codes(scales).to(torch.uint8)

    def read(self, codes: Tensor) -> Tensor:
        """float32: what readers multiply by, rounded after the product and after the sum, like theirs."""
        return self._read(codes.to(torch.int64))

    def _read(self, codes: Tensor) -> Tensor:
        return dynamic_map().to(codes.device)[codes] * self._absmax() + self.offset

    def _absmax(self) -> Tensor:
        places = torch.arange(self.first, self.first + self.count, device=self.absmax.device)
        return self.absmax[places // NESTED_BLOCK]

    def _codes(self, scales: Tensor) -> Tensor:
        absmax = self._absmax()
        share = torch.where(absmax > 0, (scales - self.offset) / absmax, 0.0)
        codes = torch.searchsorted(_middles().to(scales.device), share)
        low, high = self._ends(scales < 0)
        return torch.minimum(torch.maximum(codes, low), high)

    def _ends(self, is_negative: Tensor) -> tuple[Tensor, Tensor]:
        """The first and the last code whose scale has that sign; of the other sign where there is none."""
        every = self.every()
        negatives = (every <= -_SMALLEST).sum(dim=1)
        positives = (every >= _SMALLEST).sum(dim=1)
        is_negative = (is_negative & (negatives > 0)) | (positives == 0)
        low = torch.where(is_negative, 0, 256 - positives)
        return low, torch.where(is_negative, negatives - 1, 255)


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

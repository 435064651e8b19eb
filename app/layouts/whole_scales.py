"""What a weight shares as a whole: found in a first pass over its bands, so that each can be coded alone."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from app.errors import InvalidInput
from app.layouts.writing import Numbers
from app.schemes.affine import AffineScheme
from app.schemes.affine_search import find_pairs
from app.schemes.bands import pinned
from app.schemes.grid_scheme import GridScheme
from app.schemes.partitions import Granularity
from app.schemes.scheme import Choices, ScaleRule
from app.schemes.search import find_scales

_DROPPED_BITS = 12
"""Of a float32's 32: the numbers that are counted together differ by less than 1/2000."""
_BINS = 1 << (32 - _DROPPED_BITS)


def fixed(scheme: GridScheme | AffineScheme, numbers: Numbers, choices: Choices) -> GridScheme | AffineScheme:
    """The scheme with all that bands share: the scale of a whole tensor, or the global scale of NVFP4.

    Raises:
        InvalidInput: `scheme.not-finite`.
    """
    choices = replace(choices, seed=None)
    if scheme.partition.granularity is Granularity.TENSOR and choices.scale is ScaleRule.PERCENTILE:
        return _by_percentile(scheme, numbers, choices)

    def bands() -> Iterator[Tensor]:
        return (band.values for band in numbers.bands(unit_columns=1))

    found = pinned(scheme, bands, choices)
    assert isinstance(found, GridScheme | AffineScheme)
    return found


def _by_percentile(scheme: GridScheme | AffineScheme, numbers: Numbers, choices: Choices) -> GridScheme | AffineScheme:
    counted = CountedValues.of(numbers)
    plain = replace(choices, scale=ScaleRule.ABSMAX)
    if isinstance(scheme, GridScheme):
        reach = torch.tensor([[counted.magnitude_at(choices.percentile)]])
        found = find_scales(reach, scheme.grid, scheme.fitted_format(reach), plain)
        return replace(scheme, tensor_scale=float(found))
    scales, offsets = find_pairs(torch.tensor([counted.ends_at(choices.percentile)]), scheme.pairs, plain)
    return replace(scheme, tensor_pair=(float(scales), float(offsets)))


@dataclass(frozen=True, slots=True)
class CountedValues:
    """Numbers of a tensor, ascending, each the mean of a bin, and how many are in the bin."""

    values: Tensor
    """float32."""
    counts: Tensor
    """int64."""

    @classmethod
    def of(cls, numbers: Numbers) -> "CountedValues":
        """Counts all of a weight in one pass.

        Raises:
            InvalidInput: `scheme.not-finite`.
        """
        counts, sums = torch.zeros(_BINS, dtype=torch.int64), torch.zeros(_BINS, dtype=torch.float64)
        for band in numbers.bands(unit_columns=1):
            flat = band.values.view(-1)
            places = (flat.view(torch.int32) >> _DROPPED_BITS).to(torch.int64).add_(_BINS // 2)
            counts += torch.bincount(places, minlength=_BINS)
            sums += torch.bincount(places, flat, minlength=_BINS)
        used = counts.nonzero()[:, 0]
        found = sums[used] / counts[used]
        if not bool(torch.isfinite(found).all()):
            raise InvalidInput("scheme.not-finite", count=0, row=0, column=0)
        order = found.argsort()
        return cls(found[order].to(torch.float32), counts[used][order])

    def magnitude_at(self, percentile: float) -> float:
        """That percentile of the magnitudes."""
        magnitudes, order = self.values.abs().sort()
        return float(magnitudes[_rank(self.counts[order], percentile)])

    def ends_at(self, percentile: float) -> tuple[float, float]:
        """The percentiles from both ends."""
        high = int(_rank(self.counts, percentile))
        low = len(self.counts) - 1 - int(_rank(self.counts.flip(0), percentile))
        return float(self.values[min(low, high)]), float(self.values[max(low, high)])


def _rank(counts: Tensor, percentile: float) -> Tensor:
    ends = counts.cumsum(0)
    place = torch.ceil((ends[-1] - 1).to(torch.float64) * (percentile / 100)).to(torch.int64)
    return torch.searchsorted(ends, place, right=True).clamp_(max=len(counts) - 1)

"""The scale of a whole tensor of any size: found from its largest magnitude, or from its numbers as counted values."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from app.errors import InvalidInput
from app.layouts.writing import Numbers
from app.schemes.affine import AffineScheme
from app.schemes.affine_pairs import Pair
from app.schemes.affine_search import find_pairs
from app.schemes.grid_scheme import GridScheme
from app.schemes.scale_formats import ScaleFormat
from app.schemes.scheme import Choices, ScaleRule
from app.schemes.search import find_scales

_WORD_BITS = 32
_DROPPED_BITS = {"bfloat16": 16}
"""Of a float32: all that is 0 in the format."""
_OTHERWISE_DROPPED = 13
"""Nothing of a float16; of a float32 what is behind ten bits of the mantissa: a mean stands for 8,192 numbers."""


@dataclass(frozen=True, slots=True)
class OnlyScale(ScaleFormat):
    """A format that has one number, so that kernels which find scales give the codes for this one."""

    only: float = 1.0

    @property
    def smallest(self) -> float:
        """See `ScaleFormat`."""
        return self.only

    @property
    def largest(self) -> float:
        """See `ScaleFormat`."""
        return self.only


@dataclass(frozen=True, slots=True)
class CountedValues:
    """Different numbers of a tensor, ascending, and how often each is there: `[1, values]` each."""

    values: Tensor
    """float32; the mean of neighbours where a format has too many numbers."""
    counts: Tensor
    """float64."""

    @classmethod
    def of(cls, numbers: Numbers) -> "CountedValues":
        """Counts all of a weight in one pass.

        Raises:
            InvalidInput: `scheme.not-finite`.
        """
        dropped = _DROPPED_BITS.get(numbers.weight.format, _OTHERWISE_DROPPED)
        bins = 1 << (_WORD_BITS - dropped)
        counts, sums = torch.zeros(bins, dtype=torch.int64), torch.zeros(bins, dtype=torch.float64)
        for band in numbers.bands(unit_columns=1):
            flat = band.values.view(-1)
            places = (flat.view(torch.int32) >> dropped).to(torch.int64).add_(bins // 2)
            counts += torch.bincount(places, minlength=bins)
            sums += torch.bincount(places, flat, minlength=bins)
        used = counts.nonzero()[:, 0]
        found = sums[used] / counts[used]
        if not bool(torch.isfinite(found).all()):
            raise InvalidInput("scheme.not-finite", count=0, row=0, column=0)
        order = found.argsort()
        return cls(found[order].to(torch.float32)[None], counts[used][order].to(torch.float64)[None])

    def magnitude_at(self, percentile: float) -> float:
        """That percentile of the magnitudes."""
        magnitudes, order = self.values[0].abs().sort()
        return float(magnitudes[_rank(self.counts[0][order], percentile)])

    def ends_at(self, percentile: float) -> tuple[float, float]:
        """The percentiles from both ends."""
        counts = self.counts[0]
        high = int(_rank(counts, percentile))
        low = len(counts) - 1 - int(_rank(counts.flip(0), percentile))
        return float(self.values[0, min(low, high)]), float(self.values[0, max(low, high)])


def _rank(counts: Tensor, percentile: float) -> Tensor:
    ends = counts.cumsum(0)
    place = torch.ceil((ends[-1] - 1) * (percentile / 100))
    return torch.searchsorted(ends, place, right=True).clamp_(max=len(counts) - 1)


def ends_of(numbers: Numbers) -> tuple[float, float]:
    """The least and the largest number of a weight.

    Raises:
        InvalidInput: `scheme.not-finite`.
    """
    low, high = torch.tensor(torch.inf), torch.tensor(-torch.inf)
    for band in numbers.bands(unit_columns=1):
        least, largest = torch.aminmax(band.values)
        low, high = torch.minimum(low, least), torch.maximum(high, largest)
    if not bool(torch.isfinite(low) & torch.isfinite(high)):
        raise InvalidInput("scheme.not-finite", count=0, row=0, column=0)
    return float(low), float(high)


def whole_scale(scheme: GridScheme, numbers: Numbers, choices: Choices) -> Tensor:
    """The scale of the whole tensor, float32 `[1]`, as the scheme stores it."""
    plain = replace(choices, scale=ScaleRule.ABSMAX, importance=None, seed=None)
    if choices.scale is ScaleRule.MSE:
        counted = CountedValues.of(numbers)
        storable = scheme.fitted_format(counted.values)
        return find_scales(counted.values, scheme.grid, storable, choices, counted.counts.to(torch.float32))
    if choices.scale is ScaleRule.PERCENTILE:
        reach = CountedValues.of(numbers).magnitude_at(choices.percentile)
    else:
        low, high = ends_of(numbers)
        reach = max(-low, high)
    values = torch.tensor([[reach]])
    return find_scales(values, scheme.grid, scheme.fitted_format(values), plain)


def whole_pair(scheme: AffineScheme, numbers: Numbers, choices: Choices) -> Pair:
    """Scale and offset of the whole tensor, float32 `[1]` each, as the scheme stores them."""
    if choices.scale is ScaleRule.MSE:
        counted = CountedValues.of(numbers)
        return find_pairs(counted.values, scheme.pairs, choices, counted.counts.to(torch.float32))
    if choices.scale is ScaleRule.PERCENTILE:
        ends = CountedValues.of(numbers).ends_at(choices.percentile)
    else:
        ends = ends_of(numbers)
    plain = replace(choices, scale=ScaleRule.ABSMAX)
    return find_pairs(torch.tensor([ends]), scheme.pairs, plain)

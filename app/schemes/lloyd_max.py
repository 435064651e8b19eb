"""A codebook fitted to the tensor itself, for study: no runtime reads it, and no other list of levels errs less."""

from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from app.schemes.entries import SchemeEntry, SchemeOptions
from app.schemes.grid_scheme import GridScheme, dense_packing
from app.schemes.grids import Grid
from app.schemes.partitions import Granularity, Partition, parse_partition
from app.schemes.scale_formats import ScaleFormat
from app.schemes.scheme import Choices, Elements, QuantizedTensor, ScaleRule, Storage, check_values

_ROUNDS = 2
"""Levels for the scales, then scales for the levels, so many times."""
_LONGEST = 200
_EQUAL_COUNTS, _EQUAL_WIDTHS = 160, 96
"""Borders of the bins of the first fit: as many values between two, and as much of the way from end to end."""


@dataclass(frozen=True, slots=True)
class LloydMaxScheme:
    """value = level * scale; one scale of 1, not stored, for the whole tensor."""

    name: str
    bits: int
    partition: Partition

    @property
    def _is_scaled(self) -> bool:
        return self.partition.granularity is not Granularity.TENSOR

    def quantize(self, values: Tensor, choices: Choices) -> QuantizedTensor:
        """See `Scheme`."""
        check_values(values, choices)
        inner = self._with_levels(torch.linspace(-1, 1, 1 << self.bits))
        blocks = self.partition.blocks(values)
        is_there, weights = ~blocks.isnan(), inner.weights(values, choices)
        importance = torch.ones_like(blocks) if weights is None else weights
        scales = torch.ones(len(blocks), device=values.device)
        if self._is_scaled:
            scales = inner.find_scales(values, replace(choices, scale=ScaleRule.ABSMAX))
        for _ in range(_ROUNDS if self._is_scaled else 1):
            share = (importance * scales.square()[:, None])[is_there]
            inner = self._with_levels(fit_levels((blocks / scales[:, None])[is_there], share, 1 << self.bits))
            if self._is_scaled:
                scales = inner.find_scales(values, choices)
        found = inner.with_scales(values, scales, inner.fitted_format(values), choices.seed)
        levels = inner.grid.level_tensor().to(values.device)
        return replace(found, scales=found.scales if self._is_scaled else None, others={"levels": levels})

    def elements(self, stored: QuantizedTensor) -> Elements:
        """See `Scheme`."""
        inner = self._with_levels(stored.others["levels"])
        ones = torch.ones(self.partition.scale_shape(stored.shape), device=stored.codes.device)
        return inner.elements(replace(stored, scales=ones if stored.scales is None else stored.scales))

    def dequantize(self, stored: QuantizedTensor) -> Tensor:
        """See `Scheme`."""
        elements = self.elements(stored)
        return elements.levels * elements.scales

    def storage(self, shape: tuple[int, int]) -> Storage:
        """See `Scheme`; the levels are counted, since they are this tensor's own."""
        found = self._with_levels(torch.linspace(-1, 1, 1 << self.bits)).storage(shape)
        return replace(found, scales=found.scales if self._is_scaled else 0, others=32 << self.bits)

    def _with_levels(self, levels: Tensor) -> GridScheme:
        grid = Grid(self.name, self.bits, tuple(levels.tolist()), tuple(range(1 << self.bits)))
        return GridScheme(self.name, grid, self.partition, ScaleFormat("float32"), dense_packing(self.bits))


def fit_levels(values: Tensor, weights: Tensor, count: int) -> Tensor:
    """`count` ascending float32 levels of least weighted squared error: Lloyd (1982) from the best cut of 256 bins.

    Where there are fewer different values than levels, the last level is repeated.
    """
    values, order = values.flatten().sort()
    values, weights = values.to(torch.float64), weights.flatten()[order].to(torch.float64)
    moments = torch.stack([weights, weights * values, weights * values.square()])
    sums = torch.nn.functional.pad(moments.cumsum(dim=1), (1, 0))
    cuts = _best_cuts(values, sums, count)
    levels = _centres(sums, cuts, values)
    for _ in range(_LONGEST):
        moved = torch.searchsorted(values, (levels[1:] + levels[:-1]) / 2, right=True)
        moved = torch.cat([cuts[:1], moved, cuts[-1:]])
        if torch.equal(moved, cuts):
            break
        cuts = moved
        levels = _centres(sums, cuts, values)
    found = levels.to(torch.float32).sort().values
    return torch.cat([found, found[-1:].expand(count - len(found))])


def _best_cuts(values: Tensor, sums: Tensor, count: int) -> Tensor:
    """The places that cut the sorted values best among the borders of bins, by dynamic programming."""
    size, device = len(values), values.device
    counts = torch.linspace(0, size, _EQUAL_COUNTS, dtype=torch.float64, device=device).to(torch.int64)
    places = torch.linspace(0, 1, _EQUAL_WIDTHS, dtype=torch.float64, device=device)
    widths = torch.searchsorted(values, values[0] + places * (values[-1] - values[0]))
    ends = torch.tensor([0, size], device=device)
    borders: Tensor = torch.unique(torch.cat([counts, widths, ends]))
    weight, first, second = sums[:, borders]
    mass = weight[None, :] - weight[:, None]
    error = second[None, :] - second[:, None] - (first[None, :] - first[:, None]).square() / mass
    error = torch.where(mass > 0, error.clamp(min=0), 0.0)
    later = torch.ones_like(error, dtype=torch.bool).triu(1)
    error = torch.where(later, error, torch.inf)
    least, choices = error[0], []
    for _ in range(min(count, len(borders) - 1) - 1):
        least, choice = (least[:, None] + error).min(dim=0)
        choices.append(choice)
    place = len(borders) - 1
    cuts = [place]
    for choice in reversed(choices):
        place = int(choice[place])
        cuts.append(place)
    return borders[torch.tensor([0, *reversed(cuts)], device=device)]


def _centres(sums: Tensor, cuts: Tensor, values: Tensor) -> Tensor:
    """The weighted mean of the values between each two cuts; without weight or values, the one that they start at."""
    weight, first, _ = sums[:, cuts].diff(dim=1)
    at_start = values[cuts[:-1].clamp(max=len(values) - 1)]
    return torch.where(weight > 0, first / weight, at_start)


def _lloyd_max(bits: int, options: SchemeOptions) -> LloydMaxScheme:
    return LloydMaxScheme(f"lloyd_max{bits}", bits, parse_partition(options.granularity or "tensor"))


ENTRIES = tuple(
    SchemeEntry(
        name=f"lloyd_max{bits}",
        family="codebook",
        element="",
        layout="bitlens",
        options=frozenset({"granularity", "scale", "seed", "importance"}),
        build=partial(_lloyd_max, bits),
        granularities=("tensor", "channel", "group=128", "group=64"),
    )
    for bits in (2, 3, 4)
)

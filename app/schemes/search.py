"""The plain torch search for the scale of each block on a grid; `kernels` find the same within 0.01 dB, faster.

Every scale that is compared is one that the layout stores, and its error is that of the numbers that come back.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from app.schemes.grids import Grid
from app.schemes.scale_formats import ScaleFormat
from app.schemes.scheme import Choices, ScaleRule

_CHUNK = 1 << 19
"""Elements that are looked at together: a scan holds a few copies of them."""
_STEP = 1.025
"""From one candidate to the next: the error is flat around its least, so that LS finds what lies between."""
_FIRST, _LAST = 0.7, 4.5
"""Where candidates put the largest magnitude, in units of the grid's end: from unused levels to clipped weights."""
_REFINED = 3


def find_scales(
    blocks: Tensor, grid: Grid, scale_format: ScaleFormat, choices: Choices, weights: Tensor | None = None
) -> Tensor:
    """One scale for each row of `blocks`, float32 `[blocks]`, each storable; NaN in blocks is no element.

    `weights`, of the shape of `blocks`, multiply squared errors in `ScaleRule.MSE`. A block of zeros gets 1, or the
    storable number nearest to it.
    """
    rows = max(1, _CHUNK // blocks.shape[1])
    found = []
    for start in range(0, len(blocks), rows):
        part = slice(start, start + rows)
        search = _Search.of(blocks[part], None if weights is None else weights[part], grid, scale_format)
        found.append(search.by_rule(choices))
    return torch.cat(found)


def least_of(blocks: Tensor, grid: Grid, candidates: Sequence[Tensor], weights: Tensor | None = None) -> Tensor:
    """For each block the scale with the least squared error of these, the first of equal ones."""
    search = _Search.of(blocks, weights, grid, ScaleFormat("float32"))
    best, least = candidates[0], search.error(candidates[0])
    for scales in candidates[1:]:
        error = search.error(scales)
        best, least = torch.where(error < least, scales, best), torch.minimum(error, least)
    return best


@dataclass(frozen=True, slots=True)
class _Search:
    values: Tensor
    """Zeros in place of NaN."""
    weights: Tensor | None
    grid: Grid
    scale_format: ScaleFormat

    @classmethod
    def of(cls, blocks: Tensor, weights: Tensor | None, grid: Grid, scale_format: ScaleFormat) -> "_Search":
        return cls(blocks.nan_to_num(0.0), weights, grid, scale_format)

    def by_rule(self, choices: Choices) -> Tensor:
        reach = self._reach(choices)
        scales = self.scale_format.nearest(reach / self.grid.end)
        if choices.scale is ScaleRule.MSE:
            scales = self._least_error(scales, both_signs=choices.signed_scales)
        return torch.where(reach == 0, self.scale_format.nearest(torch.ones_like(reach)), scales)

    def _reach(self, choices: Choices) -> Tensor:
        if choices.scale is ScaleRule.PERCENTILE:
            share = choices.percentile / 100
            return torch.quantile(self.values.abs(), share, dim=1, interpolation="higher")
        return self.values.abs().amax(dim=1)

    def error(self, scales: Tensor) -> Tensor:
        """The squared error of each block in float64."""
        difference = (self.values - self._levels(scales) * scales[:, None]).to(torch.float64).square_()
        return (difference if self.weights is None else difference * self.weights).sum(dim=1)

    def _levels(self, scales: Tensor) -> Tensor:
        levels = self.grid.level_tensor().to(scales.device)
        return levels[self.grid.nearest(self.values * (1 / scales)[:, None])]

    def _least_error(self, absmax: Tensor, *, both_signs: bool) -> Tensor:
        best, least = absmax, self.error(absmax)
        tried = []
        for scales in self._candidates(both_signs=both_signs):
            error = self.error(scales)
            tried.append((error, scales))
        errors, candidates = (torch.stack(each) for each in zip(*tried, strict=True))
        for place in errors.argsort(dim=0)[:_REFINED]:
            scales = candidates.gather(0, place[None])[0]
            for refined in (scales, *self._refined(scales)):
                error = self.error(refined)
                is_less = error < least
                best, least = torch.where(is_less, refined, best), torch.where(is_less, error, least)
        return best

    def _candidates(self, *, both_signs: bool) -> list[Tensor]:
        reach, scale = self.values.abs().amax(dim=1), _FIRST
        found = []
        while scale <= _LAST:
            positive = self.scale_format.nearest(reach / (scale * self.grid.end))
            found += [positive, -positive] if both_signs else [positive]
            scale *= _STEP
        return found

    def _refined(self, scales: Tensor) -> list[Tensor]:
        """The least-squares scale for the levels that a scale gives, twice over, and its storable neighbours."""
        found = []
        for _ in range(2):
            levels = self._levels(scales).to(torch.float64)
            weighted = levels if self.weights is None else levels * self.weights
            squares = (weighted * levels).sum(dim=1)
            least_squares = ((weighted * self.values).sum(dim=1) / squares).to(torch.float32)
            is_usable = (squares > 0) & ((least_squares < 0) == (scales < 0)) & (least_squares != 0)
            scales = torch.where(is_usable, self.scale_format.nearest(least_squares), scales)
            found.append(scales)
        return [*found, *self.scale_format.neighbours(scales)]

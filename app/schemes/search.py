"""The plain torch search for the scale of each block on a grid; `kernels` find the same within 0.01 dB, faster.

Every scale that is compared is one that the layout stores, and its error is that of the numbers that come back.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from app.schemes.candidates import Candidates
from app.schemes.grids import Grid
from app.schemes.ordered_sums import ordered_sum
from app.schemes.scale_formats import StorableScales
from app.schemes.scheme import Choices, ScaleRule
from app.schemes.sweep import LARGEST_GRID, best_scales

_CHUNK = 1 << 16
"""Elements that are looked at together: a few copies of them fit a processor's cache."""
_EXPONENT = 0x7F800000
_LARGEST = torch.finfo(torch.float32).max
_KEPT = 6
"""So many of the best candidates are refined."""


def find_scales(
    blocks: Tensor, grid: Grid, storable: StorableScales, choices: Choices, weights: Tensor | None = None
) -> Tensor:
    """One scale for each row of `blocks`, float32 `[blocks]`, each storable; NaN in blocks is no element.

    `weights`, of the shape of `blocks`, multiply squared errors in `ScaleRule.MSE`. A block of zeros gets 1, or the
    storable number nearest to it.
    """
    rows = max(1, _CHUNK // blocks.shape[1])
    found = []
    for start in range(0, len(blocks), rows):
        part = slice(start, start + rows)
        kept = storable.of_rows(part)
        reach = _reach(blocks[part], choices)
        scales = kept.nearest(reach / grid.end)
        if choices.scale is ScaleRule.MSE:
            both_signs = choices.signed_scales and storable.has_signs and not grid.is_symmetric
            search = _Search.of(blocks[part], None if weights is None else weights[part], grid, kept)
            scales = search.least_error(scales, both_signs=both_signs)
            if kept.are_few:  # none of them may be in reach of a block
                scales = kept.nearest(scales)
        found.append(torch.where(reach == 0, kept.nearest(torch.ones_like(reach)), scales))
    return torch.cat(found)


def least_of(blocks: Tensor, grid: Grid, candidates: Sequence[Tensor], weights: Tensor | None = None) -> Tensor:
    """For each block the scale with the least squared error of these, the first of equal ones."""
    rows = max(1, _CHUNK // blocks.shape[1])
    found = []
    for start in range(0, len(blocks), rows):
        part = slice(start, start + rows)
        search = _Search.of(blocks[part], None if weights is None else weights[part], grid, None)
        found.append(search.least_of([each[part] for each in candidates]))
    return torch.cat(found)


def _reach(blocks: Tensor, choices: Choices) -> Tensor:
    """The largest magnitude of each block, or that percentile of the magnitudes, itself one of them."""
    if choices.scale is not ScaleRule.PERCENTILE:
        return blocks.nan_to_num(0.0).abs().amax(dim=1)
    magnitudes = torch.where(blocks.isnan(), -1.0, blocks.abs()).sort(dim=1).values
    empty = (magnitudes < 0).sum(dim=1)
    rank = torch.ceil((blocks.shape[1] - empty - 1).to(torch.float64) * (choices.percentile / 100)).to(torch.int64)
    return magnitudes.gather(1, (empty + rank)[:, None])[:, 0]


@dataclass(frozen=True, slots=True)
class _Search:
    """Blocks divided by a power of two each, so that squares of any float32 neither overflow nor vanish."""

    values: Tensor
    """Zeros in place of NaN."""
    weights: Tensor | None
    unit: Tensor
    """What blocks were divided by, float32 `[blocks]`."""
    grid: Grid
    storable: StorableScales | None

    @classmethod
    def of(cls, blocks: Tensor, weights: Tensor | None, grid: Grid, storable: StorableScales | None) -> "_Search":
        values = blocks.nan_to_num(0.0)
        words = values.abs().amax(dim=1).view(torch.int32) & _EXPONENT
        unit = words.view(torch.float32).clamp(2.0**-126, 2.0**126)
        if weights is not None:
            largest = weights.amax(dim=1, keepdim=True)
            weights = torch.where(largest > 0, weights / largest, 1.0)
        return cls(values * (1 / unit)[:, None], weights, unit, grid, storable)

    def error(self, scales: Tensor) -> Tensor:
        """The squared error of each block, in its unit: summed in float64."""
        return ordered_sum(self._squares(scales, torch.float64))

    def rough_errors(self, scales: Tensor) -> tuple[Tensor, Tensor]:
        """The same in float32, and the least error of the levels that these scales give: it is seen from beside.

        With levels q, scale s and d = x - s q that is sum d^2 - (sum q d)^2 / sum q^2.
        """
        assert self.storable is not None
        scales = scales / self.unit
        levels = self.grid.rounded(self.values * (1 / scales)[:, None])
        differences = self.values - levels * scales[:, None]
        weighted = differences if self.weights is None else differences * self.weights
        error = ordered_sum(weighted * differences)
        if not self.storable.are_dense:
            return error, error
        norms = levels.square() if self.weights is None else levels.square() * self.weights
        return error, error - ordered_sum(levels.mul_(weighted)).square_() / ordered_sum(norms).clamp_(min=1e-30)

    def _squares(self, scales: Tensor, dtype: torch.dtype) -> Tensor:
        scales = scales / self.unit
        levels = self.grid.rounded(self.values * (1 / scales)[:, None])
        squares = (self.values - levels.mul_(scales[:, None])).to(dtype).square_()
        return squares if self.weights is None else squares.mul_(self.weights)

    def clipped(self, scales: Tensor) -> Tensor:
        """Less than the error of these scales and of all smaller ones: what lies beyond the ends of the grid."""
        furthest = max(self.grid.largest, -self.grid.smallest)
        beyond = self.values.abs().sub_((scales.abs() / self.unit * furthest)[:, None]).clamp_(min=0).square_()
        return ordered_sum(beyond if self.weights is None else beyond.mul_(self.weights))

    def least_of(self, candidates: Sequence[Tensor]) -> Tensor:
        best, least = candidates[0], self.error(candidates[0])
        for scales in candidates[1:]:
            error = self.error(scales)
            is_less = error < least  # not so for NaN, where a scale is beyond all reason
            best, least = torch.where(is_less, scales, best), torch.where(is_less, error, least)
        return best

    def least_error(self, absmax: Tensor, *, both_signs: bool) -> Tensor:
        assert self.storable is not None
        tried = [absmax]
        for sign in (1, -1) if both_signs else (1,):
            tried += self._swept(sign) if self._is_swept else self._scanned(sign)
        return self.least_of(tried)

    @property
    def _is_swept(self) -> bool:
        assert self.storable is not None
        return len(self.grid.levels) <= LARGEST_GRID and not self.storable.are_few

    def _swept(self, sign: int) -> list[Tensor]:
        """Around each of the best real numbers the storable ones; both ends; and landings, see `Candidates`."""
        assert self.storable is not None
        ends = [self.storable.nearest(torch.full_like(self.unit, sign * size)) for size in (2.0**-126, _LARGEST)]
        low, high = (each.abs() / self.unit for each in ends)
        found = ends
        for scales in best_scales(self.values, self.weights, self.grid, sign, (low, high), _KEPT):
            nearest = self.storable.nearest((scales * self.unit).nan_to_num(sign))
            found += [nearest, self.storable.shifted(nearest, -1), self.storable.shifted(nearest, 1)]
        landings = Candidates(self._weighted_reach(), self.grid, self.storable, self.values.shape[1]).landings()
        return [*found, *(each * sign for each in landings)]

    def _weighted_reach(self) -> Tensor:
        reach = self.values.abs()
        if self.weights is not None:
            reach = torch.where(self.weights > 0, reach, 0.0)
        return reach.amax(dim=1) * self.unit

    def _scanned(self, sign: int) -> list[Tensor]:
        assert self.storable is not None
        candidates = Candidates(self._weighted_reach(), self.grid, self.storable, self.values.shape[1])
        kept = candidates.best(sign, self.rough_errors, self.clipped, _KEPT)
        if self.storable.are_few:
            return kept
        return [*kept, *(refined for scales in kept for refined in self._refined(scales))]

    def _refined(self, scales: Tensor) -> list[Tensor]:
        """The least-squares scale for the levels that a scale gives, twice over, and its storable neighbours."""
        assert self.storable is not None
        found = []
        for _ in range(2):
            levels = self.grid.rounded(self.values * (self.unit / scales)[:, None]).to(torch.float64)
            weighted = levels if self.weights is None else levels * self.weights
            squares = ordered_sum(weighted * levels)
            least_squares = ordered_sum(weighted * self.values) / squares
            wanted = (least_squares * self.unit).to(torch.float32)
            is_usable = (squares > 0) & ((wanted < 0) == (scales < 0)) & (wanted != 0)
            scales = torch.where(is_usable, self.storable.nearest(wanted), scales)
            found.append(scales)
        return [*found, self.storable.shifted(scales, -1), self.storable.shifted(scales, 1)]

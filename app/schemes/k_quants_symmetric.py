"""The search for signed scales of super-blocks whose value is (d * scale) * level, in plain torch.

Each sub-block starts from several scales that put its number of largest magnitude somewhere near an end of the grid.
The codes of each start give the error as a quadratic in the scale, by which several d are compared at once. Around the
winner whole scales of both signs are searched with new codes for each; least squares then renew d.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from app.schemes.grids import Grid
from app.schemes.k_quants_numbers import NEVER, block_units, in_units, stored_half, total
from app.schemes.scheme import Choices, ScaleRule


@dataclass(frozen=True, slots=True)
class SymmetricSearch:
    """What is tried; the kernels read the same."""

    grid: Grid
    lowest: int
    """The smallest scale of a sub-block; the largest is -lowest - 1."""
    starts: tuple[float, ...]
    """Where a sub-block's number of largest magnitude goes, in levels; the sign says to which end."""
    trials: tuple[int, ...]
    """The whole scale that the super-block's largest becomes."""
    span: int
    """How far around a whole scale others are tried."""
    both_signs: bool = True
    """Whether around a scale those of the other sign are tried: of no use where the ends hardly differ."""
    rounds: int = 2

    @property
    def highest(self) -> int:
        """The largest scale of a sub-block."""
        return -self.lowest - 1


@dataclass(frozen=True, slots=True)
class SymmetricScales:
    """What is found, of each super-block and sub-block, as float32."""

    d: Tensor
    scales: Tensor


@dataclass(frozen=True, slots=True)
class _Quadratic:
    """Of the levels of sub-blocks: weighted sums of level^2 and level * value, and the scale of least squares."""

    squares: Tensor
    products: Tensor
    scale: Tensor


def find_symmetric(
    blocks: Tensor, weights: Tensor | None, search: SymmetricSearch, choices: Choices
) -> SymmetricScales:
    """Scales of `blocks` `[blocks, sub-blocks, elements]`, of which `weights` multiply squared errors."""
    units = block_units(blocks)
    blocks = in_units(blocks, units, choices)
    task = _Task.of(blocks, weights, units, search)
    plain = task.by_extremes()
    found = plain
    if choices.scale is ScaleRule.MSE:
        searched = task.searched()
        found = _chosen(task.error_of(searched) < task.error_of(plain), searched, plain)
    is_zero = (blocks == 0).all(dim=2).all(dim=1)
    zeros = SymmetricScales(torch.zeros_like(found.d), torch.zeros_like(found.scales))
    return _chosen(is_zero, zeros, SymmetricScales(found.d * units, found.scales))


def _chosen(is_first: Tensor, first: SymmetricScales, second: SymmetricScales) -> SymmetricScales:
    scales = torch.where(is_first[:, None], first.scales, second.scales)
    return SymmetricScales(torch.where(is_first, first.d, second.d), scales)


@dataclass(frozen=True, slots=True)
class _Task:
    values: Tensor
    """In units."""
    extreme: Tensor
    """The number of largest magnitude of each sub-block, the first of equals."""
    weights: Tensor | None
    units: Tensor
    search: SymmetricSearch
    squares: Tensor
    """Weighted sums of values^2."""

    @classmethod
    def of(cls, values: Tensor, weights: Tensor | None, units: Tensor, search: SymmetricSearch) -> "_Task":
        low, high = torch.aminmax(values, dim=2)
        extreme = torch.where(high > -low, high, low)
        squares = total(values * values if weights is None else values * values * weights)
        return cls(values, extreme, weights, units, search, squares)

    def by_extremes(self) -> SymmetricScales:
        """The number of largest magnitude goes to the grid's lower end, the further one."""
        scale = self.extreme / self.search.grid.smallest
        d = stored_half(self._largest(scale) / self.search.lowest, self.units)
        return SymmetricScales(d, self._whole(scale, d))

    def _largest(self, scale: Tensor) -> Tensor:
        return scale.gather(1, scale.abs().argmax(dim=1, keepdim=True))[:, 0]

    def _whole(self, scale: Tensor, d: Tensor) -> Tensor:
        return torch.round(scale / d[:, None]).clamp_(self.search.lowest, self.search.highest)

    def error_of(self, found: SymmetricScales) -> Tensor:
        """Of each super-block."""
        return total(self._error(found.scales * found.d[:, None]))

    def _levels(self, scale: Tensor) -> Tensor:
        inverse = torch.where(scale == 0, 0.0, 1 / scale)
        return self.search.grid.rounded(self.values * inverse[..., None])

    def _error(self, scale: Tensor) -> Tensor:
        errors = (self.values - self._levels(scale) * scale[..., None]).square_()
        return total(errors if self.weights is None else errors * self.weights)

    def _quadratic(self, scale: Tensor) -> _Quadratic:
        levels = self._levels(scale)
        weighted = levels if self.weights is None else levels * self.weights
        squares, products = total(weighted * levels), total(weighted * self.values)
        best = torch.where(squares > 0, products / torch.where(squares > 0, squares, 1.0), scale)
        return _Quadratic(squares, products, best)

    def _nearest(self, quadratic: _Quadratic, d: Tensor) -> tuple[Tensor, Tensor]:
        """The least error that whole scales next to least squares have with these levels."""
        first = torch.floor(quadratic.scale / d[:, None]).clamp_(self.search.lowest, self.search.highest - 1)
        wide = first * d[:, None]
        error = self.squares + wide * (wide * quadratic.squares - 2 * quadratic.products)
        wide = (first + 1) * d[:, None]
        other = self.squares + wide * (wide * quadratic.squares - 2 * quadratic.products)
        return torch.minimum(error, other), torch.where(other < error, first + 1, first)

    def _best_of(self, quadratics: list[_Quadratic], d: Tensor) -> tuple[Tensor, SymmetricScales]:
        least = torch.full_like(self.extreme, NEVER)
        scales = least
        for quadratic in quadratics:
            error, scale = self._nearest(quadratic, d)
            scales, least = torch.where(error < least, scale, scales), torch.minimum(error, least)
        return total(least), SymmetricScales(d, scales)

    def _starts(self) -> tuple[list[_Quadratic], Tensor]:
        found, least = [], torch.full_like(self.extreme, NEVER)
        scale = self.extreme
        for level in self.search.starts:
            quadratic = self._quadratic(self.extreme / level)
            error = self.squares - quadratic.scale * quadratic.products
            scale, least = torch.where(error < least, quadratic.scale, scale), torch.minimum(error, least)
            found.append(quadratic)
        return found, scale

    def searched(self) -> SymmetricScales:
        """The best of all that is tried."""
        quadratics, scale = self._starts()
        largest = self._largest(scale)
        found, least = self.by_extremes(), torch.full_like(largest, NEVER)
        for whole in self.search.trials:
            error, tried = self._best_of(quadratics, stored_half(largest / whole, self.units))
            found, least = _chosen(error < least, tried, found), torch.minimum(error, least)
        for count in range(self.search.rounds):
            found = self._around(self._renewed(found) if count else found)
        return found

    def _around(self, center: SymmetricScales) -> SymmetricScales:
        """The best of whole scales nearby, of both signs where the other can win."""
        least, scales = torch.full_like(self.extreme, NEVER), center.scales
        for step in range(-self.search.span, self.search.span + 1):
            for sign in (1, -1) if self.search.both_signs else (1,):
                scale = ((center.scales + step) * sign).clamp(self.search.lowest, self.search.highest)
                error = self._error(scale * center.d[:, None])
                scales, least = torch.where(error < least, scale, scales), torch.minimum(error, least)
        return SymmetricScales(center.d, scales)

    def _renewed(self, found: SymmetricScales) -> SymmetricScales:
        """d of least squares for scales and the levels that they give."""
        quadratic = self._quadratic(found.scales * found.d[:, None])
        squares = total(found.scales**2 * quadratic.squares)
        best = total(found.scales * quadratic.products) / torch.where(squares > 0, squares, 1.0)
        return SymmetricScales(stored_half(torch.where(best * found.d > 0, best, found.d), self.units), found.scales)

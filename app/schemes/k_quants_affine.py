"""The search for scales and minima of super-blocks whose value is (d * scale) * code - dmin * minimum, in plain torch.

Sub-blocks start from clipped ranges, each with its least-squares scale and minimum. Their codes give the error as a
quadratic in both, by which several pairs of d and dmin are compared at once. Around the winner scales and minima are
searched with new codes for each; least squares then renew d and dmin.
"""

from dataclasses import dataclass
from itertools import product

import torch
from torch import Tensor

from app.schemes.k_quants_numbers import NEVER, block_units, in_units, stored_half, total
from app.schemes.scheme import Choices, ScaleRule

_TINY = 1e-20
FINER = 2e-5
"""What a large scale or minimum costs, in its square: of two with the same error the smaller lets d be smaller."""
_DEGENERATE = 1e-5
"""Of a determinant, beside its first term: below it codes do not tell scale and minimum apart."""


@dataclass(frozen=True, slots=True)
class AffineSearch:
    """What is tried; the kernels read the same."""

    top: int
    """The largest code; the smallest is 0."""
    limit: int
    """The largest scale or minimum of a sub-block; the smallest is 0."""
    starts: tuple[tuple[float, float], ...]
    """How much of a sub-block's range is clipped below and above."""
    trials: tuple[tuple[float, float], ...]
    """Factors of d and dmin, of what lets the largest scale and minimum be the limit."""
    rounds: int = 2
    span: int = 1
    """How far around a scale and a minimum others are tried."""


@dataclass(frozen=True, slots=True)
class AffineScales:
    """What is found, of each super-block and sub-block, as float32."""

    d: Tensor
    dmin: Tensor
    scales: Tensor
    minima: Tensor


@dataclass(frozen=True, slots=True)
class _Quadratic:
    """Of the codes of sub-blocks: weighted sums of code, code^2 and code * value; and the scale of least squares."""

    code: Tensor
    squares: Tensor
    products: Tensor
    scale: Tensor


def find_affine(blocks: Tensor, weights: Tensor | None, search: AffineSearch, choices: Choices) -> AffineScales:
    """Scales and minima of `blocks` `[blocks, sub-blocks, elements]`, of which `weights` multiply squared errors."""
    units = block_units(blocks)
    blocks = in_units(blocks, units, choices)
    task = _Task.of(blocks, weights, units, search)
    plain = task.by_range()
    found = plain
    if choices.scale is ScaleRule.MSE:
        searched = task.searched()
        found = _chosen(task.error_of(searched) < task.error_of(plain), searched, plain)
    is_zero = (blocks == 0).all(dim=2).all(dim=1)
    kept = AffineScales(found.d * units, found.dmin * units, found.scales, found.minima)
    return _chosen(is_zero, AffineScales(*(torch.zeros_like(each) for each in _fields(kept))), kept)


def _fields(scales: AffineScales) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    return scales.d, scales.dmin, scales.scales, scales.minima


def _chosen(is_first: Tensor, first: AffineScales, second: AffineScales) -> AffineScales:
    """Of each super-block the one or the other."""
    pairs = zip(_fields(first), _fields(second), strict=True)
    return AffineScales(*(torch.where(is_first if a.dim() == 1 else is_first[:, None], a, b) for a, b in pairs))


@dataclass(frozen=True, slots=True)
class _Task:
    values: Tensor
    """Less `low`, in units."""
    low: Tensor
    """Of a sub-block, not above zero unless all of its super-block is: minima have one sign."""
    range: Tensor
    weights: Tensor | None
    units: Tensor
    search: AffineSearch
    count: Tensor
    """The weights' sum, of values and of their squares with them."""
    sum: Tensor
    squares: Tensor

    @classmethod
    def of(cls, blocks: Tensor, weights: Tensor | None, units: Tensor, search: AffineSearch) -> "_Task":
        low, high = torch.aminmax(blocks, dim=2)
        low = torch.where((low > 0).all(dim=1, keepdim=True), low, low.clamp(max=0))
        values = blocks - low[..., None]
        weighted = values if weights is None else values * weights
        count = torch.full_like(low, blocks.shape[2]) if weights is None else total(weights).clamp_(min=_TINY)
        reach = (high - low).clamp_(min=_TINY)
        sums = total(weighted), total(weighted * values)
        return cls(values, low, reach, weights, units, search, count, *sums)

    def by_range(self) -> AffineScales:
        """The smallest number gets code 0, the largest the last."""
        wide = (self.range > _TINY) * self.range / self.search.top
        return self._rounded(wide, -self.low, 1.0, 1.0)

    def _rounded(self, scale: Tensor, minimum: Tensor, d_factor: float, dmin_factor: float) -> AffineScales:
        d, dmin = self._largest(scale, minimum)
        d, dmin = stored_half(d * d_factor, self.units), stored_half(dmin * dmin_factor, self.units)
        return AffineScales(d, dmin, self._whole(scale, d), self._whole(minimum, dmin))

    def _largest(self, scale: Tensor, minimum: Tensor) -> tuple[Tensor, Tensor]:
        """d and dmin with which the largest of a super-block is the limit; minima take their sign from the largest."""
        extreme = minimum.abs().argmax(dim=1, keepdim=True)
        return scale.amax(dim=1) / self.search.limit, minimum.gather(1, extreme)[:, 0] / self.search.limit

    def _whole(self, numbers: Tensor, unit: Tensor) -> Tensor:
        return torch.round(numbers / unit[:, None]).clamp_(0, self.search.limit)

    def error_of(self, scales: AffineScales) -> Tensor:
        """Of each super-block."""
        return total(self._error(scales.scales * scales.d[:, None], scales.minima * scales.dmin[:, None] + self.low))

    def _codes(self, scale: Tensor, offset: Tensor) -> tuple[Tensor, Tensor]:
        """The codes of (value + offset) / scale, and that quotient."""
        inverse = torch.where(scale == 0, 0.0, 1 / scale)
        scaled = (self.values + offset[..., None]) * inverse[..., None]
        return torch.round(scaled).clamp_(0, self.search.top), scaled

    def _error(self, scale: Tensor, offset: Tensor) -> Tensor:
        codes, _ = self._codes(scale, offset)
        errors = (self.values + offset[..., None] - codes * scale[..., None]).square_()
        return total(errors if self.weights is None else errors * self.weights)

    def _quadratic(self, scale: Tensor, offset: Tensor) -> tuple[_Quadratic, Tensor]:
        """Of the codes that a scale and an offset give; and the minimum of least squares."""
        codes, _ = self._codes(scale, offset)
        weighted = codes if self.weights is None else codes * self.weights
        code, squares, products = total(weighted), total(weighted * codes), total(weighted * self.values)
        determinant = self.count * squares - code * code
        is_regular = determinant > _DEGENERATE * self.count * squares
        best = (self.count * products - code * self.sum) / torch.where(is_regular, determinant, 1.0)
        best = torch.where(is_regular, best, scale)
        return _Quadratic(code, squares, products, best), (best * code - self.sum) / self.count

    def _starts(self) -> tuple[list[_Quadratic], Tensor, Tensor]:
        """The quadratic of each start, and scale and minimum of the best."""
        found, least = [], torch.full_like(self.low, NEVER)
        scale = minimum = least
        for below, above in self.search.starts:
            low, high = self.range * below, self.range - self.range * above
            quadratic, offset = self._quadratic((high - low) / self.search.top, -low)
            error = self.squares - quadratic.scale * quadratic.products + offset * self.sum
            error = error + FINER * self.count * (quadratic.scale**2 + (offset - self.low) ** 2)
            scale = torch.where(error < least, quadratic.scale, scale)
            minimum = torch.where(error < least, offset - self.low, minimum)
            least = torch.minimum(error, least)
            found.append(quadratic)
        return found, scale, minimum

    def _nearest(self, quadratic: _Quadratic, d: Tensor, dmin: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The least error that whole scales next to least squares and their best minima have with these codes."""
        unit = d[:, None]
        first = torch.round(quadratic.scale / unit - 0.5).clamp_(1, self.search.limit - 1)
        least, scales, minima = torch.full_like(first, NEVER), first, torch.zeros_like(first)
        for scale in (first, first + 1):
            wide = scale * unit
            offset = (wide * quadratic.code - self.sum) / self.count
            minimum = self._whole(offset - self.low, dmin)
            offset = minimum * dmin[:, None] + self.low
            error = self.squares + wide * (wide * quadratic.squares - 2 * quadratic.products)
            error = error + offset * (2 * self.sum - 2 * wide * quadratic.code + self.count * offset)
            is_less = error < least
            scales, minima = torch.where(is_less, scale, scales), torch.where(is_less, minimum, minima)
            least = torch.minimum(error, least)
        return least, scales, minima

    def _best_of(self, quadratics: list[_Quadratic], d: Tensor, dmin: Tensor) -> tuple[Tensor, AffineScales]:
        least = torch.full_like(self.low, NEVER)
        scales = minima = least
        for quadratic in quadratics:
            error, scale, minimum = self._nearest(quadratic, d, dmin)
            is_less = error < least
            scales, minima = torch.where(is_less, scale, scales), torch.where(is_less, minimum, minima)
            least = torch.minimum(error, least)
        return total(least), AffineScales(d, dmin, scales, minima)

    def searched(self) -> AffineScales:
        """The best of all that is tried."""
        quadratics, scale, minimum = self._starts()
        d, dmin = self._largest(scale, minimum)
        found, least = self.by_range(), torch.full_like(d, NEVER)
        for d_factor, dmin_factor in self.search.trials:
            stored = stored_half(d * d_factor, self.units), stored_half(dmin * dmin_factor, self.units)
            error, tried = self._best_of(quadratics, *stored)
            found = _chosen(error < least, tried, found)
            least = torch.minimum(error, least)
        for count in range(self.search.rounds):
            found = self._around(self._renewed(found) if count else found)
        return found

    def _around(self, center: AffineScales) -> AffineScales:
        """The best of scales and minima nearby, where the middle of the grid stays in its place."""
        d, dmin = center.d[:, None], center.dmin[:, None]
        least, scales, minima = torch.full_like(self.low, NEVER), center.scales, center.minima
        for step, shift in product(range(-self.search.span, self.search.span + 1), repeat=2):
            scale = (center.scales + step).clamp(1, self.search.limit)
            middle = center.minima * dmin + (scale - center.scales) * d * (self.search.top / 2)
            minimum = (torch.round(middle / dmin) + shift).clamp_(0, self.search.limit)
            error = self._error(scale * d, minimum * dmin + self.low)
            is_less = error < least
            scales, minima = torch.where(is_less, scale, scales), torch.where(is_less, minimum, minima)
            least = torch.minimum(error, least)
        return AffineScales(center.d, center.dmin, scales, minima)

    def _renewed(self, found: AffineScales) -> AffineScales:
        """d and dmin of least squares for scales, minima and the codes that they give."""
        scale, minimum = found.scales, found.minima
        codes, _ = self._quadratic(scale * found.d[:, None], minimum * found.dmin[:, None] + self.low)
        products, values = codes.products + self.low * codes.code, self.sum + self.low * self.count
        a, b, c = (
            total(each) for each in (scale**2 * codes.squares, scale * minimum * codes.code, minimum**2 * self.count)
        )
        x, y = total(scale * products), total(minimum * values)
        determinant = a * c - b * b
        is_regular = determinant > _DEGENERATE * a * c
        determinant = torch.where(is_regular, determinant, 1.0)
        d = torch.where(is_regular, (x * c - b * y) / determinant, found.d)
        dmin = torch.where(is_regular, (b * x - a * y) / determinant, found.dmin)
        is_kept = (d > 0) & (dmin * found.dmin > 0)
        d, dmin = torch.where(is_kept, d, found.d), torch.where(is_kept, dmin, found.dmin)
        return AffineScales(stored_half(d, self.units), stored_half(dmin, self.units), scale, minimum)

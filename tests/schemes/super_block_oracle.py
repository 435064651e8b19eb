"""A long search for the scales of super-blocks, written apart from the product's: the yardstick for its short one.

For scales alone: many d, and for each every scale of a sub-block near the one that its largest number asks for. With
minima: many pairs of d and dmin, for each every scale and minimum of a wide neighbourhood, least squares, and again.
"""

import torch
from torch import Tensor

from app.schemes.grids import Grid

_FAR = torch.inf


def least_symmetric(blocks: Tensor, grid: Grid, lowest: int, divisors: int = 60) -> Tensor:
    """float64 `[blocks]`: the least squared error found, of float64 `[blocks, sub-blocks, elements]`."""
    reach = blocks.abs().amax(dim=2)
    end = max(abs(grid.smallest), abs(grid.largest))
    least = torch.full((len(blocks),), _FAR, dtype=torch.float64)
    first = reach.amax(dim=1) / end / -lowest
    for factor in torch.linspace(0.7, 1.7, divisors, dtype=torch.float64):
        d = (first * factor).to(torch.float16).to(torch.float64)
        for _ in range(2):
            error, d = _best_scales(blocks, grid, lowest, d, reach / end)
            least = torch.minimum(least, error)
    return least


def _best_scales(blocks: Tensor, grid: Grid, lowest: int, d: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor]:
    """The error with the best whole scales for d, and d of least squares for them."""
    middles = torch.tensor(grid.levels, dtype=torch.float64)
    table, middles = middles, (middles[1:] + middles[:-1]) / 2
    least = torch.full_like(wanted, _FAR)
    products, squares = torch.zeros_like(wanted), torch.zeros_like(wanted)
    low, high = (wanted / d[:, None] * 0.75).floor(), (wanted / d[:, None] * 1.7).ceil()
    for step in range(int((high - low).max()) + 1):
        for sign in (1, -1):
            scale = ((low + step) * sign).clamp(lowest, -lowest - 1)
            factor = (scale * d[:, None])[..., None]
            quotient = (blocks / torch.where(factor == 0, 1.0, factor)).contiguous()
            levels = table[torch.searchsorted(middles, quotient)]
            error = (blocks - levels * factor).square().sum(dim=2)
            is_less = error < least
            least = torch.where(is_less, error, least)
            products = torch.where(is_less, scale * (levels * blocks).sum(dim=2), products)
            squares = torch.where(is_less, scale**2 * (levels**2).sum(dim=2), squares)
    renewed = products.sum(dim=1) / squares.sum(dim=1).clamp(min=1e-300)
    return least.sum(dim=1), renewed.to(torch.float16).to(torch.float64)


def least_affine(blocks: Tensor, top: int, limit: int, factors: int = 5, span: int = 4, rounds: int = 6) -> Tensor:
    """float64 `[blocks]`: the least squared error found, with minima that are not negative."""
    low = blocks.amin(dim=2).clamp(max=0)
    scale, minimum = (blocks.amax(dim=2) - low) / top, -low
    least = torch.full((len(blocks),), _FAR, dtype=torch.float64)
    tries = torch.linspace(0.9, 1.15, factors, dtype=torch.float64)
    for d_factor in tries:
        for dmin_factor in tries:
            error = _alternated(blocks, top, limit, (scale, d_factor), (minimum, dmin_factor), span, rounds)
            least = torch.minimum(least, error)
    return least


def _alternated(
    blocks: Tensor,
    top: int,
    limit: int,
    scale: tuple[Tensor, Tensor],
    minimum: tuple[Tensor, Tensor],
    span: int,
    rounds: int,
) -> Tensor:
    d, dmin = (_half(each.amax(dim=1) * factor / limit) for each, factor in (scale, minimum))
    scales, minima = (scale[0] / d[:, None]).round(), (minimum[0] / dmin[:, None]).round()
    least = torch.full((len(blocks),), _FAR, dtype=torch.float64)
    for _ in range(rounds):
        error, scales, minima, codes = _neighbours(blocks, top, limit, (d, dmin), (scales, minima), span)
        least = torch.minimum(least, error)
        d, dmin = _least_squares(blocks, codes, scales, minima, (d, dmin))
    return least


def _half(numbers: Tensor) -> Tensor:
    return numbers.to(torch.float16).to(torch.float64).clamp(min=2.0**-24)


def _neighbours(
    blocks: Tensor, top: int, limit: int, units: tuple[Tensor, Tensor], center: tuple[Tensor, Tensor], span: int
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    d, dmin = units[0][:, None], units[1][:, None]
    scales, minima = center
    least = torch.full_like(scales, _FAR)
    best = scales, minima, torch.zeros_like(blocks)
    for step in range(-span, span + 1):
        scale = (scales + step).clamp(1, limit)
        middle = ((minima * dmin + (scale - scales) * d * top / 2) / dmin).round()
        for shift in range(-span, span + 1):
            minimum = (middle + shift).clamp(0, limit)
            factor, offset = (scale * d)[..., None], (minimum * dmin)[..., None]
            codes = ((blocks + offset) / factor).round().clamp(0, top)
            error = (blocks + offset - codes * factor).square().sum(dim=2)
            is_less = error < least
            least = torch.where(is_less, error, least)
            best = (
                torch.where(is_less, scale, best[0]),
                torch.where(is_less, minimum, best[1]),
                torch.where(is_less[..., None], codes, best[2]),
            )
    return least.sum(dim=1), *best


def _least_squares(
    blocks: Tensor, codes: Tensor, scales: Tensor, minima: Tensor, units: tuple[Tensor, Tensor]
) -> tuple[Tensor, Tensor]:
    first = (codes * scales[..., None]).flatten(1)
    second = minima[..., None].expand_as(blocks).flatten(1)
    values = blocks.flatten(1)
    a, b, c = (first * first).sum(1), (first * second).sum(1), (second * second).sum(1)
    x, y = (first * values).sum(1), (second * values).sum(1)
    determinant = a * c - b * b
    is_regular = determinant > 1e-9 * a * c
    determinant = torch.where(is_regular, determinant, 1.0)
    d = torch.where(is_regular, (x * c - b * y) / determinant, units[0])
    dmin = torch.where(is_regular, (b * x - a * y) / determinant, units[1])
    is_kept = (d > 0) & (dmin > 0)
    return _half(torch.where(is_kept, d, units[0])), _half(torch.where(is_kept, dmin, units[1]))

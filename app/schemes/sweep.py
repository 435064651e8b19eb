"""Every choice of levels that any scale gives a block, one after the other, and the best scales of all real numbers.

As the inverse u of the scale grows from 0, each number x goes from the level at zero to the end of the grid, over the
middle t between two levels at u = t / x. In between the levels q stay, and the squared error is

    sum (x - s q)^2 = X - 2 s A + s^2 B,   A = sum x q,   B = sum q^2,

the least of which is X - A^2 / B, at s = A / B. Sorted by u, the steps of A and B add up to those of each interval.
"""

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn.functional import pad as _pad

from app.schemes.grids import Grid
from app.schemes.ordered_sums import ordered_sum

LARGEST_GRID = 16
"""Levels: a number of a block takes half as many places in memory, and in the sorting."""
_TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True)
class _Side:
    """The way of numbers of one sign from zero outwards, float32: filled up with infinite middles."""

    start: float
    middles: Tensor
    rises: Tensor
    """Of the level."""
    square_rises: Tensor


def best_scales(
    values: Tensor, weights: Tensor | None, grid: Grid, sign: int, ends: tuple[Tensor, Tensor], count: int
) -> list[Tensor]:
    """The `count` best local optima of each row between the ends, of that sign, float32; NaN where there are fewer."""
    levels = [level * sign for level in grid.levels][::sign]
    places = max(sum(level > 0 for level in levels), sum(level < 0 for level in levels)) + 1
    above = _side(levels, places, values.device)
    below = _side([-level for level in reversed(levels)], places, values.device)
    is_above, sizes = values >= 0, values.abs()
    share = torch.ones_like(values) if weights is None else weights
    middles, rises, squares = (
        torch.where(is_above[:, :, None], getattr(above, name), getattr(below, name)) * factor[:, :, None]
        for name, factor in (("middles", 1 / sizes), ("rises", share * sizes), ("square_rises", share))
    )
    start = torch.where(is_above, above.start, below.start)
    first, second = ordered_sum(_double(share * sizes * start)), ordered_sum(_double(share * start.square()))
    borders, order = middles.flatten(1).sort(dim=1, stable=True)
    products = _running(first, rises, order)
    norms = _running(second, squares, order)
    begins, stops = _pad(borders, (1, 0), value=0.0), _pad(borders, (0, 1), value=torch.inf)
    inverse = norms / products
    is_inside = (products > 0) & (norms > 0) & (inverse >= begins * (1 - _TOLERANCE))
    is_inside &= inverse <= stops * (1 + _TOLERANCE)
    low, high = (1 / _double(each[:, None]) for each in reversed(ends))
    is_inside &= (inverse >= low) & (inverse <= high)
    gains = torch.where(is_inside, products.square() / norms, -1.0)
    found, where = gains.topk(min(count, gains.shape[1]), dim=1)
    scales = torch.where(found >= 0, 1 / inverse.gather(1, where), torch.nan).to(torch.float32)
    return list((scales * sign).unbind(dim=1))


def _side(levels: list[float], places: int, device: torch.device) -> _Side:
    """From the level that a small positive number goes to, upwards."""
    middles = [(low + high) / 2 for low, high in pairwise(levels)]
    first = sum(middle <= 0 for middle in middles)
    way = levels[first:]
    missing = places - len(way) + 1

    def tensor(numbers: list[float], fill: float) -> Tensor:
        return torch.tensor([*numbers, *([fill] * missing)], dtype=torch.float32, device=device)

    pairs = list(pairwise(way))
    return _Side(
        way[0],
        tensor(middles[first:], torch.inf),
        tensor([high - low for low, high in pairs], 0.0),
        tensor([high * high - low * low for low, high in pairs], 0.0),
    )


def _running(start: Tensor, steps: Tensor, order: Tensor) -> Tensor:
    """float64: the sum before the first step, and after each."""
    steps = _double(steps.flatten(1).gather(1, order))
    return torch.cat([start[:, None], start[:, None] + steps.cumsum(dim=1)], dim=1)


def _double(values: Tensor) -> Tensor:
    return values.to(torch.float64)

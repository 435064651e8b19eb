"""Grids: the levels of formats, and the nearest of them, held against exact arithmetic."""

from fractions import Fraction

import pytest
import torch

from app.exact import encode, parse
from app.formats import CodebookFormat, FloatFormat, find_format
from app.schemes.grids import Grid, format_grid, integer_grid
from app.schemes.registry import ENTRIES, find_scheme

FORMATS = ("float8_e4m3fn", "float8_e5m2", "float6_e2m3fn", "float6_e3m2fn", "float4_e2m1fn", "nf4", "fp4_bnb")


def every_grid() -> list[Grid]:
    grids = [find_scheme(name).grid for name in ENTRIES if hasattr(find_scheme(name), "grid")]  # type: ignore[attr-defined]
    return [*grids, integer_grid(4, is_narrow=True)]


def probes(grid: Grid) -> torch.Tensor:
    """Levels, the middles between them with both neighbours, far ends, and numbers all over."""
    levels = grid.level_tensor()
    middles = ((levels[1:].double() + levels[:-1].double()) / 2).float()
    beside = [torch.nextafter(middles, torch.full_like(middles, end)) for end in (torch.inf, -torch.inf)]
    ends = torch.tensor([0.0, -0.0, 1e30, -1e30, 3.4e38, 1e-45, -1e-45])
    random = torch.randn(500, generator=torch.Generator().manual_seed(1)) * grid.largest / 2
    return torch.cat([levels, middles, *beside, ends, random])


@pytest.mark.parametrize("name", FORMATS)
def test_levels_are_the_finite_numbers_of_the_format(name: str) -> None:
    number_format, grid = find_format(name), format_grid(name)
    assert isinstance(number_format, FloatFormat | CodebookFormat)
    for level, code in zip(grid.levels, grid.codes, strict=True):
        assert number_format.value_of(code) == Fraction(level)
    assert list(grid.levels) == sorted(set(grid.levels))
    values = {number_format.value_of(code) for code in range(1 << number_format.width)}
    finite = {value for value in values if value is not None}
    assert len(grid.levels) == len(finite)


@pytest.mark.parametrize("grid", every_grid(), ids=lambda grid: grid.name)
def test_nearest_is_nearest(grid: Grid) -> None:
    numbers = probes(grid)
    levels = torch.tensor(grid.levels, dtype=torch.float64)
    found = levels[grid.nearest(numbers)]
    least = (levels[:, None] - numbers.double()).abs().amin(dim=0)
    assert torch.equal((found - numbers.double()).abs(), least)
    assert torch.equal(grid.rounded(numbers).double(), found)


@pytest.mark.parametrize("name", [name for name in FORMATS if isinstance(find_format(name), FloatFormat)])
def test_ties_are_those_of_the_format(name: str) -> None:
    number_format, grid = find_format(name), format_grid(name)
    middles = [(low + high) / 2 for low, high in zip(grid.levels, grid.levels[1:], strict=False)]
    places = grid.nearest(torch.tensor(middles)).tolist()
    for middle, place in zip(middles, places, strict=True):
        code = encode(parse(repr(middle)), number_format).code
        assert grid.codes[place] == code % (1 << (number_format.width - 1)) if grid.levels[place] == 0 else code


@pytest.mark.parametrize("grid", every_grid(), ids=lambda grid: grid.name)
def test_thresholds_decide_like_nearest(grid: Grid) -> None:
    numbers = probes(grid)
    assert torch.equal((numbers[:, None] > grid.thresholds()).sum(dim=1), grid.nearest(numbers))


@pytest.mark.parametrize("name", ["nf4", "float4_e2m1fn", "float8_e4m3fn"])
def test_stochastic_rounding_is_unbiased(name: str) -> None:
    grid = format_grid(name)
    levels = grid.level_tensor()
    random = (torch.arange(4096, dtype=torch.float64) + 0.5) / 4096
    for number in (levels[2] * 0.7 + levels[3] * 0.3, levels[-2] * 0.25 + levels[-1] * 0.75, levels[4]):
        means = levels[grid.stochastic(number.expand(4096), random)].double().mean()
        gap = float((levels[1:] - levels[:-1]).max())
        assert abs(float(means) - float(number)) <= gap / 2048
    beyond = grid.stochastic(torch.tensor([1e30, -1e30]), torch.tensor([0.9, 0.1], dtype=torch.float64))
    assert beyond.tolist() == [len(levels) - 1, 0]

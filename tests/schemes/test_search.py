"""The search for scales held to brute force over every storable scale, and its rules."""

import pytest
import torch
from scale_oracle import KINDS, blocks_of, least_error, squared_error

from app.schemes.grids import Grid, format_grid, integer_grid
from app.schemes.scale_formats import ScaleFormat
from app.schemes.scheme import Choices, ScaleRule
from app.schemes.search import find_scales, least_of

LIMIT = 10**0.002
"""0.02 dB."""
NEGLIGIBLE = 1e-9
"""Of the block's energy: 90 dB, where the rounding of float32 itself is seen."""


def case(
    grid: Grid, scales: str, size: int, count: int, signed: bool = False
) -> tuple[Grid, ScaleFormat, int, int, bool]:
    return grid, ScaleFormat(scales).for_levels(max(grid.largest, -grid.smallest)), size, count, signed


CASES = {
    "int2": case(integer_grid(2), "float16", 32, 12),
    "int4": case(integer_grid(4), "bfloat16", 32, 12),
    "int4-signed": case(integer_grid(4), "float16", 16, 6, signed=True),
    "int4-float32": case(integer_grid(4), "float32", 16, 12),
    "int8": case(integer_grid(8), "bfloat16", 32, 4),
    "fp8": case(format_grid("float8_e4m3fn"), "bfloat16", 64, 4),
    "fp6": case(format_grid("float6_e2m3fn"), "bfloat16", 32, 4),
    "mxfp4": case(format_grid("float4_e2m1fn"), "float8_e8m0fnu", 32, 60),
    "mxfp8": case(format_grid("float8_e5m2"), "float8_e8m0fnu", 32, 30),
    "nvfp4": case(format_grid("float4_e2m1fn"), "float8_e4m3fn", 16, 60),
    "nf4": case(format_grid("nf4"), "float32", 64, 10),
    "one": case(format_grid("nf4"), "bfloat16", 1, 10),
}


@pytest.mark.parametrize("name", CASES)
def test_no_storable_scale_is_better(name: str) -> None:
    grid, storable, size, count, signed = CASES[name]
    for kind in KINDS:
        blocks = blocks_of(kind, count, size, seed=1)
        scales = find_scales(blocks, grid, storable, Choices(signed_scales=signed))
        assert torch.equal(storable.nearest(scales), scales), "storable"
        assert bool(torch.isfinite(scales * grid.largest).all() & torch.isfinite(scales * grid.smallest).all())
        found, least = squared_error(blocks, grid, scales), least_error(blocks, grid, storable, both_signs=signed)
        is_near = (found <= least * LIMIT) | (found <= NEGLIGIBLE * blocks.double().square().sum(dim=1))
        assert bool(is_near.all()), kind


@pytest.mark.parametrize("rule", [ScaleRule.ABSMAX, ScaleRule.MSE, ScaleRule.PERCENTILE])
def test_zeros_get_one_and_padding_is_no_number(rule: ScaleRule) -> None:
    blocks = torch.tensor([[0.0, 0.0, 0.0], [1.0, -2.0, torch.nan], [torch.nan, torch.nan, 3.0]])
    grid, storable = integer_grid(4), ScaleFormat("float32")
    scales = find_scales(blocks, grid, storable, Choices(scale=rule))
    assert scales[0] == 1
    alone = find_scales(torch.tensor([[1.0, -2.0]]), grid, storable, Choices(scale=rule))
    assert scales[1] == alone[0]


def test_percentile_puts_that_number_at_the_end() -> None:
    blocks = torch.arange(1, 101, dtype=torch.float32)[None]
    grid = format_grid("nf4")
    for percentile, reach in ((100.0, 100), (99.0, 100), (98.9, 99), (50.0, 51), (0.0, 1)):
        choices = Choices(scale=ScaleRule.PERCENTILE, percentile=percentile)
        assert find_scales(blocks, grid, ScaleFormat("float32"), choices).item() == reach


@pytest.mark.parametrize("name", ["int3", "int8", "nf4"])
def test_importance_counts(name: str) -> None:
    grid = format_grid(name) if name == "nf4" else integer_grid(int(name[3:]))
    blocks = blocks_of("student", 50, 32)
    weights = torch.rand(32, generator=torch.Generator().manual_seed(3)).square().expand(50, 32).contiguous()
    weights[:, 5] = 0
    storable, choices = ScaleFormat("float32"), Choices()
    errors = []
    for used in (weights, None):
        scales = find_scales(blocks, grid, storable, choices, used)
        difference = blocks - grid.rounded(blocks / scales[:, None]) * scales[:, None]
        errors.append((difference.double().square() * weights).sum(dim=1))
    assert bool((errors[0] <= errors[1] * (1 + 1e-6)).all())
    assert float(errors[0].sum()) < float(errors[1].sum()) * 0.99
    same = find_scales(blocks, grid, storable, choices, torch.full_like(blocks, 7.0))
    assert torch.equal(same, find_scales(blocks, grid, storable, choices))


def test_the_outlier_of_a_long_block_is_cut_off() -> None:
    """No range of candidates is given: 65,536 numbers and one a thousand times as large."""
    blocks = torch.randn(1, 65536, generator=torch.Generator().manual_seed(1))
    blocks[0, 7] = 150.0
    grid, storable = integer_grid(3), ScaleFormat("float32")
    scales = find_scales(blocks, grid, storable, Choices())
    found = squared_error(blocks, grid, scales)
    for factor in torch.linspace(0.01, 1.5, 150).tolist():
        assert float(found) <= float(squared_error(blocks, grid, torch.tensor([150 / 3.5 * factor]))) * LIMIT


def test_the_first_of_equal_ones_is_taken() -> None:
    blocks = torch.tensor([[1.0, 2.0], [1.0, 2.0]])
    halves = torch.tensor([1.0, 0.5]), torch.tensor([0.5, 1.0])
    assert torch.equal(least_of(blocks, integer_grid(4), halves), halves[0])

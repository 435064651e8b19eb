"""Laws of GGUF blocks: quantizing twice, powers of two, seeds, zeros, and matrices row by row."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from app.schemes.gguf_schemes import ENTRIES
from app.schemes.registry import find_scheme
from app.schemes.scheme import Choices, ScaleRule

NAMES = tuple(entry.name for entry in ENTRIES)
AFFINE = ("q4_1", "q5_1")

SEEDS = st.integers(0, 2**31)
SPREADS = st.sampled_from([0.0, 0.5, 2.0])
"""Of the logarithms of magnitudes: even numbers, and long tails."""


def some_values(name: str, seed: int, spread: float = 0.5, rows: int = 1) -> torch.Tensor:
    random = torch.Generator().manual_seed(seed)
    shape = (rows, find_scheme(name).layout.elements)
    normal = torch.randn(shape, generator=random) * torch.exp(spread * torch.randn(shape, generator=random))
    return normal.clamp(-1e3, 1e3)


@pytest.mark.parametrize("rule", [ScaleRule.MSE, ScaleRule.ABSMAX])
@pytest.mark.parametrize("name", NAMES)
@given(seed=SEEDS, spread=SPREADS)
@settings(max_examples=3, deadline=None)
def test_what_was_read_back_is_held_exactly(name: str, rule: ScaleRule, seed: int, spread: float) -> None:
    scheme = find_scheme(name)
    once = scheme.dequantize(scheme.quantize(some_values(name, seed, spread), Choices(scale=rule)))
    twice = scheme.dequantize(scheme.quantize(once, Choices()))
    if name in AFFINE:  # the search is not exhaustive, and a sum is rounded
        assert (twice - once).abs().max() <= 1e-3 * once.abs().max()
    else:
        assert torch.equal(twice, once)


@pytest.mark.parametrize("rule", list(ScaleRule))
@pytest.mark.parametrize("name", NAMES)
@given(seed=SEEDS, power=st.integers(-3, 3))
@settings(max_examples=3, deadline=None)
def test_a_power_of_two_passes_through(name: str, rule: ScaleRule, seed: int, power: int) -> None:
    scheme, choices = find_scheme(name), Choices(scale=rule, percentile=95)
    values = some_values(name, seed)
    plain = scheme.dequantize(scheme.quantize(values, choices))
    assert torch.equal(scheme.dequantize(scheme.quantize(values * 2.0**power, choices)), plain * 2.0**power)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in AFFINE])
@given(seed=SEEDS)
@settings(max_examples=3, deadline=None)
def test_numbers_within_the_grid_are_off_by_half_a_step_at_most(name: str, seed: int) -> None:
    scheme, values = find_scheme(name), some_values(name, seed)
    elements = scheme.elements(scheme.quantize(values, Choices()))
    levels = scheme.grid.level_tensor()
    scaled = values.to(torch.float64) / elements.scales
    inside = (scaled >= levels[0]) & (scaled <= levels[-1])
    away = (levels.to(torch.float64)[:, None, None] - scaled).abs().amin(dim=0)
    chosen = (elements.levels - scaled).abs()
    assert (chosen - away)[inside].max() <= 1e-6 * levels.abs().max()


@pytest.mark.parametrize("name", NAMES)
def test_rows_do_not_know_of_each_other(name: str) -> None:
    scheme, values = find_scheme(name), some_values(name, 5, rows=2)
    values[:, 0] = 100  # NVFP4 has a scale of the whole matrix
    whole = scheme.quantize(values, Choices())
    single = [scheme.quantize(row[None], Choices()).codes for row in values]
    assert torch.equal(whole.codes, torch.cat(single))


@pytest.mark.parametrize("name", NAMES)
def test_a_seed_decides_and_the_mean_is_right(name: str) -> None:
    scheme = find_scheme(name)
    values = torch.linspace(-1, 1, scheme.layout.elements).repeat(200, 1)
    values[:, 1] = 0.123
    first, again, other = (scheme.quantize(values, Choices(scale=ScaleRule.ABSMAX, seed=seed)) for seed in (1, 1, 2))
    assert torch.equal(first.codes, again.codes)
    assert not torch.equal(first.codes, other.codes)
    elements = scheme.elements(first)
    column = scheme.dequantize(first)[:, 1]
    assert len(column.unique()) == 2, "the levels around it"
    step = float(column.max() - column.min())
    assert abs(float(column.mean()) - 0.123) < 4 * step / 2 / 200**0.5
    assert elements.codes.min() >= 0


@pytest.mark.parametrize("rule", list(ScaleRule))
@pytest.mark.parametrize("name", NAMES)
def test_zeros_stay_zeros_and_nothing_is_changed(name: str, rule: ScaleRule) -> None:
    scheme = find_scheme(name)
    values = some_values(name, 3, rows=3)
    values[1] = 0
    before = values.clone()
    back = scheme.dequantize(scheme.quantize(values, Choices(scale=rule)))
    assert torch.equal(values, before)
    assert not back[1].any()
    assert back.shape == values.shape
    assert back.dtype == torch.float32


@pytest.mark.parametrize("name", NAMES)
def test_columns_without_importance_cost_nothing(name: str) -> None:
    scheme, values = find_scheme(name), some_values(name, 9)
    importance = torch.zeros(values.shape[1])
    back = scheme.dequantize(scheme.quantize(values, Choices(importance=importance)))
    assert torch.isfinite(back).all()
    importance[0] = 1
    values[:, 0] = 0.75
    back = scheme.dequantize(scheme.quantize(values, Choices(importance=importance)))
    assert torch.equal(back[:, 0], values[:, 0]) or (back[:, 0] - 0.75).abs().max() < 1e-3

"""Laws that schemes of one grid and one scale a block obey, on matrices that Hypothesis makes."""

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.schemes.entries import SchemeOptions
from app.schemes.grid_scheme import GridScheme
from app.schemes.registry import find_scheme
from app.schemes.scheme import Choices, ScaleRule

NAMES = ("int2", "int4", "int8", "fp8", "fp6_e3m2", "fp4_e2m1", "mxfp8", "mxfp4", "mxint8", "nvfp4", "nf4", "fp4")
NUMBERS = st.floats(-1e4, 1e4, width=32, allow_subnormal=False).map(
    lambda number: number if abs(number) > 1e-4 else 0.0
)
MATRICES = st.integers(1, 3).flatmap(
    lambda rows: st.lists(st.lists(NUMBERS, min_size=20, max_size=20), min_size=rows, max_size=rows)
)
RULES = st.sampled_from([ScaleRule.ABSMAX, ScaleRule.MSE])


def scheme_of(name: str) -> GridScheme:
    granularity = {"int": "group=8", "fp8": "group=8", "fp6": "group=8", "nf4": "block=8", "fp4": "block=8"}
    takes = name[:2] != "mx" and name != "nvfp4"
    scheme = find_scheme(name, SchemeOptions(granularity=granularity[name[:3]] if takes else None))
    assert isinstance(scheme, GridScheme)
    return scheme


@pytest.mark.parametrize("name", NAMES)
@given(numbers=MATRICES, rule=RULES)
@example(numbers=[[0.0] * 19 + [-8888.28515625]], rule=ScaleRule.ABSMAX)  # half-way between two levels of int8
@settings(max_examples=6, deadline=None)
def test_laws(name: str, numbers: list[list[float]], rule: ScaleRule) -> None:
    scheme, values, choices = scheme_of(name), torch.tensor(numbers), Choices(scale=rule)
    stored = scheme.quantize(values, choices)
    back, elements = scheme.dequantize(stored), scheme.elements(stored)
    assert bool(torch.isfinite(back).all())
    assert bool((back[values == 0] == 0).all()), "zeros stay zeros"
    assert bool((back * values >= 0).all()), "no sign changes"
    _is_within_half_a_step(scheme, values, back, elements.scales)
    again = scheme.with_scales(back, scheme.read_scales(stored).flatten(), scheme.fitted_format(values))
    assert torch.equal(scheme.elements(again).levels, elements.levels), "idempotent by the same scales"
    if name != "nvfp4":  # whose scales follow the whole tensor
        scaled = scheme.dequantize(scheme.quantize(values * 2.0**-9, choices))
        assert torch.equal(scaled, back * 2.0**-9), "equivariant by powers of two"
    if rule is ScaleRule.MSE:
        rough = scheme.dequantize(scheme.quantize(values, Choices(scale=ScaleRule.ABSMAX)))
        errors = [(values - each).double().square().sum() for each in (back, rough)]
        assert float(errors[0]) <= float(errors[1]) * (1 + 1e-6), "never worse than absmax"


def _is_within_half_a_step(scheme: GridScheme, values: torch.Tensor, back: torch.Tensor, scales: torch.Tensor) -> None:
    levels = torch.tensor(scheme.grid.levels, dtype=torch.float64)
    scaled, found = values.double() / scales.double(), back.double() / scales.double()
    is_inside = (scaled >= levels[0]) & (scaled <= levels[-1])
    above = torch.searchsorted(levels, scaled.contiguous()).clamp(1, len(levels) - 1)
    half = (levels[above] - levels[above - 1]) / 2
    rounding = scaled.abs() * 2.0**-22  # number / scale and level * scale are float32
    assert bool(((found - scaled).abs() <= half + rounding)[is_inside].all())


@pytest.mark.parametrize("name", NAMES)
def test_blocks_that_change_places_take_their_results_along(name: str) -> None:
    scheme, random = scheme_of(name), torch.Generator().manual_seed(5)
    values, order = torch.randn(12, 64, generator=random), torch.randperm(12, generator=random)
    back = scheme.dequantize(scheme.quantize(values, Choices()))
    assert torch.equal(scheme.dequantize(scheme.quantize(values[order], Choices())), back[order])


@pytest.mark.parametrize("name", NAMES)
def test_stochastic_codes_follow_the_seed_and_mean_the_value(name: str) -> None:
    scheme = scheme_of(name)
    values = torch.randn(1, 64, generator=torch.Generator().manual_seed(6))
    choices = Choices(scale=ScaleRule.ABSMAX, seed=1)
    assert torch.equal(scheme.quantize(values, choices).codes, scheme.quantize(values, choices).codes)
    tall = values.expand(512, 64).contiguous()
    stored = scheme.quantize(tall, choices)
    back, scales = scheme.dequantize(stored).double(), scheme.elements(stored).scales[0]
    levels = torch.tensor(scheme.grid.levels)
    is_inside = (values[0] / scales > levels[0]) & (values[0] / scales < levels[-1])
    largest_gap = float((levels[1:] - levels[:-1]).max())
    distance = (back.mean(dim=0) - values[0]).abs() / scales
    assert bool((distance <= 5 * largest_gap / 2 / 512**0.5)[is_inside].all())

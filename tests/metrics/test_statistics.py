import math

import numpy as np
import pytest
import torch

from app.metrics import StatisticsPass, histogram_pass


def statistics_of(*chunks: torch.Tensor):
    gathered = StatisticsPass()
    for chunk in chunks:
        gathered.add(chunk)
    return gathered.statistics()


FLOATS = ["float64", "float32", "float16", "bfloat16", "float8_e4m3fn", "float8_e5m2"]


@pytest.mark.parametrize("dtype", [*FLOATS, "float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e8m0fnu"])
def test_statistics_are_numpys(dtype: str) -> None:
    values = (torch.randn(100_001, generator=torch.Generator().manual_seed(1)).abs() + 0.01).to(getattr(torch, dtype))
    found = statistics_of(
        *(values.view(torch.uint8).view(values.dtype)[i : i + 33_333] for i in range(0, 100_001, 33_333))
    )
    exact = values.double().numpy()
    assert (found.min, found.max) == (exact.min(), exact.max())
    assert found.mean == pytest.approx(exact.mean(), rel=1e-12)
    assert found.std == pytest.approx(exact.std(), rel=1e-10)
    assert found.zeros == np.count_nonzero(exact == 0)


def test_a_small_spread_far_from_zero_is_not_lost() -> None:
    values = torch.tensor([1e9, 1e9 + 1, 1e9 + 2] * 50_000, dtype=torch.float64)
    assert statistics_of(values[:70_001], values[70_001:]).std == pytest.approx(math.sqrt(2 / 3), rel=1e-9)


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"])
def test_integers_are_exact_to_the_last_unit(dtype: str) -> None:
    info = np.iinfo(dtype)
    values = torch.from_numpy(np.array([info.max - 1, info.min + 1, info.max, 0, 7], dtype=dtype))
    found = statistics_of(values)
    assert (found.min, found.max, found.zeros) == (min(info.min + 1, 0), info.max, 1)


def test_booleans_are_their_bytes() -> None:
    found = statistics_of(torch.tensor([0, 1, 2, 255], dtype=torch.uint8).view(torch.bool))
    assert (found.min, found.max, found.zeros) == (0, 255, 1)


def test_what_is_not_finite_is_counted_and_left_out() -> None:
    inf, nan = math.inf, math.nan
    found = statistics_of(torch.tensor([nan, inf, 2.0, -inf, 0.0, -0.0, nan, 4.0, inf]))
    assert (found.nans, found.infinities, found.zeros) == (2, 3, 2)
    assert (found.min, found.max, found.mean) == (0.0, 4.0, 1.5)


@pytest.mark.parametrize("values", [torch.zeros(0), torch.full((9,), math.nan), torch.full((9,), math.inf)])
def test_without_finite_elements_there_are_no_figures(values: torch.Tensor) -> None:
    found = statistics_of(values)
    assert (found.min, found.max, found.mean, found.std) == (None,) * 4
    assert found.nans + found.infinities == values.numel()


def test_float64_near_its_end_gives_no_false_figures() -> None:
    found = statistics_of(torch.tensor([1.7e308, 1.7e308, -1.7e308], dtype=torch.float64))
    assert (found.max, found.std) == (1.7e308, None)


def test_squares_that_float64_cannot_hold_give_no_false_figures() -> None:
    for scale in (1e-323, 1e-200, 1e-160):
        values = torch.tensor([1.0, 3.0, -2.0], dtype=torch.float64) * scale
        assert statistics_of(values).std is None
    assert statistics_of(torch.full((7,), 1e-200, dtype=torch.float64)).std == 0


def test_a_histogram_is_numpys_up_to_the_edges() -> None:
    values = torch.randn(50_000, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    found = histogram_pass(values.split(7_001), float(values.min()), float(values.max()))
    expected, _ = np.histogram(values.numpy(), bins=64)
    assert sum(found.counts) == 50_000
    assert np.abs(np.array(found.counts) - expected).max() <= 1


@pytest.mark.parametrize(
    ("low", "middle", "high"),
    [
        (-1.0, 0.0, 1.0),
        (-1.7e308, 0.0, 1.7e308),
        (-5e-324, 0.0, 5e-324),
        (0.0, 4e-310, 8e-310),
        (1e300, 1.5e300, 2e300),
    ],
)
def test_ranges_at_the_ends_of_float64_have_histograms(low: float, middle: float, high: float) -> None:
    values = torch.tensor([low, middle, high, math.nan, math.inf], dtype=torch.float64)
    counts = histogram_pass([values], low, high).counts
    assert (counts[0], counts[32], counts[63], sum(counts)) == (1, 1, 1, 3)


def test_integers_beyond_float64_and_constants_have_histograms() -> None:
    top = (1 << 63) - 1
    assert sum(histogram_pass([torch.tensor([top - 1, top])], top - 1, top).counts) == 2
    assert histogram_pass([torch.full((5,), 3.0)], 3.0, 3.0).counts[0] == 5

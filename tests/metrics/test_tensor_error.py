"""Errors of tensors against plain float64 arithmetic over the whole tensor."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from app.metrics.blocks import BLOCK_ELEMENTS
from app.metrics.error_histogram import error_histogram
from app.metrics.tensor_error import clipped_count, row_sqnr, tensor_error

FINITE = st.floats(-(2.0**100), 2.0**100, width=32)


@given(st.lists(st.tuples(FINITE, FINITE), min_size=1, max_size=40))
def test_figures_are_those_of_numpy(pairs: list[tuple[float, float]]) -> None:
    x, y = (np.array(side) for side in zip(*pairs, strict=True))
    found = tensor_error(torch.from_numpy(x), torch.from_numpy(y))
    errors = np.abs(y - x)
    assert found.figures.max_abs_error == errors.max()
    assert found.max_place == (int(errors.argmax()) if errors.max() else None)
    squares = float((errors**2).sum())
    if squares > 1e-250 and (x**2).sum() > 1e-250:
        assert found.relative_frobenius == pytest.approx(math.sqrt(squares / float((x**2).sum())), rel=1e-9)


def test_the_largest_error_is_found_in_any_block() -> None:
    x = torch.zeros(3 * BLOCK_ELEMENTS + 7)
    for place in (0, BLOCK_ELEMENTS - 1, BLOCK_ELEMENTS, 2 * BLOCK_ELEMENTS + 5, x.numel() - 1):
        y = x.clone()
        y[place] = -3.0
        y[(place + 9) % x.numel()] = 2.0
        found = tensor_error(x, y)
        assert (found.max_place, found.figures.max_abs_error) == (place, 3.0)
        assert found.relative_frobenius == math.inf


def test_what_is_not_finite() -> None:
    special = torch.tensor([math.nan, math.inf, -math.inf, 1.0])
    same = tensor_error(special, special.clone())
    assert (same.max_place, same.relative_frobenius, same.figures.sqnr_db) == (None, 0.0, math.inf)
    for place, wrong in ((0, 0.0), (1, -math.inf), (2, 5.0), (3, math.nan)):
        other = special.clone()
        other[place] = wrong
        found = tensor_error(special, other)
        assert (found.max_place, found.figures.max_abs_error) == (place, math.inf)


@pytest.mark.parametrize(
    ("rows", "columns", "group"),
    [(3, 100, None), (5, 64, 16), (700, 130, 32), (1, 1, 4), (2, 70_001, None), (2, 70_001, 40_000), (3, 40_000, 96)],
)
def test_rows_and_groups(rows: int, columns: int, group: int | None) -> None:
    generator = torch.Generator().manual_seed(7)
    x = torch.randn(rows, columns, generator=generator)
    y = x + torch.randn(rows, columns, generator=generator) * 0.01
    found = row_sqnr(x, y, group)
    size = group or columns
    for row in (0, rows // 2, rows - 1):
        for index in range(found.shape[1]):
            part = slice(index * size, (index + 1) * size)
            one, other = x[row, part].double(), y[row, part].double()
            expected = 10 * math.log10(float(one.square().sum() / (one - other).square().sum()))
            assert float(found[row, index]) == pytest.approx(expected, abs=1e-9)


def test_rows_without_error_and_rows_of_zeros() -> None:
    x = torch.tensor([[0.0, 0.0], [0.0, 0.0], [1.0, 2.0], [1e-200, 0.0]], dtype=torch.float64)
    y = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 2.0], [0.0, 0.0]], dtype=torch.float64)
    found = row_sqnr(x, y)[:, 0].tolist()
    assert found[:3] == [math.inf, -math.inf, math.inf]
    assert math.isinf(found[3]) or math.isnan(found[3])


def test_clipped_numbers_lie_outside_their_ends() -> None:
    x = torch.tensor([-2.0, -1.0, 0.0, 1.0, 1.5])
    assert clipped_count(x, torch.full((5,), -1.0), torch.full((5,), 1.0)) == 2


def test_the_histogram_of_errors_holds_each_finite_one() -> None:
    x = torch.linspace(-4, 4, 100_001)
    y = x.to(torch.bfloat16).to(torch.float32)
    y[17] = math.nan
    found = error_histogram(x, y)
    errors = (y.double() - x.double()).numpy()
    errors = errors[np.isfinite(errors)]
    assert (found.low, found.high) == (errors.min(), errors.max())
    counts, _ = np.histogram(errors, bins=len(found.counts), range=(float(found.low), float(found.high)))
    assert sum(found.counts) == len(errors)
    assert np.abs(counts - np.array(found.counts)).max() <= 2  # numbers on the edge of two bins

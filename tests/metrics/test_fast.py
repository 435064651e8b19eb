"""Compiled sums over pairs beside the plain ones."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from app.metrics.error_sums import NO_PAIRS, PairSums
from app.metrics.fast import pair_sums_fast
from app.metrics.tensor_error import error_of, pair_sums


def close(found: PairSums, wanted: PairSums) -> bool:
    assert (found.elements, found.count, found.max_place) == (wanted.elements, wanted.count, wanted.max_place)
    assert found.max_error == wanted.max_error
    names = ("original_squares", "restored_squares", "error_squares")
    assert all(math.isclose(getattr(found, name), getattr(wanted, name), rel_tol=1e-12) for name in names)
    size = found.original_squares + found.restored_squares
    return math.isclose(found.products, wanted.products, rel_tol=1e-12, abs_tol=1e-13 * size)


def pair(count: int, error: float = 0.01) -> tuple[Tensor, Tensor]:
    random = torch.Generator().manual_seed(count)
    original = torch.randn(count, generator=random)
    return original, original + error * torch.randn(count, generator=random)


@pytest.mark.parametrize("count", [1, 15, 16, 17, 2047, 2048, 2049, 32768, 32769, 100_001, 700_003])
@pytest.mark.parametrize("error", [1e-7, 0.01, 3.0])
def test_sums_are_those_of_float64(count: int, error: float) -> None:
    original, restored = pair(count, error)
    assert close(pair_sums_fast(original, restored), pair_sums(original, restored))


@given(numbers=st.lists(st.tuples(*[st.floats(width=32, allow_nan=False, allow_infinity=False)] * 2), max_size=40))
@settings(max_examples=60, deadline=None)
def test_any_finite_numbers(numbers: list[tuple[float, float]]) -> None:
    original, restored = torch.tensor(numbers, dtype=torch.float32).view(-1, 2).unbind(1)
    assert close(pair_sums_fast(original.contiguous(), restored.contiguous()), pair_sums(original, restored))


def test_threads_change_nothing() -> None:
    original, restored = pair(1_500_001)
    found = [pair_sums_fast(original, restored, threads) for threads in (1, 2, 3, 5)]
    assert found[1:] == found[:-1]


def test_the_first_of_equal_errors_is_told() -> None:
    original = torch.zeros(300_000)
    restored = original.clone()
    restored[[123_456, 5, 290_000]] = torch.tensor([2.0, -1.0, -2.0])
    found = pair_sums_fast(original, restored, threads=2)
    assert (found.max_error, found.max_place) == (2.0, 123_456)


@pytest.mark.parametrize("wrong", [math.inf, -math.inf, math.nan])
def test_what_is_not_finite(wrong: float) -> None:
    original, restored = pair(5000)
    original[4321] = restored[4321] = wrong
    assert close(pair_sums_fast(original, restored), pair_sums(original, restored))
    restored[4321] = 1
    assert pair_sums_fast(original, restored).figures() == pair_sums(original, restored).figures()
    assert pair_sums_fast(original, restored).max_place == 4321


def test_sums_of_neighbours_add_up() -> None:
    original, restored = pair(100_000)
    parts = [pair_sums_fast(original[cut], restored[cut]) for cut in (slice(0, 32768), slice(32768, None))]
    whole = pair_sums_fast(original, restored)
    assert close(sum(parts, NO_PAIRS), whole)
    assert error_of(whole).max_place == int((original - restored).abs().argmax())


def test_other_types_are_added_plainly() -> None:
    original, restored = pair(1000)
    half = restored.to(torch.bfloat16)
    assert pair_sums_fast(original, half) == pair_sums(original, half)
    assert pair_sums_fast(original[:0], half[:0]) == NO_PAIRS

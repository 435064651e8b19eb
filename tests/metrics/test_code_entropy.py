"""Entropy of codes against scipy-free arithmetic, and against what is known of casts of Gaussian numbers."""

import math
from collections import Counter

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from app.metrics.code_entropy import code_entropy


def entropy(counts: Counter[int]) -> float:
    total = counts.total()
    return -sum(count / total * math.log2(count / total) for count in counts.values())


@given(st.lists(st.integers(0, 31), min_size=1, max_size=200), st.integers(0, 200))
def test_entropies_of_codes_and_bits(codes: list[int], cut: int) -> None:
    chunks = [torch.tensor(part, dtype=torch.uint8) for part in (codes[:cut], codes[cut:])]
    found = code_entropy(chunks, 5)
    assert found.entropy == pytest.approx(entropy(Counter(codes)), abs=1e-12)
    assert (found.count, found.used) == (len(codes), len(set(codes)))
    for place, bit in enumerate(found.bit_entropies):
        expected = entropy(Counter((code >> (4 - place)) & 1 for code in codes))
        assert bit == pytest.approx(expected, abs=1e-12)
    # What bits carry one by one is never less than what they carry together.
    assert sum(found.bit_entropies) >= found.entropy - 1e-9


def test_ends() -> None:
    assert code_entropy([torch.arange(256)], 8).entropy == 8.0
    assert code_entropy([torch.full((9,), 3)], 4).bit_entropies == (0.0, 0.0, 0.0, 0.0)
    assert code_entropy([torch.empty(0, dtype=torch.int64)], 4).entropy == 0.0
    assert code_entropy([torch.arange(16)], 8).slack == 0.5


@pytest.mark.parametrize(("dtype", "known"), [(torch.bfloat16, 10.46), (torch.float16, 13.46)])
def test_casts_of_gaussian_numbers(dtype: torch.dtype, known: float) -> None:
    values = torch.randn(1 << 20, generator=torch.Generator().manual_seed(0))
    codes = values.to(dtype).view(torch.int16).to(torch.int32) & 0xFFFF
    assert code_entropy([codes], 16).entropy == pytest.approx(known, abs=0.02)

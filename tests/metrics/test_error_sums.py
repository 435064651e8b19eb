import json
import math

import numpy as np
import pytest
import torch

from app.metrics import ErrorSums


def figures(original: torch.Tensor, restored: torch.Tensor, pieces: int = 1):
    sums = ErrorSums()
    for x, y in zip(original.chunk(pieces), restored.chunk(pieces), strict=True):
        sums.add(x, y)
    return sums.figures()


def test_figures_are_numpys() -> None:
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(200_003, generator=generator)
    y = x.to(torch.float8_e5m2)
    found = figures(x, y, pieces=7)
    a, b = x.double().numpy(), y.double().numpy()
    assert found.max_abs_error == np.abs(a - b).max()
    assert found.mse == pytest.approx(((a - b) ** 2).mean(), rel=1e-12)
    assert found.sqnr_db == pytest.approx(10 * np.log10((a**2).sum() / ((a - b) ** 2).sum()), rel=1e-12)
    assert found.cosine == pytest.approx(a @ b / np.linalg.norm(a) / np.linalg.norm(b), rel=1e-12)


def test_pieces_make_no_difference_beyond_rounding() -> None:
    x = torch.linspace(-1, 1, 100_000)
    y = x.to(torch.bfloat16)
    whole, pieces = figures(x, y), figures(x, y, pieces=11)
    assert whole.mse == pytest.approx(pieces.mse, rel=1e-12)
    assert figures(x, y, pieces=11) == pieces


ZEROS = torch.zeros(5)
ONES = torch.ones(5)
INFINITE = torch.tensor([1.0, math.inf, -math.inf, math.nan])
CASES = {
    "nothing": (torch.zeros(0), torch.zeros(0), ("inf", 0.0, 0.0, 1.0)),
    "equal zeros": (ZEROS, ZEROS, ("inf", 0.0, 0.0, 1.0)),
    "zeros that became ones": (ZEROS, ONES, ("-inf", 1.0, 1.0, None)),
    "ones that became zeros": (ONES, ZEROS, (0.0, 1.0, 1.0, None)),
    "opposite": (ONES, -ONES, (10 * math.log10(1 / 4), 4.0, 2.0, -1.0)),
    "carried": (INFINITE, INFINITE, ("inf", 0.0, 0.0, 1.0)),
    "carried beside an error": (INFINITE, INFINITE + 1, (0.0, 1.0, 1.0, 1.0)),
    "all NaN": (ONES * math.nan, ONES * math.nan, ("inf", 0.0, 0.0, 1.0)),
    "finite became infinite": (ONES, ONES * math.inf, ("-inf", "inf", "inf", None)),
    "infinite became finite": (ONES * math.inf, ONES, ("-inf", "inf", "inf", None)),
    "infinity changed its sign": (ONES * math.inf, ONES * -math.inf, ("-inf", "inf", "inf", None)),
    "finite became NaN": (ONES, ONES * math.nan, ("-inf", "inf", "inf", None)),
    "beyond the squares of float64": (ONES.double() * 1e200, ONES.double() * 2e200, (None, None, 1e200, None)),
    "below the squares of float64": (ONES.double() * 1e-200, ONES.double() * 3e-200, (None, None, 2e-200, None)),
}


@pytest.mark.parametrize("case", CASES)
def test_edges(case: str) -> None:
    original, restored, expected = CASES[case]
    found = figures(original, restored).to_json()
    for value, wanted in zip(found.values(), expected, strict=True):
        assert value == (pytest.approx(wanted, rel=1e-12) if isinstance(wanted, float) else wanted)
    json.dumps(found, allow_nan=False)

import math

import pytest
import torch

from app.formats import find_format
from app.schemes.casts import CastCounts, cast_block

TARGETS = ("float16", "bfloat16", "float8_e4m3fn", "float8_e5m2")


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("source", ["float64", "float32"])
def test_ordinary_numbers_count_nothing(source: str, target: str) -> None:
    counts = CastCounts()
    values = torch.linspace(-400, 400, 999).to(getattr(torch, source))
    assert cast_block(values, find_format(target), counts).dtype == getattr(torch, target)
    assert counts == CastCounts()


def test_what_happens_at_the_ends_is_counted() -> None:
    values = torch.tensor([1.0, math.nan, math.inf, 65519.0, 65520.0, -1e9, 448.0, 449.0])
    found = {}
    for target in TARGETS:
        found[target] = CastCounts()
        cast_block(values, find_format(target), found[target])
    assert found["float16"] == CastCounts(infinities=1, overflowed=2)
    assert found["bfloat16"] == CastCounts(infinities=1)
    assert found["float8_e5m2"] == CastCounts(infinities=1, overflowed=3)
    assert found["float8_e4m3fn"] == CastCounts(infinities=1, saturated=4)


def test_finite_numbers_saturate_where_there_is_no_infinity() -> None:
    stored = cast_block(torch.tensor([1e9, -1e9, 448.0]), find_format("float8_e4m3fn"), CastCounts())
    assert stored.float().tolist() == [448.0, -448.0, 448.0]


def test_float64_is_rounded_once() -> None:
    # Just above the tie between 1 and the next float16: rounded to float32 first, it would fall on the tie and go down.
    value = torch.tensor([1 + 2.0**-11 + 2.0**-40], dtype=torch.float64)
    assert float(cast_block(value, find_format("float16"), CastCounts())) == 1 + 2.0**-10

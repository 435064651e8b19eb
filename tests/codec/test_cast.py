"""Casts of weights: rounded once whatever the source, saturating where there is no infinity."""

import pytest
import torch

from app import codec
from app.errors import InvalidInput
from app.formats import CATALOG, FloatFormat, find_format

FLOATS = [f for f in CATALOG if isinstance(f, FloatFormat) and codec.has_torch_dtype(f)]


@pytest.mark.parametrize("number_format", FLOATS, ids=lambda f: f.name)
@pytest.mark.parametrize("source", [torch.float64, torch.float32, torch.float16, torch.bfloat16], ids=str)
def test_cast_is_one_rounding(number_format: FloatFormat, source: torch.dtype) -> None:
    generator = torch.Generator().manual_seed(5)
    bits = torch.randint(-(2**63), 2**63 - 1, (50_000,), generator=generator)
    values = bits.view(source)[: 4 * 50_000]
    values = values[values.isfinite()]
    rule = "ieee" if number_format.has_infinity else "saturate"
    expected = codec.encode(values, number_format, overflow=rule)
    got = codec.cast(values, number_format)
    assert got.dtype == codec.torch_dtype(number_format)
    assert torch.equal(codec.to_codes(got, number_format), expected)


def test_float64_is_not_rounded_twice() -> None:
    values = torch.tensor([1 + 2**-11 + 2**-40], dtype=torch.float64)
    assert values.to(torch.float16).item() == 1.0  # torch goes through float32
    assert codec.cast(values, find_format("float16")).item() == 1.0009765625


@pytest.mark.parametrize("name", ["float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2fnuz"])
def test_formats_without_infinity_saturate(name: str) -> None:
    number_format = find_format(name)
    assert isinstance(number_format, FloatFormat)
    largest = float(number_format.max)
    values = torch.tensor([1e30, -1e30, largest * 1.5, torch.nan])
    got = codec.cast(values, number_format).to(torch.float32)
    assert got[:3].tolist() == [largest, -largest, largest]
    assert got[3].isnan()


def test_nan_in_integers_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"codec\.nan"):
        codec.cast(torch.tensor([torch.nan]), find_format("int8"))


def test_a_tensor_of_the_right_dtype_is_given_back_as_it_is() -> None:
    values = torch.tensor([1.0], dtype=torch.bfloat16)
    assert codec.cast(values, find_format("bfloat16")) is values

"""Plain casts store what the codec gives, in whole bytes a row, and give back its values."""

import pytest
import torch

from app import codec
from app.formats import CATALOG
from app.schemes.entries import SchemeOptions
from app.schemes.fast import quantize_fast
from app.schemes.plain_casts import WIDEST, CastScheme, cast_entry
from app.schemes.registry import find_entry, find_scheme
from app.schemes.scheme import Choices, ScaleRule

FORMATS = [each.name for each in CATALOG if each.width <= WIDEST]


def matrix() -> torch.Tensor:
    generator = torch.Generator().manual_seed(2)
    return torch.randn(7, 13, generator=generator).abs() + 0.5


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_of_the_catalog_stores_and_gives_back(name: str) -> None:
    entry = cast_entry(name)
    assert entry is not None
    scheme = entry.build(SchemeOptions())
    assert isinstance(scheme, CastScheme)
    values = matrix()
    stored = scheme.quantize(values, Choices())
    number_format = scheme.number_format
    expected = codec.decode(codec.encode(values, number_format, overflow=scheme.overflow()), number_format)
    assert torch.equal(scheme.dequantize(stored), expected.to(torch.float32))
    storage = scheme.storage((7, 13))
    assert storage.total == stored.stored_bytes * 8
    assert storage.codes == 7 * 13 * scheme.number_format.width
    elements = scheme.elements(stored)
    assert torch.equal(elements.levels * elements.scales, scheme.dequantize(stored))


@pytest.mark.parametrize("name", ["float16", "bfloat16", "float8_e4m3fn", "float8_e5m2"])
def test_the_bytes_are_those_of_torch(name: str) -> None:
    values = matrix() * torch.tensor([-1.0, 1.0, 1e-3, 40.0, 1e-7, 0.0, 1.0])[:, None]
    stored = find_scheme(name).quantize(values, Choices())
    assert torch.equal(stored.codes, values.to(getattr(torch, name)).view(torch.uint8))


def test_finite_numbers_stay_finite_where_there_is_no_infinity() -> None:
    values = torch.tensor([[1e30, -1e30]])
    assert find_scheme("float8_e4m3fn").dequantize(
        find_scheme("float8_e4m3fn").quantize(values, Choices())
    ).tolist() == [[448.0, -448.0]]
    float16 = find_scheme("float16")
    assert float16.dequantize(float16.quantize(values, Choices())).tolist() == [[torch.inf, -torch.inf]]


def test_stochastic_casts_are_unbiased() -> None:
    values = torch.full((100, 100), 1 + 1 / 32)
    scheme = find_scheme("float8_e4m3fn")
    restored = scheme.dequantize(scheme.quantize(values, Choices(scale=ScaleRule.ABSMAX, seed=4)))
    assert set(restored.unique().tolist()) == {1.0, 1.125}
    assert abs(float(restored.mean()) - (1 + 1 / 32)) < 0.005


def test_names_of_schemes_come_before_names_of_formats() -> None:
    assert find_entry("int8").family == "integer"
    assert find_entry("e4m3").name == "float8_e4m3fn"
    assert find_entry("binary8p3se").family == "cast"
    assert cast_entry("float32") is None
    assert cast_entry("no such format") is None
    assert find_entry("bool").family == "cast"


@pytest.mark.parametrize("name", ["float16", "float8_e4m3fn", "float6_e2m3fn", "posit8"])
def test_the_compiled_casts_give_the_same_bytes(name: str) -> None:
    scheme, values = find_scheme(name), matrix()
    plain = scheme.quantize(values, Choices())
    found = quantize_fast(scheme, values, Choices())
    assert torch.equal(found.codes, plain.codes)
    assert torch.equal(
        quantize_fast(scheme, -values, Choices(), out=found).codes, scheme.quantize(-values, Choices()).codes
    )

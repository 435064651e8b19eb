"""Scaled floats: compressed-tensors' naive-quantized layout, and codes that are those of the element's format."""

import pytest
import torch
from test_integers_engine import STRATEGIES, matrices, read_back

from app.errors import InvalidInput
from app.formats import find_format
from app.schemes.entries import SchemeOptions
from app.schemes.floats import ELEMENTS
from app.schemes.registry import ENTRIES, find_scheme
from app.schemes.scheme import Choices


@pytest.mark.parametrize("granularity", [*STRATEGIES, "block=4x32"])
def test_compressed_tensors_reads_the_same(granularity: str) -> None:
    scheme = find_scheme("fp8", SchemeOptions(granularity=granularity))
    block: dict[str, object] = {"strategy": "block", "block_structure": [4, 32]}
    for values in matrices().values():
        stored = scheme.quantize(values, Choices())
        assert stored.scales is not None
        parts = {
            "weight": stored.codes.view(torch.float8_e4m3fn),
            "weight_scale": stored.scales if granularity != "tensor" else stored.scales.view(1),
        }
        arguments = STRATEGIES.get(granularity, block)
        owner = read_back("naive-quantized", parts, num_bits=8, type="float", **arguments)
        assert torch.equal(owner, scheme.dequantize(stored))


@pytest.mark.parametrize("name", [name for name, entry in ENTRIES.items() if entry.family in ("float", "microscaling")])
def test_a_code_is_the_code_of_its_format(name: str) -> None:
    scheme, element = find_scheme(name), find_format(ENTRIES[name].element)
    stored = scheme.quantize(torch.randn(4, 64, generator=torch.Generator().manual_seed(2)), Choices())
    elements = scheme.elements(stored)
    for code, level in zip(elements.codes.flatten().tolist(), elements.levels.flatten().tolist(), strict=True):
        assert element.value_of(code) == level
    assert torch.equal(elements.levels * elements.scales, scheme.dequantize(stored))


def test_names_of_elements_are_formats() -> None:
    assert all(find_format(element).name == element for element in ELEMENTS.values())


def test_an_unknown_format_of_scales_is_refused() -> None:
    with pytest.raises(InvalidInput) as refusal:
        find_scheme("fp8", SchemeOptions(scale_format="float64"))
    assert refusal.value.code == "scheme.scale-format"

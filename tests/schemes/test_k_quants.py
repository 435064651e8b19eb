"""K-quants and IQ4_XS: bytes against their owners' readers, compiled against plain, what holds of each, refusals."""

import ggml_library
import gguf
import numpy as np
import pytest
import torch
from scale_oracle import KINDS, blocks_of
from torch import Tensor

from app.errors import InvalidInput
from app.schemes.fast import quantize_fast
from app.schemes.k_quants import SuperBlockScheme, factors_of
from app.schemes.k_quants_layout import BLOCK, LAYOUTS
from app.schemes.registry import ENTRIES, find_scheme
from app.schemes.scheme import Choices, QuantizedTensor, ScaleRule

NAMES = tuple(LAYOUTS)
RULES = (ScaleRule.ABSMAX, ScaleRule.MSE)


def scheme_of(name: str) -> SuperBlockScheme:
    scheme = find_scheme(name)
    assert isinstance(scheme, SuperBlockScheme)
    return scheme


def owner_values(name: str, codes: Tensor) -> tuple[Tensor, Tensor]:
    """What gguf's Python reader and ggml's C reader make of rows of bytes."""
    rows = codes.numpy()
    columns = rows.shape[1] // LAYOUTS[name].bytes * BLOCK
    kind = gguf.GGMLQuantizationType[name.upper()]
    with np.errstate(over="ignore", invalid="ignore"):
        in_python = gguf.quants.dequantize(rows, kind)
    return torch.from_numpy(in_python), torch.from_numpy(ggml_library.dequantize(name, rows, columns))


def bits(values: Tensor) -> Tensor:
    return values.contiguous().view(torch.int32)


def matrix_of(kind: str, rows: int = 5, columns: int = 768, seed: int = 0) -> Tensor:
    """Sub-blocks of a kind, in rows of an odd number of super-blocks."""
    return blocks_of(kind, rows * columns // 16, 16, seed).view(rows, columns).contiguous()


def error_of(
    scheme: SuperBlockScheme, values: Tensor, stored: QuantizedTensor, weights: Tensor | None = None
) -> Tensor:
    """float64, of each super-block."""
    squares = (values.double() - scheme.dequantize(stored).double()).square()
    return (squares if weights is None else squares * weights.double()).view(-1, BLOCK).sum(dim=1)


def decibels(values: Tensor, error: Tensor, weights: Tensor | None = None) -> float:
    power = values.double().square() if weights is None else values.double().square() * weights.double()
    return float(10 * torch.log10(power.sum() / error.sum()))


@pytest.mark.parametrize("name", NAMES)
def test_random_bytes_read_as_their_owners_read_them(name: str) -> None:
    layout, scheme = LAYOUTS[name], scheme_of(name)
    random = np.random.default_rng(5)
    codes = torch.from_numpy(random.integers(0, 256, (40, 3 * layout.bytes), dtype=np.uint8))
    parts = layout.unpack(codes.view(-1, layout.bytes))
    assert torch.equal(layout.pack(parts), codes.view(-1, layout.bytes))
    for number in (parts.d, parts.dmin):
        if number is not None:
            number[~torch.isfinite(number)] = 1.5
    codes = layout.pack(parts).view(codes.shape)
    found = scheme.dequantize(QuantizedTensor((40, 3 * BLOCK), codes))
    assert torch.isfinite(found).all()
    for owned in owner_values(name, codes):
        assert torch.equal(bits(found), bits(owned))


@pytest.mark.parametrize("name", NAMES)
def test_quantized_tensors_read_as_their_owners_read_them(name: str) -> None:
    scheme = scheme_of(name)
    for kind in KINDS:
        values = matrix_of(kind)
        for rule in RULES:
            stored = quantize_fast(scheme, values, Choices(scale=rule))
            found = scheme.dequantize(stored)
            assert torch.isfinite(found).all(), kind
            for owned in owner_values(name, stored.codes):
                assert torch.equal(bits(found), bits(owned)), kind


@pytest.mark.parametrize("name", NAMES)
def test_elements_multiply_to_the_values(name: str) -> None:
    scheme = scheme_of(name)
    stored = quantize_fast(scheme, matrix_of("student"), Choices())
    elements = scheme.elements(stored)
    values = elements.levels * elements.scales
    if elements.offsets is not None:
        values = values + elements.offsets
    assert torch.equal(values, scheme.dequantize(stored))
    assert int(elements.codes.max()) < 1 << LAYOUTS[name].code_bits
    assert (elements.offsets is not None) == LAYOUTS[name].has_minima


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("rule", RULES)
def test_kernels_give_the_codes_of_plain_torch_for_equal_scales(name: str, rule: ScaleRule) -> None:
    scheme, layout = scheme_of(name), LAYOUTS[name]
    for kind in KINDS:
        values = matrix_of(kind)
        stored = quantize_fast(scheme, values, Choices(scale=rule))
        parts = layout.unpack(stored.codes.view(-1, layout.bytes))
        assert torch.equal(scheme.with_scales(values.view(-1, BLOCK), parts).codes, parts.codes), kind


@pytest.mark.parametrize("name", NAMES)
def test_kernels_search_as_well_as_plain_torch(name: str) -> None:
    scheme = scheme_of(name)
    weights = torch.rand(1024, generator=torch.Generator().manual_seed(2)).square()
    for kind in ("gaussian", "laplace", "student", "outliers"):
        values = blocks_of(kind, 48, 1024)
        for importance in (None, weights):
            choices = Choices(importance=importance)
            fast, plain = (
                decibels(values, error_of(scheme, values, stored, importance), importance)
                for stored in (quantize_fast(scheme, values, choices), scheme.quantize(values, choices))
            )
            assert abs(fast - plain) < 0.01, (kind, fast, plain)


@pytest.mark.parametrize("name", NAMES)
def test_a_search_is_nowhere_worse_than_the_simple_rule(name: str) -> None:
    scheme = scheme_of(name)
    for kind in KINDS:
        values = matrix_of(kind)
        for quantize in (scheme.quantize, lambda values, choices: quantize_fast(scheme, values, choices)):
            searched, simple = (
                error_of(scheme, values, stored)
                for stored in (quantize(values, Choices(scale=rule)) for rule in reversed(RULES))
            )
            assert bool((searched <= simple * (1 + 1e-4)).all()), kind


@pytest.mark.parametrize("name", NAMES)
def test_zeros_are_bytes_of_zero_scales(name: str) -> None:
    scheme, layout = scheme_of(name), LAYOUTS[name]
    values = torch.zeros(1, 3 * BLOCK)
    values[0, BLOCK : 2 * BLOCK] = 1e-12
    for rule in RULES:
        for stored in (
            scheme.quantize(values, Choices(scale=rule)),
            quantize_fast(scheme, values, Choices(scale=rule)),
        ):
            parts = layout.unpack(stored.codes.view(-1, layout.bytes))
            assert not factors_of(parts)[0][::2].any()
            assert not scheme.dequantize(stored).any()


@pytest.mark.parametrize("name", NAMES)
def test_bytes_do_not_depend_on_threads_or_neighbours(name: str) -> None:
    scheme = scheme_of(name)
    values = blocks_of("student", 402, BLOCK).view(2, -1)
    one, three = (quantize_fast(scheme, values, Choices(threads=count)).codes for count in (1, 3))
    assert torch.equal(one, three)
    first = quantize_fast(scheme, values[:1, :BLOCK].contiguous(), Choices()).codes
    assert torch.equal(first[0], one[0, : LAYOUTS[name].bytes])
    lent = QuantizedTensor((2, values.shape[1]), torch.zeros_like(one))
    assert quantize_fast(scheme, values, Choices(), lent).codes is lent.codes
    assert torch.equal(lent.codes, one)


@pytest.mark.parametrize("name", NAMES)
def test_importance_moves_the_error_to_other_columns(name: str) -> None:
    scheme = scheme_of(name)
    values = matrix_of("gaussian", 16, 1024)
    weights = torch.zeros(1024)
    weights[::2] = 3.0
    weighted, plain = (quantize_fast(scheme, values, Choices(importance=each)) for each in (weights, None))
    assert error_of(scheme, values, weighted, weights).sum() < error_of(scheme, values, plain, weights).sum() * 0.97
    nothing = quantize_fast(scheme, values, Choices(importance=torch.zeros(1024)))
    assert torch.equal(nothing.codes, plain.codes)


def test_percentiles_clip_outliers() -> None:
    scheme = scheme_of("q4_k")
    values = matrix_of("gaussian")
    values[0, 0] = 100.0
    clipped = quantize_fast(scheme, values, Choices(scale=ScaleRule.PERCENTILE, percentile=90))
    whole = quantize_fast(scheme, values, Choices(scale=ScaleRule.ABSMAX))
    rest = slice(1, 32)
    errors = [(scheme.dequantize(each) - values)[0, rest].abs().max() for each in (clipped, whole)]
    assert errors[0] < errors[1]


@pytest.mark.parametrize("name", NAMES)
def test_storage_counts_every_bit_of_the_bytes(name: str) -> None:
    scheme, layout = scheme_of(name), LAYOUTS[name]
    storage = scheme.storage((3, 2 * BLOCK))
    assert storage.total == 3 * 2 * layout.bytes * 8
    assert storage.weights == 3 * 2 * BLOCK
    assert storage.bits_per_weight == gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType(layout.type_id)][1] * 8 / BLOCK
    assert ggml_library.block_bytes(name) == (BLOCK, layout.bytes)


@pytest.mark.parametrize("name", NAMES)
def test_refusals(name: str) -> None:
    scheme = scheme_of(name)
    assert ENTRIES[name].family == ENTRIES[name].layout == "gguf"
    with pytest.raises(InvalidInput) as refused:
        quantize_fast(scheme, torch.ones(2, 300), Choices())
    assert refused.value.code == "scheme.row-length"
    with pytest.raises(InvalidInput) as refused:
        scheme.storage((1, 255))
    assert refused.value.code == "scheme.row-length"
    with pytest.raises(InvalidInput) as refused:
        quantize_fast(scheme, torch.ones(2, 512), Choices(seed=1))
    assert refused.value.code == "scheme.option"
    for wrong in (torch.nan, torch.inf):
        values = torch.ones(2, 512)
        values[1, 300] = wrong
        for quantize in (scheme.quantize, lambda values, choices: quantize_fast(scheme, values, choices)):
            with pytest.raises(InvalidInput) as refused:
                quantize(values, Choices())
            assert refused.value.code == "scheme.not-finite"

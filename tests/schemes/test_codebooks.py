"""NF4 and fp4 as bitsandbytes reads them, double quantization, and codebooks fitted to a tensor."""

import warnings

import pytest
import torch

from app.errors import InvalidInput
from app.formats import find_format
from app.schemes.entries import SchemeOptions
from app.schemes.lloyd_max import fit_levels
from app.schemes.nested_scales import NestedScales, dynamic_map
from app.schemes.registry import ENTRIES, find_scheme
from app.schemes.scheme import Choices, ScaleRule


def some(rows: int, columns: int) -> torch.Tensor:
    return torch.randn(rows, columns, generator=torch.Generator().manual_seed(rows)) * 0.02


@pytest.mark.parametrize("name", ["nf4", "fp4"])
@pytest.mark.parametrize(("block", "is_nested"), [(32, False), (64, False), (64, True), (128, True), (4096, False)])
def test_bitsandbytes_reads_the_same(name: str, block: int, is_nested: bool) -> None:
    """In float32, as one long row: its CPU code takes rows shorter than a block for whole blocks."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        functional = pytest.importorskip("bitsandbytes.functional")
    scheme = find_scheme(name, SchemeOptions(granularity=f"block={block}", double_quant=is_nested))
    for values in (some(300, 64), some(3, 50), torch.zeros(2, 64), torch.full((2, 64), -0.3)):
        stored = scheme.quantize(values, Choices(signed_scales=name == "nf4"))
        assert stored.scales is not None
        absmax, length = stored.scales.view(-1), torch.Size([1, values.numel()])
        common = {"shape": length, "dtype": torch.float32, "blocksize": block, "quant_type": name}
        if is_nested:
            code, nested = dynamic_map(), stored.others["nested_absmax"]
            inner = functional.QuantState(absmax=nested, blocksize=256, code=code, dtype=torch.float32)
            common |= {"offset": stored.others["nested_offset"][0], "state2": inner}
        owner = functional.dequantize_4bit(stored.codes, functional.QuantState(absmax=absmax, **common))
        ours = scheme.dequantize(stored)
        assert torch.equal(owner.view(-1), ours.view(-1))
        assert torch.equal(ours == 0, values == 0) if not values.any() else True


def test_the_map_is_the_owners() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        functional = pytest.importorskip("bitsandbytes.functional")
    assert torch.equal(functional.create_dynamic_map(), dynamic_map())


def test_bytes_are_laid_out_like_the_owners() -> None:
    scheme = find_scheme("nf4", SchemeOptions(granularity="block=4"))
    stored = scheme.quantize(torch.tensor([[1.0, 0.0, -1.0], [0.0, 0.5, 0.5]]), Choices(scale=ScaleRule.ABSMAX))
    assert stored.codes.tolist() == [[0xF7], [0x07], [0xFF]]
    assert stored.scales is not None
    assert stored.scales.tolist() == [[1.0, 0.5]]


@pytest.mark.parametrize("name", ["nf4", "fp4"])
def test_a_code_is_the_code_of_its_format(name: str) -> None:
    scheme, element = find_scheme(name), find_format(ENTRIES[name].element)
    elements = scheme.elements(scheme.quantize(some(5, 33), Choices()))
    for code, level in zip(elements.codes.flatten().tolist(), elements.levels.flatten().tolist(), strict=True):
        assert element.value_of(code) == level


@pytest.mark.parametrize("is_nested", [False, True])
@pytest.mark.parametrize("shape", [(1, 1), (3, 7), (2, 130), (40, 64)])
def test_storage_is_what_is_stored(shape: tuple[int, int], is_nested: bool) -> None:
    for name in ("nf4", "fp4"):
        scheme = find_scheme(name, SchemeOptions(double_quant=is_nested))
        assert scheme.storage(shape).total == scheme.quantize(some(*shape), Choices()).stored_bytes * 8


def test_double_quantization_costs_next_to_nothing() -> None:
    values, errors = some(256, 128), []
    for options in (SchemeOptions(), SchemeOptions(double_quant=True)):
        scheme = find_scheme("nf4", options)
        errors.append(float((values - scheme.dequantize(scheme.quantize(values, Choices()))).square().sum()))
    assert errors[0] <= errors[1] <= errors[0] * 1.01


def test_nested_scales_are_the_best_of_all_that_can_be_stored() -> None:
    """For given absmax and offset: all 256 codes of each block, tried one by one."""
    values = some(20, 64)
    scheme = find_scheme("nf4", SchemeOptions(double_quant=True))
    stored = scheme.quantize(values, Choices())
    found = (values - scheme.dequantize(stored)).double().square().sum(dim=1)
    every = dynamic_map() * stored.others["nested_absmax"] + stored.others["nested_offset"]
    grid, least = scheme.grid, torch.full((20,), torch.inf, dtype=torch.float64)  # type: ignore[attr-defined]
    for scale in every[every > 0]:
        back = grid.rounded(values / scale) * scale
        least = torch.minimum(least, (values - back).double().square().sum(dim=1))
    assert bool((found <= least * 10**0.002).all())


def test_nested_scales_of_zeros_and_of_one_size() -> None:
    scales, is_used = torch.tensor([0.5, 0.5, 1.0]), torch.tensor([True, True, False])
    storable, absmax = NestedScales.fitted(scales, is_used)
    assert absmax.tolist() == [0.0]
    assert storable.nearest(scales).tolist() == [0.5, 0.5, 0.5]
    nothing, _ = NestedScales.fitted(scales, torch.tensor([False, False, False]))
    assert nothing.nearest(scales).tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("granularity", ["channel", "tensor", "group=64", "block=2x2"])
def test_only_flat_blocks(granularity: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        find_scheme("nf4", SchemeOptions(granularity=granularity))
    assert refusal.value.code == "scheme.granularity"


@pytest.mark.parametrize(("bits", "decibels"), [(2, 9.30), (3, 14.62), (4, 20.22)])
def test_fitted_codebooks_reach_lloyd_and_max(bits: int, decibels: float) -> None:
    """Max (1960), table I, for a Gaussian: 0.1175, 0.03454 and 0.009497 of the variance."""
    uniform = (torch.arange(1 << 15, dtype=torch.float64) + 0.5) / (1 << 15)
    values = (torch.erfinv(2 * uniform - 1) * 2**0.5).to(torch.float32)[None]
    scheme = find_scheme(f"lloyd_max{bits}")
    error = (values - scheme.dequantize(scheme.quantize(values, Choices()))).double().square().mean()
    assert abs(float(10 * torch.log10(values.double().square().mean() / error)) - decibels) < 0.02


def test_few_numbers_are_their_own_codebook() -> None:
    values = torch.tensor([3.0, -1.0, 3.0, 0.0, 7.0, 7.0])
    assert fit_levels(values, torch.ones(6), 8).tolist() == [-1.0, 0.0, 3.0, 7.0, 7.0, 7.0, 7.0, 7.0]
    scheme = find_scheme("lloyd_max2")
    assert torch.equal(scheme.dequantize(scheme.quantize(values[None], Choices())), values[None])


@pytest.mark.parametrize("granularity", ["tensor", "channel", "group=16"])
def test_fitted_codebooks_count_their_levels(granularity: str) -> None:
    scheme = find_scheme("lloyd_max3", SchemeOptions(granularity=granularity))
    stored = scheme.quantize(some(6, 40), Choices())
    assert scheme.storage((6, 40)).total == stored.stored_bytes * 8
    assert torch.equal(scheme.elements(stored).levels * scheme.elements(stored).scales, scheme.dequantize(stored))

"""Affine integers as schemes: the bytes that their owners read, exact storage, and an error below the owners' own."""

from itertools import product

import pytest
import torch
from affine_oracles import (
    distribution,
    mlx_dequantized,
    mlx_sqnr,
    packed_dequantized,
    packed_sqnr,
    sqnr,
)

from app.errors import InvalidInput
from app.schemes.affine import AffineScheme
from app.schemes.entries import SchemeOptions
from app.schemes.packing import unpack_bits
from app.schemes.registry import ENTRIES, find_scheme
from app.schemes.scheme import Choices, ScaleRule, Scheme

pytestmark = pytest.mark.usefixtures("one_thread")
ABSMAX = Choices(scale=ScaleRule.ABSMAX)
GRANULARITIES = ("tensor", "channel", "column", "group=32", "group=48", "block=50", "block=4x24")
SCHEMES = [
    *(("affine" + str(bits), SchemeOptions(granularity=each)) for bits, each in product((3, 8), GRANULARITIES)),
    *(("int5", SchemeOptions(granularity=each, symmetric=False)) for each in GRANULARITIES),
    *(("int4", SchemeOptions(granularity=each, zero_point="float", scale_format="bfloat16")) for each in GRANULARITIES),
]


def affine(bits: int, **options: str) -> Scheme:
    return find_scheme(f"affine{bits}", SchemeOptions(**options))  # type: ignore[arg-type]


def zero_point(bits: int, **options: str) -> Scheme:
    return find_scheme(f"int{bits}", SchemeOptions(symmetric=False, **options))  # type: ignore[arg-type]


@pytest.mark.parametrize("bits", [2, 3, 4, 5, 6, 8])
@pytest.mark.parametrize("rule", [ScaleRule.MSE, ScaleRule.ABSMAX])
def test_mlx_reads_the_same_numbers(bits: int, rule: ScaleRule) -> None:
    pytest.importorskip("mlx.core")
    values = distribution("student", 8, 256)
    values[1, :64], values[2, 3] = 0.75, 1e5
    values[3, 64:128] = 0
    scheme = affine(bits)
    stored = scheme.quantize(values, Choices(scale=rule))
    assert torch.equal(mlx_dequantized(stored, bits, 64), scheme.dequantize(stored))


@pytest.mark.parametrize("bits", [2, 3, 4, 5, 6, 8])
def test_words_of_mlx_are_a_little_endian_stream_of_codes(bits: int) -> None:
    values = distribution("gaussian", 3, 128)
    scheme = affine(bits)
    stored = scheme.quantize(values, ABSMAX)
    assert stored.codes.shape == (3, 128 * bits // 8)
    row = int.from_bytes(stored.codes[1].numpy().tobytes(), "little")
    codes = [(row >> (bits * place)) & ((1 << bits) - 1) for place in range(128)]
    assert scheme.elements(stored).codes[1].tolist() == codes
    assert (stored.scales.dtype, stored.zero_points.dtype) == (torch.float16, torch.float16)  # type: ignore[union-attr]


@pytest.mark.parametrize("bits", [2, 3, 4, 8])
@pytest.mark.parametrize("group", [32, None])
@pytest.mark.parametrize("scale_format", ["float32", "bfloat16"])
def test_compressed_tensors_reads_the_same_numbers(bits: int, group: int | None, scale_format: str) -> None:
    pytest.importorskip("compressed_tensors")
    values = distribution("laplace", 37, 96)
    values[5] = 1.5
    values[6] = values[6].abs()
    scheme = zero_point(bits, granularity=f"group={group}" if group else "channel", scale_format=scale_format)
    for rule in (ScaleRule.MSE, ScaleRule.ABSMAX):
        stored = scheme.quantize(values, Choices(scale=rule))
        back = packed_dequantized(stored, bits, group)
        assert torch.equal(scheme.dequantize(stored).to(back.dtype), back)


def test_zero_points_are_packed_along_the_rows() -> None:
    values = distribution("gaussian", 45, 64)
    scheme = zero_point(3, granularity="group=32")
    stored = scheme.quantize(values, Choices())
    assert isinstance(scheme, AffineScheme)
    assert stored.zero_points is not None
    assert (stored.zero_points.dtype, stored.zero_points.shape) == (torch.int32, (5, 2))
    column = stored.zero_points[:, 1].contiguous().view(torch.uint8)[None]
    assert torch.equal(unpack_bits(column, 3, 45)[0].to(torch.float32), scheme.read_pair(stored)[1][:, 1])


@pytest.mark.parametrize(("name", "options"), SCHEMES)
@pytest.mark.parametrize("shape", [(9, 130), (1, 1), (3, 7)])
def test_bytes_are_those_that_storage_counts_and_elements_make_the_numbers(
    name: str, options: SchemeOptions, shape: tuple[int, int]
) -> None:
    values = distribution("gaussian", *shape)
    scheme = find_scheme(name, options)
    stored = scheme.quantize(values, ABSMAX)
    storage = scheme.storage(shape)
    assert storage.total == stored.stored_bytes * 8
    assert storage.codes == shape[0] * shape[1] * int(name[-1])
    elements = scheme.elements(stored)
    back = elements.levels * elements.scales
    back = back if elements.offsets is None else back + elements.offsets
    assert torch.equal(back, scheme.dequantize(stored))
    step = elements.scales.abs()
    assert ((back - values).abs() <= 1.5 * step + 0.02).all()


def test_codes_lie_beside_the_number_when_rounded_at_random_and_average_to_it() -> None:
    values = distribution("gaussian", 4, 64)
    scheme = affine(4, scale_format="float32")
    plain = scheme.quantize(values, ABSMAX)
    elements = scheme.elements(plain)
    drawn = [scheme.quantize(values, Choices(scale=ScaleRule.ABSMAX, seed=seed)) for seed in range(400)]
    assert torch.equal(drawn[0].codes, scheme.quantize(values, Choices(scale=ScaleRule.ABSMAX, seed=0)).codes)
    backs = torch.stack([scheme.dequantize(each) for each in drawn])
    assert ((backs - values).abs() < elements.scales * 1.001).all()
    assert ((backs.mean(dim=0) - values).abs() < elements.scales * 0.16).all()


def test_importance_moves_the_error_to_other_columns() -> None:
    values = distribution("student", 16, 128)
    importance = torch.ones(128)
    importance[::2] = 30
    for scheme in (affine(3), zero_point(3)):
        plain, weighted = (
            (values - scheme.dequantize(scheme.quantize(values, choices))).square()[:, ::2].sum()
            for choices in (Choices(), Choices(importance=importance))
        )
        assert weighted < plain


@pytest.mark.parametrize("distribution_name", ["gaussian", "laplace", "student"])
def test_less_error_than_the_owners_quantizers(distribution_name: str) -> None:
    values = distribution(distribution_name, 32, 512)
    if pytest.importorskip("mlx.core"):
        for bits in (2, 3, 4, 6, 8):
            scheme = affine(bits)
            ours = sqnr(values, scheme.dequantize(scheme.quantize(values, Choices())))
            assert ours > mlx_sqnr(values, bits, 64) + {2: 1.2, 3: 0.9, 4: 0.6, 6: 0.3, 8: 0.3}[bits]
    if pytest.importorskip("compressed_tensors"):
        for bits in (3, 4, 8):
            scheme = zero_point(bits, scale_format="bfloat16", granularity="group=128")
            ours = sqnr(values, scheme.dequantize(scheme.quantize(values, Choices())))
            assert ours > packed_sqnr(values, bits, 128) + 0.1


@pytest.mark.parametrize("distribution_name", ["gaussian", "student"])
def test_less_error_than_hqq_and_quanto(distribution_name: str) -> None:
    values = distribution(distribution_name, 32, 512)
    scheme = find_scheme("int4", SchemeOptions(zero_point="float", granularity="group=64", scale_format="float16"))
    ours = sqnr(values, scheme.dequantize(scheme.quantize(values, Choices())))
    hqq = pytest.importorskip("hqq.core.quantize")
    packed, meta = hqq.Quantizer.quantize(
        values, nbits=4, group_size=64, axis=1, device="cpu", compute_dtype=torch.float32
    )
    assert ours > sqnr(values, hqq.Quantizer.dequantize(packed, meta).view(values.shape).float()) + 0.25


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"scheme\.zero-point"):
        find_scheme("int4", SchemeOptions(zero_point="square"))
    with pytest.raises(InvalidInput, match=r"scheme\.option"):
        find_scheme("int4", SchemeOptions(zero_point="float", symmetric=True))
    with pytest.raises(InvalidInput, match=r"scheme\.option"):
        find_scheme("affine4", SchemeOptions(zero_point="float"))
    assert {f"affine{bits}" for bits in (2, 3, 4, 5, 6, 8)} <= ENTRIES.keys()

"""Compiled decoding beside the plain schemes: the same numbers bit for bit, for any bytes; and sums of errors."""

import math
from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from app.metrics.error_sums import NO_PAIRS, PairSums
from app.metrics.tensor_error import pair_sums
from app.schemes.entries import SchemeOptions
from app.schemes.fast import decoding_of, dequantize_fast, quantize_fast
from app.schemes.fast_measured import quantize_measured
from app.schemes.registry import ENTRIES, find_scheme
from app.schemes.scheme import Choices, QuantizedTensor, ScaleRule, Scheme

ABSMAX = Choices(scale=ScaleRule.ABSMAX)
SHAPES = ((9, 256), (3, 2304), (2, 4864), (5, 259), (1, 1), (70, 33))
GRANULARITIES = ("tensor", "channel", "group=32", "group=100", "group=7", "block=4x16", "column")


def schemes() -> Iterator[tuple[str, Scheme]]:
    for name, entry in ENTRIES.items():
        yield name, find_scheme(name)
        if "granularity" in entry.options and entry.family in {"integer", "float"}:
            for granularity in GRANULARITIES:
                yield f"{name} {granularity}", find_scheme(name, SchemeOptions(granularity=granularity))
    for bits, kind in ((2, "integer"), (3, "float"), (4, "integer"), (8, "float"), (8, "integer")):
        for granularity in ("channel", "group=32", "group=100", "tensor", "block=4x16"):
            options = SchemeOptions(granularity=granularity, symmetric=False, zero_point=kind, scale_format="bfloat16")
            yield f"int{bits} {kind} {granularity}", find_scheme(f"int{bits}", options)
    for name in ("nf4", "fp4"):
        for size in (32, 100, 256, 4096):
            for double in (False, True):
                options = SchemeOptions(granularity=f"block={size}", double_quant=double)
                yield f"{name} {size} {double}", find_scheme(name, options)


SCHEMES = dict(schemes())


def normal(rows: int, columns: int) -> Tensor:
    return torch.randn(rows, columns, generator=torch.Generator().manual_seed(rows))


def fitting(scheme: Scheme) -> list[tuple[int, int]]:
    fit = []
    for shape in SHAPES:
        try:
            scheme.storage(shape)
        except Exception:  # noqa: BLE001, S112 - rows that the layout does not hold
            continue
        fit.append(shape)
    return fit


def same_numbers(found: Tensor, wanted: Tensor) -> bool:
    """Bit for bit, but any NaN is as good as another."""
    words = (each.contiguous().view(torch.int32) for each in (found, wanted))
    return bool((torch.eq(*words) | (found.isnan() & wanted.isnan())).all()) and found.shape == wanted.shape


def scrambled(stored: QuantizedTensor, seed: int) -> QuantizedTensor:
    """Any bytes in place of codes and scales."""
    random = torch.Generator().manual_seed(seed)

    def drawn(like: Tensor) -> Tensor:
        size = like.numel() * like.element_size()
        words = torch.randint(0, 256, (size,), generator=random, dtype=torch.uint8)
        words[torch.rand(size, generator=random) < 0.1] = 255
        words[torch.rand(size, generator=random) < 0.1] = 0
        return words.view(like.dtype).view(like.shape)

    scales = None if stored.scales is None else drawn(stored.scales)
    zero_points = None if stored.zero_points is None else drawn(stored.zero_points)
    return replace(stored, codes=drawn(stored.codes), scales=scales, zero_points=zero_points)


@pytest.mark.parametrize("name", SCHEMES)
def test_numbers_are_the_same(name: str, one_thread: None) -> None:
    scheme = SCHEMES[name]
    for shape in fitting(scheme)[:4]:
        stored = quantize_fast(scheme, normal(*shape), ABSMAX)
        assert same_numbers(dequantize_fast(scheme, stored), scheme.dequantize(stored)), shape
        for seed in range(2):
            hostile = scrambled(stored, seed)
            out = torch.empty(shape)
            assert dequantize_fast(scheme, hostile, out) is out
            assert same_numbers(out, scheme.dequantize(hostile)), shape


def close(found: PairSums, wanted: PairSums) -> bool:
    assert (found.elements, found.count, found.max_error) == (wanted.elements, wanted.count, wanted.max_error)
    assert found.max_place == wanted.max_place
    names = ("original_squares", "restored_squares", "error_squares", "products")
    return all(math.isclose(getattr(found, name), getattr(wanted, name), rel_tol=1e-12) for name in names)


@pytest.mark.parametrize("name", SCHEMES)
def test_errors_are_those_of_what_comes_back(name: str, one_thread: None) -> None:
    scheme = SCHEMES[name]
    for shape in fitting(scheme)[:3]:
        values = normal(*shape)
        stored, sums = quantize_measured(scheme, values, ABSMAX)
        assert torch.equal(stored.codes, quantize_fast(scheme, values, ABSMAX).codes)
        assert close(sums, pair_sums(values, scheme.dequantize(stored))), shape


LARGE = [
    "int8",
    "int4",
    "int3 group=100",
    "nf4",
    "nf4 100 False",
    "nvfp4",
    "q4_0",
    "q5_1",
    "q4_k",
    "affine4",
    "bfloat16",
]


@pytest.mark.parametrize("name", LARGE)
def test_threads_change_nothing(name: str) -> None:
    scheme = SCHEMES[name]
    columns = 1024 if scheme.storage((1, 1024)) else 0
    values = normal(300, columns)
    found = [quantize_measured(scheme, values, replace(ABSMAX, threads=threads)) for threads in (1, 2, 3)]
    assert found[0][1] == found[1][1] == found[2][1]
    decoded = [dequantize_fast(scheme, found[0][0], threads=threads) for threads in (1, 2, 3)]
    assert all(torch.equal(each, decoded[0]) for each in decoded)
    assert close(found[0][1], pair_sums(values, decoded[0]))


@pytest.mark.parametrize("name", ["int4", "int8", "q4_0", "q4_k", "affine4"])
def test_sums_of_bands_add_up(name: str) -> None:
    scheme, values = SCHEMES[name], normal(96, 1024)
    whole = quantize_measured(scheme, values, ABSMAX)[1]
    bands = [quantize_measured(scheme, band.contiguous(), ABSMAX)[1] for band in values.split(32)]
    assert close(sum(bands, NO_PAIRS), whole)


def test_what_is_compiled() -> None:
    for name, scheme in SCHEMES.items():
        entry = ENTRIES[name.split()[0]]
        is_plain = entry.family == "cast" or "column" in name or name.startswith("lloyd")
        stored = quantize_fast(scheme, normal(2, 256), ABSMAX)
        assert (decoding_of(scheme, stored) is None) == is_plain, name

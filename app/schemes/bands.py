"""Matrices beyond memory in bands of rows: what the whole shares is found first, so that bands have its bytes."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from math import gcd, lcm

import torch
from torch import Tensor

from app.schemes.affine import AffineScheme
from app.schemes.affine_offsets import PackedZeroPoints
from app.schemes.codebooks import CodebookScheme
from app.schemes.fast import quantize_fast
from app.schemes.gguf_nvfp4 import GgufNvfp4Scheme
from app.schemes.grid_scheme import GridScheme
from app.schemes.lloyd_max import LloydMaxScheme
from app.schemes.microscaling import NvidiaScheme
from app.schemes.nested_scales import NESTED_BLOCK, mean_of
from app.schemes.partitions import Granularity
from app.schemes.scheme import Choices, QuantizedTensor, ScaleRule, Scheme, check_values
from app.schemes.tensor_scales import FEWEST, Numbers, tensor_pair, tensor_scale

Bands = Callable[[], Iterable[Tensor]]
"""All bands of rows of a matrix in their order, float32 and contiguous, anew at each call."""
_WORD_BITS = 32


def row_step(scheme: Scheme, columns: int, choices: Choices) -> int | None:
    """So many rows, or a multiple of it, have every band but the last; None where only the whole gives its bytes.

    With a seed only the whole does: what is drawn for a number follows from its place.
    """
    if choices.seed is not None or isinstance(scheme, LloydMaxScheme):
        return None
    if not isinstance(scheme, GridScheme | AffineScheme):
        return 1
    partition = scheme.partition
    match partition.granularity:
        case Granularity.COLUMN:
            return None
        case Granularity.TENSOR:
            is_found = choices.scale is not ScaleRule.PERCENTILE and choices.importance is None
            return 1 if is_found else None
        case Granularity.BLOCK:
            return partition.rows
        case Granularity.FLAT:
            is_nested = isinstance(scheme, CodebookScheme) and scheme.is_nested
            unit = lcm(partition.columns, 2) * (NESTED_BLOCK if is_nested else 1)
            return unit // gcd(unit, columns)
    is_packed = isinstance(scheme, AffineScheme) and isinstance(scheme.offset_layout, PackedZeroPoints)
    return _WORD_BITS if is_packed else 1


def pinned(scheme: Scheme, bands: Bands, choices: Choices) -> Scheme:
    """The scheme with what a matrix shares as a whole fixed: by it every band has the whole's bytes.

    A scheme that shares nothing is given back as it is, and no band is asked for.

    Raises:
        InvalidInput: what `check_values` refuses, rows counted within their band.
    """
    match scheme:
        case NvidiaScheme():
            largest = torch.tensor([[_largest(bands, choices)]])
            return replace(scheme, global_scale=scheme.fitted_format(largest).divisor)
        case GgufNvfp4Scheme():
            largest = torch.tensor([[_largest(bands, choices)]])
            return replace(scheme, tensor_scale=1 / scheme.fitted_format(largest).divisor)
        case CodebookScheme(is_nested=True):
            return replace(scheme, nested_offset=_nested_offset(scheme, bands, choices))
        case GridScheme() | AffineScheme() if scheme.partition.granularity is Granularity.TENSOR:
            return _with_one_scale(scheme, bands, choices)
    return scheme


def joined(scheme: Scheme, parts: Sequence[QuantizedTensor]) -> QuantizedTensor:
    """Bands one below another as the whole."""
    first = parts[0]
    shape = sum(part.shape[0] for part in parts), first.shape[1]
    is_one = isinstance(scheme, GridScheme | AffineScheme) and scheme.partition.granularity is Granularity.TENSOR
    is_flat = isinstance(scheme, GridScheme) and scheme.partition.granularity is Granularity.FLAT

    def together(tensors: list[Tensor | None]) -> Tensor | None:
        known = [each for each in tensors if each is not None]
        return None if not known else known[0] if is_one else torch.cat(known, dim=1 if is_flat else 0)

    others = {
        name: torch.cat([part.others[name] for part in parts]) if name == "nested_absmax" else other
        for name, other in first.others.items()
    }
    codes = torch.cat([part.codes for part in parts])
    scales, zero_points = ([getattr(part, name) for part in parts] for name in ("scales", "zero_points"))
    return replace(
        first, shape=shape, codes=codes, scales=together(scales), zero_points=together(zero_points), others=others
    )


def _checked(bands: Bands, choices: Choices) -> Iterator[Tensor]:
    for band in bands():
        check_values(band, choices)
        yield band


def _largest(bands: Bands, choices: Choices) -> float:
    found = 0.0
    for band in _checked(bands, choices):
        low, high = torch.aminmax(band)
        found = max(found, -float(low), float(high))
    return found


def _nested_offset(scheme: CodebookScheme, bands: Bands, choices: Choices) -> float:
    """The mean of all scales that are used: they are found once here, and once more with each band."""
    plain, used = replace(scheme, is_nested=False), []
    for band in bands():
        scales = quantize_fast(plain, band, choices).scales
        assert scales is not None
        is_used = scheme.partition.blocks(band).nan_to_num(0.0).abs().amax(dim=1) > 0
        used.append(scales.view(-1)[is_used])
    return float(mean_of(torch.cat(used)))


def _with_one_scale(scheme: GridScheme | AffineScheme, bands: Bands, choices: Choices) -> Scheme:
    numbers, few, count = Numbers(choices.scale), [], 0
    for band in _checked(bands, choices):
        numbers.add(band, choices.threads)
        count += band.numel()
        if count < FEWEST:
            few.append(band.clone())
    if count < FEWEST and choices.scale is ScaleRule.MSE:
        return _with_scale_of(scheme, torch.cat(few), choices)
    if isinstance(scheme, GridScheme):
        return replace(scheme, tensor_scale=tensor_scale(scheme, numbers, choices))
    return replace(scheme, tensor_pair=tensor_pair(scheme, numbers, choices))


def _with_scale_of(scheme: GridScheme | AffineScheme, values: Tensor, choices: Choices) -> Scheme:
    """Of a matrix that is small: as the scheme itself finds it."""
    stored = scheme.quantize(values, choices)
    if isinstance(scheme, GridScheme):
        return replace(scheme, tensor_scale=float(scheme.read_scales(stored)))
    scales, offsets = scheme.read_pair(stored)
    return replace(scheme, tensor_pair=(float(scales), float(offsets)))

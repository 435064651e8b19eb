"""Affine integers at the speed of memory: what a compiled pass has to know about them, and its result put together."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from app.schemes.affine import AffineScheme
from app.schemes.affine_pairs import MinimumPairs, ZeroPointPairs
from app.schemes.affine_search import find_pairs
from app.schemes.fast_grids import Shape, _cuts, _shares
from app.schemes.kernels import affine as kernel
from app.schemes.kernels.affine_rounding import MINIMUM, ZERO_POINT, PairFormat
from app.schemes.kernels.affine_tables import NO_PAIRS, pair_table
from app.schemes.kernels.sizes import size_format
from app.schemes.kernels.vectors import LANES
from app.schemes.partitions import Granularity
from app.schemes.scheme import Choices, QuantizedTensor, ScaleRule, check_values

_LONGEST_ROW = 1 << 20
"""Of blocks that are whole rows or do not fill vectors: their codes lie in a buffer."""
_LARGEST_FLOAT = 0x7F7FFFFF
_STARTS, _ROUNDS = 3, 2


def quantize_affine(
    scheme: AffineScheme, values: Tensor, choices: Choices, out: QuantizedTensor | None
) -> QuantizedTensor | None:
    """The matrix as the layout stores it; None where no kernel does it."""
    form, rows, columns = _form(scheme), values.shape[0], values.shape[1]
    shape = _shape(scheme, rows, columns)
    if form is None or shape is None or choices.scale is ScaleRule.PERCENTILE:
        return None
    task = _task(scheme, shape, form, choices)
    scales, offsets = np.empty(shape.rows * shape.blocks, np.float32), np.empty(shape.rows * shape.blocks, np.float32)
    size = rows * scheme.packing.row_bits(columns) // 8
    packed = np.empty(size, np.uint8) if out is None else out.codes.view(-1).numpy()
    assert packed.size == size, "memory of another shape"
    memory = values.view(-1).numpy(), scales, offsets, packed
    found = _in_threads(shape, task, memory, choices.threads)
    if max(worst for worst, _ in found) > _LARGEST_FLOAT:
        check_values(values, choices)
    pair = torch.from_numpy(scales), torch.from_numpy(offsets)
    if sum(is_open for _, is_open in found):
        is_open = pair[0] == 0
        blocks = scheme.partition.blocks(values)[is_open]
        pair[0][is_open], pair[1][is_open] = find_pairs(blocks, scheme.pairs, choices)
        _in_threads(shape, task._replace(rule=np.int64(kernel.GIVEN)), memory, choices.threads)
    return _into(out, scheme.assembled(torch.from_numpy(packed).view(rows, -1), pair, (rows, columns)))


def _form(scheme: AffineScheme) -> PairFormat | None:
    pairs, last = scheme.pairs, np.float32((1 << scheme.pairs.bits) - 1)
    if isinstance(pairs, MinimumPairs):
        offset = size_format(pairs.minimum_format)._replace(smallest=np.float32(0))
        return PairFormat(np.int64(MINIMUM), last, size_format(pairs.scale_format), offset)
    if isinstance(pairs, ZeroPointPairs):
        scale = size_format(pairs.scale_format)
        return PairFormat(np.int64(ZERO_POINT), last, scale, scale)
    return None


def _shape(scheme: AffineScheme, rows: int, columns: int) -> Shape | None:
    match scheme.partition.granularity:
        case Granularity.CHANNEL:
            size = columns
        case Granularity.GROUP:
            size = min(scheme.partition.columns, columns)
        case _:
            return None
    is_full = columns % size == 0 and size < columns
    if is_full and scheme.packing.row_bits(columns) == columns * scheme.pairs.bits:
        return Shape(1, rows * columns, size)
    is_short = columns <= _LONGEST_ROW or (size % LANES == 0 and size <= _LONGEST_ROW)
    return Shape(rows, columns, size) if is_short else None


def _task(scheme: AffineScheme, shape: Shape, form: PairFormat, choices: Choices) -> kernel.AffineTask:
    is_plain = choices.scale is ScaleRule.ABSMAX
    held = NO_PAIRS if is_plain else pair_table(scheme.pairs.bits, shape.size)
    return kernel.AffineTask(
        np.int64(kernel.ABSMAX if is_plain else kernel.SEARCH),
        np.int64(shape.columns),
        np.int64(shape.size),
        np.int64(scheme.packing.row_bits(shape.columns) // 8),
        np.int64(scheme.pairs.bits),
        form,
        held.table,
        np.int64(_masks().ctypes.data),
        np.int64(_STARTS),
        np.int64(_ROUNDS),
    )


@lru_cache(maxsize=1)
def _masks() -> Any:
    return np.concatenate([np.ones(LANES, np.float32), np.zeros(LANES, np.float32)])


def _in_threads(shape: Shape, task: kernel.AffineTask, memory: Any, threads: int | None) -> list[tuple[int, int]]:
    """The pass over rows, or over stretches of whole tiles of a single row."""
    values, scales, offsets, packed = memory
    shares = _shares(len(values), threads)
    unit = shape.size * max(1, kernel.TILE // shape.size)
    if shape.rows > 1 or unit % LANES or unit * int(task.bits) % 8:

        def rows(part: slice) -> Any:
            return kernel.quantize_affine(values, part.start, part.stop, task, scales, offsets, packed)

        return _mapped(rows, _cuts(shape.rows, 1, shares))

    def stretch(part: slice) -> Any:
        bits, first = int(task.bits), part.start // shape.size
        there = packed[part.start * bits // 8 : part.stop * bits // 8 if part.stop < shape.columns else None]
        inner = task._replace(columns=np.int64(part.stop - part.start), row_bytes=np.int64(len(there)))
        return kernel.quantize_affine(values[part], 0, 1, inner, scales[first:], offsets[first:], there)

    return _mapped(stretch, _cuts(shape.columns, unit, shares))


def _mapped(work: Callable[[slice], tuple[int, int]], parts: list[slice]) -> list[tuple[int, int]]:
    """The work done on each part, in threads: kernels let go of Python's lock."""
    if len(parts) == 1:
        return [work(parts[0])]
    with ThreadPoolExecutor(len(parts)) as pool:
        return list(pool.map(work, parts))


def _into(out: QuantizedTensor | None, found: QuantizedTensor) -> QuantizedTensor:
    """The result in memory that was lent; codes are there already."""
    if out is None or out.scales is None or out.zero_points is None:
        return found
    assert found.scales is not None
    assert found.zero_points is not None
    out.scales.copy_(found.scales)
    out.zero_points.copy_(found.zero_points)
    return replace(found, scales=out.scales, zero_points=out.zero_points)

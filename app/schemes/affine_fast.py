"""Affine integers at the speed of memory: what a compiled pass has to know about them, and its result put together."""

from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from app.schemes.affine import AffineScheme
from app.schemes.affine_pairs import MinimumPairs, ZeroPointPairs
from app.schemes.affine_search import find_pairs
from app.schemes.fast_stretches import mapped, shares, stretches
from app.schemes.fast_tasks import LARGEST_WORD, Shape
from app.schemes.kernels import affine as kernel
from app.schemes.kernels.affine_lanes import LONGEST
from app.schemes.kernels.affine_rounding import MINIMUM, ZERO_POINT, PairFormat
from app.schemes.kernels.affine_tables import NO_PAIRS, pair_table
from app.schemes.kernels.sizes import size_format
from app.schemes.kernels.sources import mark
from app.schemes.kernels.vectors import LANES
from app.schemes.partitions import Granularity
from app.schemes.scheme import Choices, QuantizedTensor, ScaleRule, check_values
from app.schemes.tensor_scales import is_counted, numbers_of, tensor_pair

_LONGEST_ROW = 1 << 20
"""Of blocks that are whole rows or do not fill vectors: their codes lie in a buffer."""
_FEW_BITS = 4
_THOROUGH = 3, 2, 1
"""How many starts, rounds of least squares from each, and that it goes on from all of them."""
_QUICK = 3, 2, 0
"""With few levels the most promising start is hardly ever wrong ..."""
_ROUNDED = 6, 3, 0
"""... and where zero points are whole, more starts find more than more rounds."""


def quantize_affine(
    scheme: AffineScheme, values: Tensor, choices: Choices, out: QuantizedTensor | None
) -> QuantizedTensor | None:
    """The matrix as the layout stores it; None where no kernel does it."""
    form, rows, columns = _form(scheme), values.shape[0], values.shape[1]
    shape = _shape(scheme, rows, columns)
    if form is None or shape is None or choices.scale is ScaleRule.PERCENTILE:
        return None
    given = None
    if scheme.partition.granularity is Granularity.TENSOR:
        given = _tensor_pair(scheme, values, choices)
        if given is None:
            return None
    task = _task(scheme, shape, form, choices if given is None else replace(choices, scale=ScaleRule.ABSMAX))
    scales, offsets = np.empty(shape.rows * shape.blocks, np.float32), np.empty(shape.rows * shape.blocks, np.float32)
    size = rows * scheme.packing.row_bits(columns) // 8
    packed = np.empty(size, np.uint8) if out is None else out.codes.view(-1).numpy()
    assert packed.size == size, "memory of another shape"
    memory = values.view(-1).numpy(), scales, offsets, packed
    if given is not None:
        scales[:], offsets[:] = given
        task = task._replace(rule=np.int64(kernel.GIVEN))
    worst, has_open = _in_threads(shape, task, memory, choices.threads)
    if worst > LARGEST_WORD:
        check_values(values, choices)
    pair = torch.from_numpy(scales), torch.from_numpy(offsets)
    if given is not None:
        pair = pair[0][:1], pair[1][:1]
    if has_open:
        is_open = pair[0] == 0
        blocks = scheme.partition.blocks(values)[is_open]
        pair[0][is_open], pair[1][is_open] = find_pairs(blocks, scheme.pairs, choices)
        _in_threads(shape, task._replace(rule=np.int64(kernel.GIVEN)), memory, choices.threads)
    return _into(out, scheme.assembled(torch.from_numpy(packed).view(rows, -1), pair, (rows, columns)))


def _tensor_pair(scheme: AffineScheme, values: Tensor, choices: Choices) -> tuple[float, float] | None:
    """The only pair, where it is given or can be found by counting."""
    if scheme.tensor_pair is not None:
        check_values(values, choices)
        return scheme.tensor_pair
    is_found = is_counted(scheme, values.numel(), choices)
    return tensor_pair(scheme, numbers_of(values, choices), choices) if is_found else None


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
        case Granularity.TENSOR:
            size = min(kernel.TILE, columns)
        case _:
            return None
    is_full = columns % size == 0 and size < columns
    if is_full and scheme.packing.row_bits(columns) == columns * scheme.pairs.bits:
        return Shape(1, rows * columns, size)
    is_short = columns <= _LONGEST_ROW or (size % LANES == 0 and size <= _LONGEST_ROW)
    return Shape(rows, columns, size) if is_short else None


def _task(scheme: AffineScheme, shape: Shape, form: PairFormat, choices: Choices) -> kernel.AffineTask:
    is_plain = choices.scale is ScaleRule.ABSMAX
    has_minimum = form.kind == MINIMUM
    held = NO_PAIRS if is_plain else pair_table(scheme.pairs.bits, shape.size, has_minimum=has_minimum)
    return kernel.AffineTask(
        np.int64(kernel.ABSMAX if is_plain else kernel.SEARCH),
        np.int64(shape.columns),
        np.int64(shape.size),
        np.int64(scheme.packing.row_bits(shape.columns) // 8),
        np.int64(scheme.pairs.bits),
        form,
        held.table,
        np.int64(_masks().ctypes.data),
        *(np.int64(each) for each in _effort(scheme, shape)),
    )


def _effort(scheme: AffineScheme, shape: Shape) -> tuple[int, int, int]:
    if shape.size % LANES or shape.size > LONGEST or scheme.pairs.bits > _FEW_BITS:
        return _THOROUGH
    if isinstance(scheme.pairs, ZeroPointPairs):
        return _ROUNDED
    return _QUICK


@lru_cache(maxsize=1)
def _masks() -> Any:
    return np.concatenate([np.ones(LANES, np.float32), np.zeros(LANES, np.float32)])


def _in_threads(shape: Shape, task: kernel.AffineTask, memory: Any, threads: int | None) -> tuple[int, bool]:
    """The pass over rows, or over stretches of tiles of a single row: the largest word, and whether a block is open."""
    values, scales, offsets, packed = memory
    parts = shares(len(values), threads)
    unit = shape.size * max(1, kernel.TILE // shape.size)

    def rows(first: int, end: int) -> int:
        return int(kernel.quantize_affine(values, first, end, task, scales, offsets, packed, mark()))

    def stretch(first: int, end: int) -> int:
        bits, block = int(task.bits), first // shape.size
        there = packed[first * bits // 8 : end * bits // 8 if end < shape.columns else None]
        inner = task._replace(columns=np.int64(end - first), row_bytes=np.int64(len(there)))
        return int(
            kernel.quantize_affine(values[first:end], 0, 1, inner, scales[block:], offsets[block:], there, mark())
        )

    if shape.rows > 1 or unit % LANES or unit * int(task.bits) % 8:
        found = mapped(rows, stretches(shape.rows, 1, parts))
    else:
        found = mapped(stretch, stretches(shape.columns, unit, parts))
    return max(each & kernel.WORD for each in found), any(each > kernel.WORD for each in found)


def _into(out: QuantizedTensor | None, found: QuantizedTensor) -> QuantizedTensor:
    """The result in memory that was lent; codes are there already."""
    if out is None or out.scales is None or out.zero_points is None:
        return found
    assert found.scales is not None
    assert found.zero_points is not None
    out.scales.copy_(found.scales)
    out.zero_points.copy_(found.zero_points)
    return replace(found, scales=out.scales, zero_points=out.zero_points)

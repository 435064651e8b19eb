"""Schemes of one grid through their compiled pass: the shape of the work, and its result put together."""

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from app.schemes.codebooks import CodebookScheme
from app.schemes.fast_tasks import LARGEST_WORD, CodeForm, Shape, grid_task, largest_word, run_task
from app.schemes.few_values import marked_blocks
from app.schemes.grid_scheme import GridScheme
from app.schemes.kernels.grid_pass import GIVEN, TILE
from app.schemes.kernels.vectors import LANES
from app.schemes.partitions import Granularity, Partition
from app.schemes.scale_formats import ScaleFormat
from app.schemes.scheme import Choices, QuantizedTensor, ScaleRule, check_values
from app.schemes.tensor_scales import is_counted, numbers_of, tensor_scale

_LONGEST_ROW = 1 << 20
"""Of blocks that are whole rows: the codes of one lie in a buffer."""


def quantize_grid(
    scheme: GridScheme, values: Tensor, choices: Choices, out: QuantizedTensor | None
) -> QuantizedTensor | None:
    """The matrix as the layout stores it; None where no kernel does it."""
    if isinstance(scheme, CodebookScheme) and scheme.is_nested:
        plain = quantize_grid(replace(scheme, is_nested=False), values, choices, None)
        if plain is None or plain.scales is None:
            return None
        return scheme.nested(values, plain.scales.view(-1), choices)
    shape = _shape(scheme, (values.shape[0], values.shape[1]))
    if shape is None or choices.scale is ScaleRule.PERCENTILE or not scheme.has_plain_scales:
        return None
    is_whole = scheme.partition.granularity is Granularity.TENSOR
    if is_whole:
        given = _tensor_scale(scheme, values, choices)
        if given is None:
            return None
    scale_format = _fitted(scheme, values, choices)
    row_bytes = scheme.packing.row_bits(shape.columns) // 8
    form = CodeForm(row_bytes, scheme.code_offset, scheme.packing.nibbles == "high_first")
    held = grid_task(scheme.grid, form, shape, scale_format, choices)
    if held is None:
        return None
    rows, columns = values.shape
    size = row_bytes * shape.rows
    packed = np.empty(size, np.uint8) if out is None else out.codes.view(-1).view(torch.uint8).numpy()
    assert packed.size == size, "memory of another shape"
    scales = _scale_memory(shape.rows * shape.blocks, scale_format, None if is_whole else out)
    task = held.task
    if is_whole:
        scales[:], task = given, task._replace(rule=np.int64(GIVEN))
    if run_task(shape, task, values.view(-1).numpy(), scales, packed, choices.threads) > LARGEST_WORD:
        check_values(values, choices)
    _search_few(scheme, values, choices, scale_format, (torch.from_numpy(packed), torch.from_numpy(scales)))
    if is_whole:
        scales = scales[:1]
    is_flat = scheme.partition.granularity is Granularity.FLAT
    codes = torch.from_numpy(packed).view((-1, 1) if is_flat else (rows, -1))
    return _into(out, scheme.assembled(codes, torch.from_numpy(scales), scale_format, (rows, columns)))


def _search_few(
    scheme: GridScheme, values: Tensor, choices: Choices, scale_format: ScaleFormat, into: tuple[Tensor, Tensor]
) -> None:
    """Writes codes and scales of the blocks of few different numbers anew, where blocks are whole bytes."""
    if choices.scale is not ScaleRule.MSE or scheme.partition.granularity is Granularity.TENSOR:
        return
    (packed, scales), blocks = into, scheme.partition.scale_shape((values.shape[0], values.shape[1]))
    count = blocks[0] * blocks[1]
    size = values.numel() // count
    is_even = size * count == values.numel() and packed.numel() % count == 0 and scales.numel() == count
    inner = replace(scheme, partition=Partition(Granularity.CHANNEL))
    if not is_even or inner.packing.row_bits(size) != packed.numel() // count * 8:
        return
    marked = marked_blocks(values, size, scale_format, max(scheme.grid.largest, -scheme.grid.smallest))
    if marked is not None:
        few = values.view(-1, size)[marked].contiguous()
        better = GridScheme.find_scales(inner, few, choices, scale_format)
        scales[marked] = better
        packed.view(count, -1)[marked] = (
            inner.with_scales(few, better, scale_format).codes.view(torch.uint8).view(len(few), -1)
        )


def _tensor_scale(scheme: GridScheme, values: Tensor, choices: Choices) -> float | None:
    """The only scale, where it is given or can be found by counting."""
    if scheme.tensor_scale is not None:
        check_values(values, choices)
        return scheme.tensor_scale
    is_found = is_counted(scheme, values.numel(), choices)
    return tensor_scale(scheme, numbers_of(values, choices), choices) if is_found else None


def _shape(scheme: GridScheme, shape: tuple[int, int]) -> Shape | None:
    rows, columns = shape
    match scheme.partition.granularity:
        case Granularity.TENSOR:
            is_full = scheme.packing.row_bits(columns) == columns * scheme.grid.bits
            found = Shape(1, rows * columns, TILE) if is_full else Shape(rows, columns, min(TILE, columns))
        case Granularity.CHANNEL:
            found = Shape(rows, columns, columns)
        case Granularity.GROUP:
            size = min(scheme.partition.columns, columns)
            is_full = columns % size == 0 and scheme.packing.row_bits(columns) == columns * scheme.grid.bits
            found = Shape(1, rows * columns, size) if is_full else Shape(rows, columns, size)
        case Granularity.FLAT:
            found = Shape(1, rows * columns, min(scheme.partition.columns, rows * columns))
        case _:
            return None
    if found.size % LANES and found.columns > _LONGEST_ROW:
        return None
    return found if found.size <= _LONGEST_ROW else None


def _fitted(scheme: GridScheme, values: Tensor, choices: Choices) -> ScaleFormat:
    """The format of scales, which may take the largest magnitude of all from one number that has it."""
    if type(scheme).fitted_format is GridScheme.fitted_format:
        return scheme.fitted_format(values)
    word = largest_word(values.view(-1).numpy(), choices.threads)
    if word > LARGEST_WORD:
        check_values(values, choices)
    largest = torch.tensor([[word]], dtype=torch.int32).view(torch.float32)
    return scheme.fitted_format(largest)


def _scale_memory(blocks: int, scale_format: ScaleFormat, out: QuantizedTensor | None) -> Any:
    if out is not None and out.scales is not None and scale_format.name == "float32":
        return out.scales.view(-1).numpy()
    return np.empty(blocks, np.float32)


def _into(out: QuantizedTensor | None, found: QuantizedTensor) -> QuantizedTensor:
    """The result in memory that was lent: codes are there already, and scales where they are float32."""
    if out is None or out.scales is None or found.scales is None:
        return found
    if out.scales.data_ptr() != found.scales.data_ptr():
        out.scales.copy_(found.scales)
    return replace(found, scales=out.scales)

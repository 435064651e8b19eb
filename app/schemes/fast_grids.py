"""What a compiled pass has to know about a scheme of one grid, its stretches for threads, and its result put together."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import pairwise
from math import floor, log2
from typing import Any

import numpy as np
import torch
from torch import Tensor

from app.schemes.grid_scheme import GridScheme
from app.schemes.grids import Grid
from app.schemes.kernels import grid_pass
from app.schemes.kernels.error_tables import NO_TABLE, HeldTable, octave_table, scan_table
from app.schemes.kernels.candidates import candidate_ranges, ladder_of
from app.schemes.kernels.levels import grid_table
from app.schemes.kernels.sizes import size_format
from app.schemes.kernels.vectors import LANES
from app.schemes.partitions import Granularity
from app.schemes.scale_formats import ScaleFormat
from app.schemes.scheme import Choices, QuantizedTensor, ScaleRule, check_values

_SMALLEST_SHARE = 1 << 16
"""Elements below which a thread is not worth starting."""
_LONGEST_ROW = 1 << 20
"""Of blocks that are whole rows: the codes of one lie in a buffer."""
_LARGEST_FLOAT = 0x7F7FFFFF


@dataclass(frozen=True, slots=True)
class Shape:
    """The matrix as the pass goes through it: rows, each of blocks of one size but the last."""

    rows: int
    columns: int
    size: int

    @property
    def blocks(self) -> int:
        """Of a row."""
        return -(-self.columns // self.size)


def quantize_grid(
    scheme: GridScheme, values: Tensor, choices: Choices, out: QuantizedTensor | None
) -> QuantizedTensor | None:
    """The matrix as the layout stores it; None where no kernel does it."""
    shape = _shape(scheme, (values.shape[0], values.shape[1]))
    if shape is None or choices.scale is ScaleRule.PERCENTILE or not _has_plain_scales(scheme):
        return None
    scale_format = _fitted(scheme, values, choices)
    task = _task(scheme, shape, scale_format, choices)
    if task is None:
        return None
    rows, columns = values.shape
    size = scheme.packing.row_bits(rows * columns) // 8 if _is_flat(scheme) else rows * scheme.packing.row_bits(columns) // 8
    packed = np.empty(size, np.uint8) if out is None else out.codes.view(-1).numpy().view(np.uint8)
    assert packed.size == size, "memory of another shape"
    scales = _scale_memory(shape.rows * shape.blocks, scale_format, out)
    worst = _in_threads(shape, task, values.view(-1).numpy(), scales, packed, choices.threads)
    if worst > _LARGEST_FLOAT:
        check_values(values, choices)
    codes = torch.from_numpy(packed).view(-1, 1) if _is_flat(scheme) else torch.from_numpy(packed).view(rows, -1)
    return _into(out, scheme.assembled(codes, torch.from_numpy(scales), scale_format, (rows, columns)))


def _has_plain_scales(scheme: GridScheme) -> bool:
    return getattr(scheme, "rule", None) in {None, "mse"} and not getattr(scheme, "is_nested", False)


def _is_flat(scheme: GridScheme) -> bool:
    return scheme.partition.granularity is Granularity.FLAT


def _shape(scheme: GridScheme, shape: tuple[int, int]) -> Shape | None:
    rows, columns = shape
    match scheme.partition.granularity:
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
    flat = values.view(-1).numpy()
    parts = _cuts(len(flat), LANES, _shares(len(flat), choices.threads))
    words = _mapped(lambda part: grid_pass.reach_of(flat, *_ends(part)), parts)
    if max(words) > _LARGEST_FLOAT:
        check_values(values, choices)
    largest = torch.tensor([[max(words)]], dtype=torch.int32).view(torch.float32)
    return scheme.fitted_format(largest)


def _task(scheme: GridScheme, shape: Shape, scale_format: ScaleFormat, choices: Choices) -> Any:
    held = grid_table(scheme.grid, scheme.code_offset)
    if held is None:
        return None
    has_signs = choices.signed_scales and scale_format.has_signs and not scheme.grid.is_symmetric
    rule = _rule(scheme.grid, scale_format, choices)
    ladder, octave = ladder_of(scheme.grid, shape.size, has_signs=has_signs), 2.0 ** floor(log2(scheme.grid.largest))
    return grid_pass.Task(
        np.int64(rule),
        np.int64(shape.columns),
        np.int64(shape.size),
        np.int64(scheme.packing.row_bits(shape.columns) // 8),
        np.int64(scheme.grid.bits),
        np.int64(scheme.packing.nibbles == "high_first"),
        np.float32(scheme.grid.end),
        held.table,
        size_format(scale_format),
        _scan(scheme.grid, scale_format, shape.size, has_signs=has_signs).table if rule == grid_pass.SCAN else NO_TABLE.table,
        np.int64(ladder.ctypes.data),
        np.int64(len(ladder)),
        np.abs(ladder).min(),
        np.float32(octave),
        np.float32((3 * scheme.grid.levels[-1] - scheme.grid.levels[-2]) / 2),
    )


def _scan(grid: Grid, scale_format: ScaleFormat, size: int, *, has_signs: bool) -> HeldTable:
    if scale_format.name == "float8_e4m3fn":
        return octave_table(grid, size)
    return scan_table(grid, candidate_ranges(grid, size, has_signs=has_signs), size)


def _rule(grid: Grid, scale_format: ScaleFormat, choices: Choices) -> int:
    if choices.scale is ScaleRule.ABSMAX:
        return grid_pass.ABSMAX
    if scale_format.name == "float8_e8m0fnu" and not grid.is_uniform:
        return grid_pass.POWER
    return grid_pass.SCAN if len(grid.levels) <= LANES else grid_pass.DIRECT


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


def _in_threads(shape: Shape, task: Any, values: Any, scales: Any, packed: Any, threads: int | None) -> int:
    """The pass over rows, or over stretches of whole tiles of a single row."""
    shares = _shares(len(values), threads)
    unit = shape.size * max(1, grid_pass.TILE // shape.size)
    if shape.rows > 1 or unit % LANES or unit * int(task.bits) % 8:
        rows = _cuts(shape.rows, 1, shares)
        return max(_mapped(lambda part: grid_pass.quantize_rows(values, *_ends(part), task, scales, packed), rows))

    def stretch(part: slice) -> int:
        bits, first = int(task.bits), part.start // shape.size
        there = packed[part.start * bits // 8 : part.stop * bits // 8 if part.stop < shape.columns else None]
        inner = task._replace(columns=np.int64(part.stop - part.start), row_bytes=np.int64(len(there)))
        return int(grid_pass.quantize_rows(values[part], 0, 1, inner, scales[first:], there))

    return max(_mapped(stretch, _cuts(shape.columns, unit, shares)))


def _ends(part: slice) -> tuple[int, int]:
    return part.start, part.stop


def _shares(elements: int, threads: int | None) -> int:
    wanted = torch.get_num_threads() if threads is None else threads
    return max(1, min(wanted, elements // _SMALLEST_SHARE))


def _cuts(count: int, unit: int, shares: int) -> list[slice]:
    """Stretches of about equal length, each but the last a multiple of the unit."""
    units = -(-count // unit)
    ends = sorted({min(count, units * share // shares * unit) for share in range(shares + 1)})
    return [slice(start, end) for start, end in pairwise(ends)]


def _mapped(work: Callable[[slice], int], parts: list[slice]) -> list[int]:
    """The work done on each part, in threads: kernels let go of Python's lock."""
    if len(parts) == 1:
        return [int(work(parts[0]))]
    with ThreadPoolExecutor(len(parts)) as pool:
        return [int(found) for found in pool.map(work, parts)]

"""What a compiled pass has to know: the rule for scales, tables and candidates, and the shape of the work."""

from dataclasses import dataclass
from math import floor, log2
from typing import Any

import numpy as np

from app.schemes.fast_stretches import mapped, shares, stretches
from app.schemes.grids import Grid
from app.schemes.kernels import grid_pass
from app.schemes.kernels.block_layouts import NO_BLOCKS, BlockForm
from app.schemes.kernels.candidates import NO_PHASES, candidate_ranges, float_range, ladder_of, phases_of
from app.schemes.kernels.error_tables import NO_TABLE, HeldTable, log_table, octave_table, scan_table
from app.schemes.kernels.levels import grid_table
from app.schemes.kernels.sizes import size_format
from app.schemes.kernels.sources import mark
from app.schemes.kernels.vectors import LANES
from app.schemes.scale_formats import ScaleFormat
from app.schemes.scheme import Choices, ScaleRule


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


LARGEST_WORD = 0x7F7FFFFF
"""Of the largest finite float32; infinities and NaN have larger ones."""


@dataclass(frozen=True, slots=True)
class HeldTask:
    """What kernels are given, and the memory of its tables."""

    task: Any
    memory: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class CodeForm:
    """How codes lie in bytes: rows of packed codes, or blocks with their scales."""

    row_bytes: int
    offset: int = 0
    """Added to each code."""
    is_high_first: bool = False
    blocks: BlockForm = NO_BLOCKS
    owner_end: float | None = None
    """Where absmax puts the number of largest magnitude: a level below zero keeps its sign, one above loses it, and 0
    stands for powers of two; None for the magnitude to the grid's end."""
    zero_scale: float = 1.0
    """Of a block of zeros; 0 is stored, and 1 used."""


def grid_task(grid: Grid, form: CodeForm, shape: Shape, scale_format: ScaleFormat, choices: Choices) -> HeldTask | None:
    """The task for kernels; None for a grid that they do not know."""
    held = grid_table(grid, form.offset)
    if held is None:
        return None
    has_signs = choices.signed_scales and scale_format.has_signs and not grid.is_symmetric
    rule = _rule(grid, scale_format, shape.size, choices, form.owner_end)
    ladder, octave = ladder_of(grid, shape.size, has_signs=has_signs), 2.0 ** floor(log2(grid.largest))
    phases = (
        phases_of(grid, shape.size, has_signs=has_signs)
        if rule == grid_pass.DIRECT and scale_format.are_dense
        else NO_PHASES
    )
    scan = (
        _scan(grid, scale_format, shape.size, form.owner_end, has_signs=has_signs)
        if rule == grid_pass.SCAN
        else NO_TABLE
    )
    task = grid_pass.Task(
        np.int64(rule),
        np.int64(shape.columns),
        np.int64(shape.size),
        np.int64(form.row_bytes),
        np.int64(grid.bits),
        np.int64(form.is_high_first),
        np.float32(grid.end),
        held.table,
        size_format(scale_format),
        scan.table,
        np.int64(ladder.ctypes.data),
        np.int64(len(ladder)),
        np.abs(ladder).min(),
        phases.table,
        np.float32(octave),
        np.float32((3 * grid.levels[-1] - grid.levels[-2]) / 2),
        np.float32(form.owner_end or 0),
        np.float32(form.zero_scale),
        form.blocks,
    )
    return HeldTask(task, (held, scan, ladder, phases))


def _scan(grid: Grid, scale_format: ScaleFormat, size: int, owner_end: float | None, *, has_signs: bool) -> HeldTable:
    wide = float_range(grid, size)
    if wide is not None:
        return log_table(grid, *wide, size)
    if scale_format.name == "float8_e4m3fn":
        return octave_table(grid, size)
    own_end = owner_end if has_signs and owner_end is not None and owner_end < 0 else grid.end
    return scan_table(grid, candidate_ranges(grid, size, has_signs=has_signs), size, own_end)


def _rule(grid: Grid, scale_format: ScaleFormat, size: int, choices: Choices, owner_end: float | None) -> int:
    if choices.scale is ScaleRule.ABSMAX:
        return grid_pass.ABSMAX if owner_end is None else grid_pass.OWNER
    if scale_format.name == "float8_e8m0fnu" and not grid.is_uniform:
        return grid_pass.POWER
    is_table = len(grid.levels) <= LANES or (scale_format.are_dense and float_range(grid, size))
    return grid_pass.SCAN if is_table else grid_pass.DIRECT


def run_task(shape: Shape, task: Any, values: Any, scales: Any, packed: Any, threads: int | None) -> int:
    """The pass over rows, or over stretches of whole tiles of a single row; gives the largest word of a magnitude."""
    parts = shares(len(values), threads)
    unit = shape.size * max(1, grid_pass.TILE // shape.size)
    if shape.rows > 1 or unit % LANES or unit * int(task.bits) % 8:
        rows = stretches(shape.rows, 1, parts)
        return max(
            mapped(lambda first, end: grid_pass.quantize_rows(values, first, end, task, scales, packed, mark()), rows)
        )

    def place(element: int) -> int:
        blocks = task.blocks
        return element // int(blocks.elements) * int(blocks.bytes) if blocks.kind else element * int(task.bits) // 8

    def stretch(start: int, end: int) -> int:
        there = packed[place(start) : place(end) if end < shape.columns else None]
        inner = task._replace(columns=np.int64(end - start), row_bytes=np.int64(len(there)))
        return int(
            grid_pass.quantize_rows(values[start:end], 0, 1, inner, scales[start // shape.size :], there, mark())
        )

    return max(mapped(stretch, stretches(shape.columns, unit, parts)))


def largest_word(values: Any, threads: int | None) -> int:
    """The largest word of a magnitude of all."""
    parts = stretches(len(values), LANES, shares(len(values), threads))
    return max(mapped(lambda start, end: grid_pass.reach_of(values, start, end, mark()), parts))

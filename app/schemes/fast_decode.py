"""Stored matrices back to float32 through compiled passes, or to the sums of their errors without a second matrix."""

from collections.abc import Callable
from dataclasses import dataclass
from math import lcm, prod
from typing import Any

import numpy as np
import torch
from torch import Tensor

from app.metrics.blocks import BLOCK_ELEMENTS
from app.metrics.error_sums import PairSums
from app.metrics.fast import SumRoom
from app.schemes.affine import AffineScheme
from app.schemes.affine_pairs import MinimumPairs
from app.schemes.codebooks import CodebookScheme
from app.schemes.fast_levels import HeldLevels, counted_levels, grid_levels
from app.schemes.fast_stretches import mapped, shares, stretches
from app.schemes.grid_scheme import GridScheme
from app.schemes.kernels.decode import MINIMUM, NONE, TILE, ZERO_POINT, DecodeTask, decode_rows
from app.schemes.kernels.sources import mark
from app.schemes.partitions import Granularity, Partition
from app.schemes.scheme import QuantizedTensor

_NO_FLOATS, _NO_SUMS = np.empty(0, np.float32), np.empty((0, 3))


@dataclass(frozen=True, slots=True)
class Goal:
    """Where a pass puts numbers: into an output, or beside values into the sums of both; the other ones are empty."""

    out: Any
    values: Any
    rows: Any
    """Of sums, see `SumRoom`."""
    peak: Any

    def part(self, first: int, end: int, chunk: int) -> "Goal":
        """From a number, a multiple of the chunk, to before another."""
        return Goal(self.out[first:end], self.values[first:end], self.rows[first // chunk :], self.peak)


@dataclass(frozen=True, slots=True)
class Decoding:
    """A pass over a matrix, in chunks of so many numbers: a row of sums each."""

    elements: int
    chunk: int
    work: Callable[[int, int, Goal], None]
    """From a number, a multiple of the chunk, to before another one."""
    is_cut: bool = False
    """Whether the work is given its part of the goal, not all of it."""

    def into(self, out: Any, threads: int | None) -> None:
        """All numbers."""
        goal = Goal(out, _NO_FLOATS, _NO_SUMS, np.zeros(2))
        self._done(threads, lambda first, end: self._work(first, end, goal))

    def sums(self, values: Any, threads: int | None) -> PairSums | None:
        """Over values and what comes back for them; None where a number is not finite."""
        room = SumRoom(-(-self.elements // self.chunk))

        def part(first: int, end: int) -> None:
            self._work(first, end, Goal(_NO_FLOATS, values, room.rows, room.peak(first if self.is_cut else 0)))

        self._done(threads, part)
        return room.sums(self.elements) if room.are_finite else None

    def _done(self, threads: int | None, part: Callable[[int, int], None]) -> None:
        parts = stretches(self.elements, self.chunk, shares(self.elements, threads))

        def counted(first: int, end: int) -> int:
            part(first, end)
            return 0

        mapped(counted, parts)

    def _work(self, first: int, end: int, goal: Goal) -> None:
        self.work(first, end, goal.part(first, end, self.chunk) if self.is_cut else goal)


def grid_decoding(scheme: GridScheme, stored: QuantizedTensor) -> Decoding | None:
    """Levels times scales."""
    shape = (1, prod(stored.shape)) if isinstance(scheme, CodebookScheme) else stored.shape
    form = _form(scheme.partition, shape, scheme.packing.row_bits(shape[1]) // 8, scheme.grid.bits)
    if form is None:
        return None
    held = grid_levels(scheme.grid, scheme.code_offset)
    task = form._replace(high_first=np.int64(scheme.packing.nibbles == "high_first"), levels=held.table)
    return _decoding(stored, shape, task, (scheme.read_scales(stored), None), held)


def affine_decoding(scheme: AffineScheme, stored: QuantizedTensor) -> Decoding | None:
    """Integers with minima or zero points."""
    bits = scheme.pairs.bits
    form = _form(scheme.partition, stored.shape, scheme.packing.row_bits(stored.shape[1]) // 8, bits)
    if form is None:
        return None
    kind, held = MINIMUM if isinstance(scheme.pairs, MinimumPairs) else ZERO_POINT, counted_levels(bits)
    task = form._replace(kind=np.int64(kind), levels=held.table)
    return _decoding(stored, stored.shape, task, scheme.read_pair(stored), held)


def _form(partition: Partition, shape: tuple[int, int], row_bytes: int, bits: int) -> DecodeTask | None:
    """The task of codes that are scaled alone; None where scales change with every number."""
    rows, columns = shape
    size, down = min(partition.columns, columns) or columns, 1
    match partition.granularity:
        case Granularity.TENSOR:
            down = rows
        case Granularity.BLOCK:
            down = min(partition.rows, rows)
        case Granularity.COLUMN:
            return None
        case Granularity.FLAT if rows > 1:
            return None
    numbers: dict[str, int] = {"columns": columns, "row_bytes": row_bytes, "bits": bits, "high_first": 0}
    numbers |= {"size": size, "down": down, "across": -(-columns // size), "kind": NONE}
    return DecodeTask(**{name: np.int64(number) for name, number in numbers.items()}, levels=counted_levels(bits).table)


def _decoding(
    stored: QuantizedTensor,
    shape: tuple[int, int],
    task: DecodeTask,
    pair: tuple[Tensor, Tensor | None],
    held: HeldLevels,
) -> Decoding:
    rows, columns = shape
    packed = stored.codes.view(-1).view(torch.uint8).numpy()
    scales, offsets = (_NO_FLOATS if each is None else each.contiguous().view(-1).numpy() for each in pair)
    size, bits = int(task.size), int(task.bits)
    chunk = max(1, BLOCK_ELEMENTS // columns) * columns
    if rows == 1:
        chunk = lcm(size, TILE) * max(1, BLOCK_ELEMENTS // lcm(size, TILE))

    def decode(goal: Goal, first: int, end: int, task: DecodeTask, *arrays: Any) -> None:
        assert held.memory is not None  # tables live as long as the work
        kernel: Any = decode_rows
        sums = goal.values, np.int64(chunk), goal.rows, goal.peak
        kernel(arrays[0], first, end, task, *arrays[1:], goal.out, *sums, mark())

    def whole_rows(first: int, end: int, goal: Goal) -> None:
        decode(goal, first // columns, end // columns, task, packed, scales, offsets)

    def stretch(first: int, end: int, goal: Goal) -> None:
        inner, block = task._replace(columns=np.int64(end - first)), first // size
        decode(goal, 0, 1, inner, packed[first * bits // 8 :], scales[block:], offsets[block:])

    return Decoding(rows * columns, chunk, stretch if rows == 1 else whole_rows, is_cut=rows == 1)

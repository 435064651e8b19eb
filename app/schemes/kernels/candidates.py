"""Where the best scales lie, by grid and length of block: measured on Gaussian numbers and Student's t of 5 degrees."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from app.schemes.grids import Grid
from app.schemes.kernels.phases import PhaseTable

_LENGTHS = (16, 32, 64, 128, 256, 1024)
"""Ranges hold up to these lengths, and a last one beyond."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """Where scales put the reach, in units of the grid's end, in even steps of the logarithm."""

    first: float
    last: float
    count: int


_FOUR_BITS = ((0.74, 1.2), (0.75, 1.26), (0.84, 1.34), (0.92, 1.46), (0.96, 1.8), (1, 2.8), (1, 4.5))
_THREE_BITS = ((0.74, 1.5), (0.8, 1.65), (0.88, 1.9), (0.96, 2.3), (1, 3), (1, 5), (1, 6))
_TWO_BITS = ((0.64, 2.4), (0.64, 2.9), (0.64, 3.7), (0.9, 4.7), (1, 5.2), (1, 6), (1, 8))
_FLOATS = ((0.58, 1.2), (0.58, 1.22), (0.6, 1.28), (0.65, 1.34), (0.75, 1.5), (0.92, 2), (0.92, 4))
_NORMAL_FLOATS = ((0.58, 1.15), (0.58, 1.19), (0.63, 1.23), (0.7, 1.27), (0.84, 1.5), (0.95, 2), (0.95, 4))
_WIDE_FLOATS = ((0.6, 1.2), (0.62, 1.26), (0.66, 1.34), (0.85, 1.46), (0.95, 1.8), (1, 3.2), (1, 5))
_INTERPOLATED = ((0.68, 1.12), (0.68, 1.16), (0.78, 1.2), (0.8, 1.26), (0.85, 1.4), (0.95, 2), (1, 4))
_BY_NAME = {"nf4": _NORMAL_FLOATS, "fp4_bnb": _WIDE_FLOATS, "iq4_nl": _INTERPOLATED, "float4_e2m1fn": _FLOATS}
_BY_BITS = {4: _FOUR_BITS, 3: _THREE_BITS, 2: _TWO_BITS}
_LADDERS: dict[str, tuple[tuple[float, float, int], ...]] = {
    "int5": ((0.8, 1.1, 48), (0.88, 1.16, 32), (1.0, 1.45, 32), (1.0, 2.2, 32)),
    "int6": ((0.8, 1.045, 48), (0.88, 1.07, 48), (0.99, 1.16, 32), (1.0, 1.35, 32)),
    "int7": ((0.8, 1.024, 64), (0.9, 1.03, 48), (0.97, 1.056, 32), (0.99, 1.12, 32)),
    "int8": ((0.84, 1.014, 144), (0.9, 1.016, 80), (0.97, 1.026, 32), (0.994, 1.046, 16)),
    "float8_e4m3fn": ((0.5, 1.02, 144), (0.5, 1.02, 112), (0.5, 1.01, 96), (0.5, 1.01, 80)),
    "float8_e5m2": ((0.5, 1.02, 96), (0.5, 1.02, 80), (0.5, 1.01, 64), (0.5, 1.01, 64)),
    "float6_e2m3fn": ((0.5, 1.03, 144), (0.6, 1.04, 96), (0.82, 1.07, 48), (0.9, 1.3, 48)),
    "float6_e3m2fn": ((0.5, 1.06, 80), (0.5, 1.06, 64), (0.5, 1.06, 64), (0.5, 1.06, 64)),
}
"""Rungs for blocks of up to 64, 256 and 1024 numbers, and beyond: first, last, and how many."""
_LADDER_LENGTHS = (64, 256, 1024)
_ANY = (0.55, 5.0, 192)
"""For blocks that a table does not settle."""
_POSITIVE = 11
"""Lanes for scales of the extreme's own sign where both are tried: whole numbers reach one further below zero."""


def candidate_ranges(grid: Grid, size: int, *, has_signs: bool) -> tuple[Candidates, ...]:
    """The ranges for blocks of a size: one, or a positive and a negative one."""
    ranges = _BY_NAME.get(grid.name) or _BY_BITS.get(grid.bits, _FOUR_BITS)
    first, last = ranges[sum(size > length for length in _LENGTHS)]
    if not has_signs:
        return (Candidates(first, last, 32),)
    positive = _POSITIVE if grid.is_uniform else 16
    shorter = last / 1.2 if grid.is_uniform and size <= 128 and grid.bits > 3 else last
    return Candidates(first, shorter, positive), Candidates(first, last, 32 - positive)


@dataclass(frozen=True, slots=True)
class HeldPhases:
    """Candidates for kernels, and their memory."""

    table: PhaseTable
    memory: tuple[Any, ...] = ()


@lru_cache(maxsize=64)
def phases_of(grid: Grid, size: int, *, has_signs: bool) -> HeldPhases:
    """The candidates for blocks of whole numbers of many levels; none for other grids."""
    ladder = _LADDERS.get(f"int{grid.bits}") if grid.is_uniform else None
    if ladder is None:
        return NO_PHASES
    place = sum(size > length for length in _LADDER_LENGTHS)
    first, last, _ = ladder[place]
    low, high = first * grid.end, last * grid.end + (0.5 if has_signs else 0)
    one = 1 << 14 if place > 1 else 1 << 13
    vectors = -(-round((high - low) * 65536 / one) // 32)
    ends = round(low * 65536 / one), round(high * 65536 / one)
    if vectors * 32 > ends[1] - ends[0] + 1:
        ends = ends[1] - vectors * 32 + 1, ends[1]
    factors = np.arange(ends[1] - vectors * 32 + 1, ends[1] + 1)
    aligned = aligned_shorts(factors.astype(np.uint16))
    reaches = (factors * (one / 65536)).astype(np.float32)
    safe = min(1.0, (grid.largest + 0.5) / float(reaches[-1])) * (1 - 2.0**-20)
    weights = np.rint(1024 * (reaches[0] / reaches.astype(np.float64)) ** 2).astype(np.uint32)
    table = PhaseTable(
        np.int64(vectors),
        np.int64(aligned.ctypes.data),
        np.int64(reaches.ctypes.data),
        np.int64(weights.ctypes.data),
        np.float32(one),
        np.float32(safe),
        np.int64(has_signs),
    )
    return HeldPhases(table, (aligned, reaches, weights))


def aligned_shorts(numbers: Any) -> Any:
    """The same uint16 from a multiple of 64 bytes on, one after another."""
    memory = np.empty(numbers.nbytes + 64, np.uint8)
    start = -memory.ctypes.data % 64
    found = memory[start : start + numbers.nbytes].view(np.uint16)
    found[:] = numbers.reshape(-1)
    return found


_NONE = np.int64(0)
NO_PHASES = HeldPhases(PhaseTable(_NONE, _NONE, _NONE, _NONE, np.float32(0), np.float32(0), _NONE))


def float_range(grid: Grid, size: int) -> tuple[float, float, int] | None:
    """First and last, and how many times 32 candidates, for floats of many levels."""
    ladder = _LADDERS.get(grid.name) if grid.float_shape else None
    if ladder is None:
        return None
    place = sum(size > length for length in _LADDER_LENGTHS)
    first, last, _ = ladder[place]
    return first, last, 2 if place == len(_LADDER_LENGTHS) else 4


@lru_cache(maxsize=64)
def ladder_of(grid: Grid, size: int, *, has_signs: bool) -> Any:
    """float32 scales over the reach that are tried one by one, a multiple of sixteen."""
    name = f"int{grid.bits}" if grid.is_uniform else grid.name
    ladder = _LADDERS.get(name)
    first, last, count = ladder[sum(size > length for length in _LADDER_LENGTHS)] if ladder else _ANY
    factors = (1 / (np.geomspace(first, last, count) * grid.end)).astype(np.float32)
    return np.concatenate([factors, -factors]) if has_signs else factors

"""What codes stand for, as decoding kernels read it: a table, and whether it counts."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from app.schemes.grids import Grid
from app.schemes.kernels.decode import LevelTable


@dataclass(frozen=True, slots=True)
class HeldLevels:
    """A table for kernels, and its memory."""

    table: LevelTable
    memory: Any


@lru_cache(maxsize=128)
def grid_levels(grid: Grid, code_offset: int = 0, unused: tuple[tuple[int, float], ...] = ()) -> HeldLevels:
    """Of the grid's codes plus an offset, and of unused ones; 0 for every other."""
    levels = np.zeros(1 << grid.bits, np.float32)
    codes = (np.array(grid.codes) + code_offset) & ((1 << grid.bits) - 1)
    levels[codes] = grid.levels
    for code, level in unused:
        levels[code] = level
    return _held(levels, grid.bits)


@lru_cache(maxsize=8)
def counted_levels(bits: int) -> HeldLevels:
    """Codes that are their own levels."""
    return _held(np.arange(1 << bits, dtype=np.float32), bits)


def _held(levels: Any, bits: int) -> HeldLevels:
    codes, half = np.arange(len(levels)), len(levels) >> 1
    flip = next((each for each in (0, half) if (levels == (codes ^ each) + levels[each]).all()), None)
    memory = np.zeros(max(16, len(levels)), np.float32)
    memory[: len(levels)] = levels
    table = LevelTable(
        np.int64(memory.ctypes.data),
        np.int64(bits),
        np.int64(flip is not None),
        np.uint32(flip or 0),
        np.float32(levels[flip or 0]),
    )
    return HeldLevels(table, memory)

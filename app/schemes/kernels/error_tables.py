"""Tables of errors: for each of 511 places of value / reach, what rounding costs at thirty-two scales at once."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import torch

from app.schemes.grids import Grid
from app.schemes.kernels.candidates import Candidates, aligned_shorts

CANDIDATES = 32
HALF = 255
"""Places on each side of zero; -1, 0 and 1 are exact."""
_WITHIN = 9
"""Points at which the error of one place is taken, and averaged."""
_TRUSTED = 24
"""A mean error of less than so many times that of places themselves is not told from none."""
LOG_OCTAVES, LOG_PLACES, LOG_DROP = 8, 256, 15
"""Of a table for floats: its octaves below the reach, places in each, and the bits of a float32 that do not count."""
_FINER = 8
"""Times as fine as if all errors were the largest: for floats most are far smaller."""
_LEAST_SUM = 2
"""Of one element on average: what is less tells nothing."""
STRETCH = 256
"""Elements whose errors are summed in 16 bits before they are added to sums of 32."""


class ScanTable(NamedTuple):
    """What a scan reads, by addresses."""

    rows: np.int64
    """uint16, 32 for each place, aligned to 64 bytes."""
    factors: np.int64
    """float32 `[32]`: candidate scales over the reach, ascending in magnitude, negative ones last."""
    own: np.int64
    """The lane of the scale that absmax gives."""
    positive: np.int64
    """How many are positive."""
    octaves: np.int64
    """Not 0: the lanes are all sizes of E4M3 in four octaves, and this is twice the grid's largest level."""
    trusted: np.uint32
    """Sums for one element of less than this, times 2^10, are too small to tell scales apart."""
    tables: np.int64
    """How many there are, one after another, of 32 candidates each."""
    is_log: np.int64
    """Whether places are even steps of a float's exponent and first bits, of magnitudes alone."""


@dataclass(frozen=True, slots=True)
class HeldTable:
    """A table for kernels, and its memory."""

    table: ScanTable
    memory: tuple[Any, ...] = ()


_ZERO = np.int64(0)
NO_TABLE = HeldTable(ScanTable(_ZERO, _ZERO, _ZERO, _ZERO, _ZERO, np.uint32(0), _ZERO, _ZERO))


def candidate_factors(grid: Grid, ranges: tuple[Candidates, ...], own_end: float) -> Any:
    """Scales over the reach: a range for positive ones, another for negative ones; one takes the reach to its end."""
    found = [
        sign / (float(ratio) * grid.end)
        for sign, each in zip((1, -1), ranges, strict=False)
        for ratio in np.geomspace(each.last, each.first, each.count)
    ]
    assert len(found) == CANDIDATES
    factors = np.array(found)
    factors[np.abs(factors * own_end - 1).argmin()] = 1 / own_end
    return factors.astype(np.float32)


@lru_cache(maxsize=64)
def scan_table(grid: Grid, ranges: tuple[Candidates, ...], count: int, own_end: float) -> HeldTable:
    """The table for blocks of so many elements; absmax takes the number of largest magnitude to `own_end`."""
    factors = candidate_factors(grid, ranges, own_end)
    own = int(np.abs(factors * own_end - 1).argmin())
    return _held(grid, factors, count, own, ranges[0].count, 0)


@lru_cache(maxsize=8)
def octave_table(grid: Grid, count: int) -> HeldTable:
    """The table whose lanes are sizes of E4M3: all eight of an octave, from the octave below that of absmax's size on.

    The reach over the largest level lies in the second octave; places are relative to the end of that one.
    """
    sizes = np.array([(1 + mantissa / 8) * 2.0**octave for octave in range(-1, 3) for mantissa in range(8)])
    factors = (sizes / (2 * grid.end)).astype(np.float32)
    return _held(grid, factors, count, 0, CANDIDATES, int(2 * grid.end))


@lru_cache(maxsize=32)
def log_table(grid: Grid, first: float, last: float, tables: int, count: int) -> HeldTable:
    """Tables for floats of many levels, whose errors go with their numbers: 256 places an octave, eight octaves."""
    factors = 1 / (np.geomspace(last, first, tables * CANDIDATES) * grid.end)
    factors = factors.reshape(CANDIDATES, tables).T.reshape(-1)  # neighbours are in different tables
    factors[np.abs(factors[:CANDIDATES] * grid.end - 1).argmin()] = 1 / grid.end
    factors = factors.astype(np.float32)
    own = int(np.abs(factors[:CANDIDATES] * grid.end - 1).argmin())
    words = ((127 - LOG_OCTAVES) * LOG_PLACES + np.arange(LOG_OCTAVES * LOG_PLACES))[:, None] << LOG_DROP
    steps = (2 * np.arange(_WITHIN) + 1) * (1 << LOG_DROP) // (2 * _WITHIN)
    points = (words + steps).astype(np.uint32).view(np.float32).astype(np.float64)
    gap = float(np.diff(np.array(grid.levels)).max()) / 2 / grid.end
    unit = _FINER * 65535 / (min(count, STRETCH) * gap * gap)
    parts = [_errors(grid, part, points) for part in factors.reshape(tables, CANDIDATES)]
    rows = aligned_shorts(np.minimum(np.rint(np.concatenate(parts) * unit), 65535).astype(np.uint16))
    table = ScanTable(
        np.int64(rows.ctypes.data),
        np.int64(factors.ctypes.data),
        np.int64(own),
        np.int64(CANDIDATES),
        _ZERO,
        np.uint32(_LEAST_SUM * 1024),
        np.int64(tables),
        np.int64(1),
    )
    return HeldTable(table, (rows, factors))


def _held(grid: Grid, factors: Any, count: int, own: int, positive: int, octaves: int) -> HeldTable:
    errors = _errors(grid, factors, _places())
    gap = float(np.diff(np.array(grid.levels)).max()) / 2 / grid.end
    unit = 65535 / (min(count, STRETCH) * gap * gap)
    rows = aligned_shorts(np.minimum(np.rint(errors * unit), 65535).astype(np.uint16))
    trusted = np.uint32(min(_TRUSTED * unit * 1024 / HALF**2 / 12, 2**32 - 1))
    addresses = np.int64(rows.ctypes.data), np.int64(factors.ctypes.data)
    table = ScanTable(*addresses, np.int64(own), np.int64(positive), np.int64(octaves), trusted, np.int64(1), _ZERO)
    return HeldTable(table, (rows, factors))


def _places() -> Any:
    """float64 `[511, points]`: numbers over the reach."""
    steps = (np.arange(_WITHIN) - _WITHIN // 2) / _WITHIN
    middles = np.arange(-HALF, HALF + 1)
    points = (middles[:, None] + steps) / HALF
    points[0], points[-1] = -1, 1
    return points


def _errors(grid: Grid, factors: Any, points: Any) -> Any:
    """float64 `[places, 32]`: the squared error over the squared reach, averaged over the points of each place."""
    scaled = points[:, :, None] / factors.astype(np.float64)
    places = grid.nearest(torch.from_numpy(scaled.astype(np.float32)))
    levels = grid.level_tensor().to(torch.float64)[places].numpy()
    return (((scaled - levels) * factors) ** 2).mean(axis=1)

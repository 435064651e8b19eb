"""Where the best scales lie, by grid and length of block: measured on Gaussian numbers and Student's t of 5 degrees."""

from dataclasses import dataclass

from app.schemes.grids import Grid

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

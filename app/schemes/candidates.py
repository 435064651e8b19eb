"""Which scales a search tries for each block: every storable one in reach where they are few, else a fine ladder.

Grids are those of whole steps or of floats here. No scale with which a block stays within half the grid needs to be
tried: all that it gives, half of it gives too. Below the ladder's end the clipped numbers alone err more.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from app.schemes.grids import Grid
from app.schemes.scale_formats import StorableScales

_WHOLE_STEP = 1 / 8
"""Of the largest magnitude in units of the scale, on grids of whole steps."""
_FLOAT_STEP = 1.0038
"""From one scale to the next on grids of floats: less than from a bfloat16 to the next."""
_CLIPPED_STEP = 1.01
"""Where more than half of the largest magnitude is cut off."""
_HOPELESS = 64
"""Times what can be stored."""
_LARGEST = torch.finfo(torch.float32).max
_LONG = 512
"""Blocks of so many numbers have smoother errors, and never the least one far from the ladder's end."""
_MOST = 1 << 12
"""Candidates in one direction, whatever a block looks like."""
_CHECKED = 8
"""How often it is asked whether clipping alone decides."""

Errors = Callable[[Tensor], tuple[Tensor, Tensor]]
"""Of scales, float32 each: the squared error, and the least one for the levels that these scales give."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """The candidates for blocks whose largest magnitudes are `reach`, float32 `[blocks]`."""

    reach: Tensor
    grid: Grid
    storable: StorableScales
    size: int
    """Of a block."""

    @property
    def are_all(self) -> bool:
        """Whether every storable scale in reach is tried."""
        return self.storable.are_few

    def best(self, sign: int, errors: Errors, clipped: Callable[[Tensor], Tensor], count: int) -> list[Tensor]:
        """The scales of the least errors as they are, and of those that least squares would reach from them."""
        kept, reaching = _Kept(count // 2 if self.storable.are_dense else count, self.reach), _Kept(count, self.reach)
        for scales in self.landings():
            kept.add(errors(scales * sign)[0], scales * sign)
        before: list[tuple[Tensor, Tensor]] = []
        for number, scales in enumerate(self._ladder()):
            signed = scales * sign
            error, reached = errors(signed)
            kept.add(error, signed)
            if self.storable.are_dense:
                reaching.add_if_least(before, (reached, signed))
                before = [*before[-1:], (reached, signed)]
            if number % _CHECKED == 0 and bool(((clipped(signed) >= kept.errors[0]) | self._is_last(signed)).all()):
                break
        if before:
            reaching.add(*before[-1])
        return [*kept.scales, *reaching.scales] if before else kept.scales

    def landings(self) -> Iterator[Tensor]:
        """The largest magnitude lands on each level: so blocks of one number, and those that were quantized before."""
        if self.are_all:
            return
        for level in sorted({abs(level) for level in self.grid.levels} - {0.0}):
            yield self.storable.nearest(self.reach / level)

    def _ladder(self) -> Iterator[Tensor]:
        """From large to small."""
        if self.are_all:
            yield from self._every()
            return
        # The largest magnitude in units of the scale: half the grid, or less where half a scale may not be storable.
        smallest = min(abs(level) for level in self.grid.levels if level)
        half = min(self.grid.largest, -self.grid.smallest) / 2
        start = half * (1.5 if self.size >= _LONG and self.grid.is_whole else 1)
        place = (self.reach / (2 * self.storable.least_halved)).clamp(smallest, start)
        coarser = 2 if self.size >= _LONG and self.storable.are_dense else 1
        factor, step = _FLOAT_STEP**coarser, _WHOLE_STEP * coarser * (self.grid.step or 0)
        end = max(self.grid.largest, -self.grid.smallest)
        for _ in range(_MOST):
            yield self.storable.nearest(self.reach / place)
            further = place + step if self.grid.is_whole else place * factor
            place = torch.where(place > 2 * end, place * _CLIPPED_STEP, further)

    def _is_last(self, scales: Tensor) -> Tensor:
        """Whether nothing smaller can be stored, or a block is so large that nothing comes near."""
        smallest, largest = (self.storable.nearest(torch.full_like(scales, size)) for size in (2.0**-126, _LARGEST))
        end = max(self.grid.largest, -self.grid.smallest)
        return (scales.abs() <= smallest) | (self.reach > largest.abs() * (end * _HOPELESS))

    def _every(self) -> Iterator[Tensor]:
        """From where the largest magnitude is the smallest level."""
        smallest = min(abs(level) for level in self.grid.levels if level)
        scales = self.storable.nearest(self.reach / smallest)
        for _ in range(_MOST):
            yield scales
            smaller = self.storable.shifted(scales, -1)
            if torch.equal(smaller, scales):
                return
            scales = smaller


class _Kept:
    """The best few so far, ascending by error; of equal ones the first."""

    def __init__(self, count: int, like: Tensor) -> None:
        self.errors = [torch.full_like(like, torch.inf) for _ in range(count)]
        self.scales = [torch.ones_like(like) for _ in range(count)]

    def add(self, error: Tensor, scales: Tensor) -> None:
        if not bool((error < self.errors[-1]).any()):
            return
        for place, (other_error, other) in enumerate(zip(self.errors, self.scales, strict=True)):
            is_less = error < other_error
            self.errors[place], error = (
                torch.where(is_less, error, other_error),
                torch.where(is_less, other_error, error),
            )
            self.scales[place], scales = torch.where(is_less, scales, other), torch.where(is_less, other, scales)

    def add_if_least(self, before: list[tuple[Tensor, Tensor]], after: tuple[Tensor, Tensor]) -> None:
        """The last one before, where neither neighbour errs less."""
        if not before:
            return
        error, scales = before[-1]
        is_least = error <= after[0]
        if len(before) > 1:
            is_least &= error <= before[0][0]
        self.add(torch.where(is_least, error, torch.inf), scales)

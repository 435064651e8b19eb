"""Grids: the levels that a code of few bits can stand for, before a scale is multiplied."""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import frexp

import torch
from torch import Tensor

from app.formats import CodebookFormat, FloatFormat, find_format

_EXPONENT = 0x7F800000
"""Of a float32."""


@dataclass(frozen=True)
class Grid:
    """Levels in ascending order, exact in float32, and the code of each."""

    name: str
    bits: int
    """Of a code."""
    levels: tuple[float, ...]
    codes: tuple[int, ...]
    ties_to_even: bool = False
    """Whether a number on a middle goes to the even code (of whole steps: multiple), as IEEE 754 has it; else down."""
    float_shape: tuple[int, int] | None = None
    """Of a float format's numbers: the bits of the mantissa, and the exponent that the smallest share."""

    @cached_property
    def largest(self) -> float:
        """The largest level."""
        return self.levels[-1]

    @cached_property
    def smallest(self) -> float:
        """The smallest level: further from zero than the largest in integers of two's complement."""
        return self.levels[0]

    @cached_property
    def is_uniform(self) -> bool:
        """Whether the levels are whole numbers in steps of 1, so that rounding finds them."""
        return all(level == self.levels[0] + index for index, level in enumerate(self.levels))

    @cached_property
    def end(self) -> float:
        """Where absmax puts the largest magnitude: for whole numbers half the way between the ends, as owners do."""
        if self.is_uniform:
            return (self.largest - self.smallest) / 2
        return max(self.largest, -self.smallest)

    @property
    def is_whole(self) -> bool:
        """Whether levels are the whole multiples of one step."""
        return self.step is not None

    @property
    def is_halved(self) -> bool:
        """Whether a level's half is a level again, or lies in the middle of two: so for whole steps and floats."""
        return self.is_whole or self.float_shape is not None

    def level_tensor(self) -> Tensor:
        """float32 `[levels]`."""
        return torch.tensor(self.levels, dtype=torch.float32)

    def code_tensor(self) -> Tensor:
        """uint8 `[levels]`."""
        return torch.tensor(self.codes, dtype=torch.uint8)

    @cached_property
    def is_symmetric(self) -> bool:
        """Whether every level has its negative: then nothing is won by a negative scale."""
        return all(low == -high for low, high in zip(self.levels, reversed(self.levels), strict=True))

    def thresholds(self) -> Tensor:
        """float32 `[levels - 1]`: a number goes to level i + 1 or above just where it is larger than threshold i.

        That is the middle, or the number below it where the middle itself goes up.
        """
        levels = torch.tensor(self.levels, dtype=torch.float64)
        middles = (levels[1:] + levels[:-1]) / 2
        found = middles.to(torch.float32)
        places = [level / self.step for level in self.levels] if self.step else self.codes
        goes_up = torch.tensor([self.ties_to_even and place % 2 == 0 for place in places[1:]])
        is_late = (found > middles) | ((found == middles) & goes_up)
        return torch.where(is_late, torch.nextafter(found, torch.full_like(found, -torch.inf)), found)

    def nearest(self, scaled: Tensor) -> Tensor:
        """The index of the level nearest to each float32 of `value / scale`, as int64; see `ties_to_even`."""
        if self.is_uniform:
            last = len(self.levels) - 1
            return (torch.round(scaled) - self.levels[0]).clamp_(0, last).to(torch.int64)
        return torch.searchsorted(self.thresholds().to(scaled.device), scaled.contiguous())

    def rounded(self, scaled: Tensor) -> Tensor:
        """The level nearest to each, the same as `nearest` finds, but faster: no places in a table."""
        held = scaled.clamp(self.smallest, self.largest)
        if self.step is not None:
            return held.div_(self.step).round_().mul_(self.step)
        if self.float_shape is not None:
            mantissa_bits, exponent = self.float_shape
            powers = (held.view(torch.int32) & _EXPONENT).view(torch.float32).clamp_(min=2.0**exponent)
            steps = powers.mul_(2.0**-mantissa_bits)
            return held.div_(steps).round_().mul_(steps)
        return self.level_tensor().to(held.device)[self.nearest(held)]

    @cached_property
    def step(self) -> float | None:
        """Between all levels, where it is a power of two and the even ones have even codes."""
        step = self.levels[1] - self.levels[0] if len(self.levels) > 1 else 0.0
        is_even = all(level == step * round(level / step) for level in self.levels[:1]) if step else False
        is_regular = all(level == self.levels[0] + step * index for index, level in enumerate(self.levels))
        is_power = step > 0 and frexp(step)[0] == 0.5
        return step if is_even and is_regular and is_power and self.ties_to_even else None

    def stochastic(self, scaled: Tensor, random: Tensor) -> Tensor:
        """The level below or above, each with the share of the way as its probability; `random` lies in [0, 1)."""
        levels = self.level_tensor().to(scaled.device)
        below = (torch.searchsorted(levels, scaled.contiguous(), right=True) - 1).clamp_(0, len(levels) - 2)
        share = (scaled - levels[below]) / (levels[below + 1] - levels[below])
        return below + (random < share)


@lru_cache(maxsize=64)
def integer_grid(bits: int, *, is_narrow: bool = False) -> Grid:
    """Two's complement integers; a narrow grid leaves out the one that has no counterpart."""
    first = -(1 << (bits - 1)) + is_narrow
    levels = range(first, 1 << (bits - 1))
    mask = (1 << bits) - 1
    codes = tuple(level & mask for level in levels)
    return Grid(f"int{bits}", bits, tuple(map(float, levels)), codes, ties_to_even=True)


@lru_cache(maxsize=64)
def format_grid(name: str) -> Grid:
    """The finite numbers of a format of at most 8 bits; of two zeros the positive one."""
    number_format = find_format(name)
    assert isinstance(number_format, FloatFormat | CodebookFormat), name
    assert number_format.width <= 8, name
    ordinals = range(number_format.first_ordinal, number_format.last_ordinal + 1)
    codes = [number_format.code_at(ordinal) for ordinal in ordinals]
    values = [number_format.value_of(code) for code in codes]
    exact = [float(value) for value in values if value is not None]
    levels = torch.tensor(exact, dtype=torch.float32).tolist()
    found = dict(zip(levels, codes, strict=True))
    if isinstance(number_format, CodebookFormat):
        return Grid(name, number_format.width, tuple(found), tuple(found.values()))
    shape = (number_format.mantissa_bits, number_format.min_exponent)
    return Grid(name, number_format.width, tuple(found), tuple(found.values()), ties_to_even=True, float_shape=shape)

"""Plain casts of float tensors, with what they lose counted: nothing is saturated or made infinite in silence."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from app.codec import cast
from app.formats import FloatFormat


@dataclass(slots=True)
class CastCounts:
    """What happened to a tensor's elements so far; NaN stays NaN in every format that is offered."""

    infinities: int = 0
    saturated: int = 0
    """Finite numbers beyond the largest one of a format without infinity: they became that largest one."""
    overflowed: int = 0
    """Finite numbers that became infinite."""


def cast_block(values: Tensor, target: FloatFormat, counts: CastCounts) -> Tensor:
    """The values in the dtype of `target`, rounded once, to nearest even.

    The caller refuses infinities in a format that has none, going by the counts.
    """
    stored = cast(values, target)
    if not _is_within(values, target):
        _count_others(values, stored, target, counts)
    return stored


def _is_within(values: Tensor, target: FloatFormat) -> bool:
    """Whether all are finite and none is beyond the target's largest number: the usual case, seen in one pass."""
    if not values.numel():
        return True
    low, high = torch.aminmax(values if values.element_size() > 1 else values.to(torch.float32))
    largest = float(target.max)
    return -largest <= float(low) and float(high) <= largest and math.isfinite(float(high) - float(low))


def _count_others(values: Tensor, stored: Tensor, target: FloatFormat, counts: CastCounts) -> None:
    wide = values.to(torch.float64)
    infinite = torch.isinf(wide)
    infinities = int(infinite.sum())
    counts.infinities += infinities
    if target.has_infinity:
        counts.overflowed += int(torch.isinf(stored.to(torch.float32)).sum()) - infinities
    else:
        counts.saturated += int(((wide.abs() > float(target.max)) & ~infinite).sum())

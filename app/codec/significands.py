"""Tensors taken apart: (-1)^negative * 1.xxx * 2^exponent, the significand being a 64-bit word with its one on top."""

from dataclasses import dataclass

import torch
from torch import Tensor

from app.codec.words import TOP_BIT, bit_length, shift_left

NOWHERE = -(1 << 20)
"""The exponent of what has no significand: below every format's reach."""
_FRACTION = (1 << 52) - 1
_SPECIAL = 0x7FF


@dataclass(frozen=True, slots=True)
class Significands:
    """`significand` of zeros, infinities and NaNs is 0, and their exponent `NOWHERE`."""

    is_negative: Tensor
    significand: Tensor
    """The top bit weighs 2^exponent."""
    exponent: Tensor
    is_infinite: Tensor
    is_nan: Tensor

    @property
    def is_zero(self) -> Tensor:
        return (self.significand == 0) & ~self.is_infinite & ~self.is_nan


def take_apart(values: Tensor) -> Significands:
    """The parts of floating-point, integer or bool values, exactly."""
    if values.dtype.is_floating_point:
        return _of_floats(values)
    return _of_integers(values)


def normalised(whole: Tensor, unit: Tensor | int) -> tuple[Tensor, Tensor]:
    """Significand and exponent of whole * 2^unit, `whole` being an unsigned word."""
    length = bit_length(whole)
    exponent = torch.where(length > 0, length - 1 + unit, NOWHERE)
    return shift_left(whole, 64 - length), exponent


def _of_floats(values: Tensor) -> Significands:
    bits = values.to(torch.float64).view(torch.int64)  # exact for every narrower float
    field, fraction = (bits >> 52) & _SPECIAL, bits & _FRACTION
    is_special = field == _SPECIAL
    small, exponent = normalised(fraction, -1074)
    is_normal = (field > 0) & ~is_special
    significand = torch.where(is_normal, (fraction << 11) | TOP_BIT, torch.where(is_special, 0, small))
    exponent = torch.where(is_normal, field - 1023, torch.where(is_special, NOWHERE, exponent))
    return Significands(bits < 0, significand, exponent, is_special & (fraction == 0), is_special & (fraction != 0))


def _of_integers(values: Tensor) -> Significands:
    nothing = torch.zeros(values.shape, dtype=torch.bool, device=values.device)
    if values.dtype == torch.uint64:
        return Significands(nothing, *normalised(values.view(torch.int64), 0), nothing, nothing)
    wide = values.to(torch.int64)
    # abs of the most negative int64 is itself, and that is 2^63 as an unsigned word.
    return Significands(wide < 0, *normalised(wide.abs(), 0), nothing, nothing)

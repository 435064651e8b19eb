"""Tensors taken apart: (-1)^negative * significand * 2^exponent, with int64 significands below 2^62."""

from dataclasses import dataclass

import torch
from torch import Tensor

_INT64_MIN = torch.iinfo(torch.int64).min
_LOW_62 = (1 << 62) - 1
_FRACTION = (1 << 52) - 1


@dataclass(frozen=True, slots=True)
class Significands:
    """`significand` of infinities and NaNs is 0."""

    is_negative: Tensor
    significand: Tensor
    exponent: Tensor
    bit_length: Tensor
    """Of the significand; 0 for zero."""
    is_infinite: Tensor
    is_nan: Tensor


def take_apart(values: Tensor) -> Significands:
    """The parts of floating-point or integer values, exactly (two bits of huge integers are merged into one)."""
    if values.dtype.is_floating_point:
        return _of_floats(values)
    return _of_integers(values)


def _of_floats(values: Tensor) -> Significands:
    bits = values.to(torch.float64).view(torch.int64)  # exact for every narrower float
    field, fraction = (bits >> 52) & 0x7FF, bits & _FRACTION
    is_special = field == 0x7FF
    significand = torch.where(field > 0, fraction | (1 << 52), fraction)
    significand = torch.where(is_special, 0, significand)
    return Significands(
        is_negative=bits < 0,
        significand=significand,
        exponent=field.clamp(min=1) - (1023 + 52),
        bit_length=_bit_length(significand),
        is_infinite=is_special & (fraction == 0),
        is_nan=is_special & (fraction != 0),
    )


def _of_integers(values: Tensor) -> Significands:
    is_unsigned = values.dtype == torch.uint64
    wide = values.view(torch.int64) if is_unsigned else values.to(torch.int64)
    is_negative = torch.zeros_like(wide, dtype=torch.bool) if is_unsigned else wide < 0
    # From 2^61 up the last two bits are merged: one is set if either was, far below every format's last kept bit.
    magnitude = wide if is_unsigned else torch.where(wide == _INT64_MIN, 0, wide.abs())
    is_large = (magnitude < 0) | (magnitude >= 1 << 61)
    merged = ((magnitude >> 2) & _LOW_62) | (magnitude & 3 != 0)
    significand = torch.where(is_large, merged, magnitude)
    if not is_unsigned:
        is_smallest = wide == _INT64_MIN
        significand = torch.where(is_smallest, 1 << 61, significand)
        is_large = is_large | is_smallest
    nothing = torch.zeros_like(is_negative)
    return Significands(
        is_negative=is_negative,
        significand=significand,
        exponent=torch.where(is_large, 2, 0),
        bit_length=_bit_length(significand),
        is_infinite=nothing,
        is_nan=nothing,
    )


def _bit_length(values: Tensor) -> Tensor:
    """By halving the search six times: no float takes part, so nothing can round."""
    length = (values > 0).to(torch.int64)
    rest = values
    for step in (32, 16, 8, 4, 2, 1):
        is_longer = rest >= 1 << step
        rest = torch.where(is_longer, rest >> step, rest)
        length = length + torch.where(is_longer, step, 0)
    return length

"""Numbers into integers, fixed point and bool, and codes of these back to whole numbers of their unit."""

import torch
from torch import Tensor

from app.codec.refusals import refuse_any
from app.codec.rounding import Mode, Overflow, cut
from app.codec.significands import Significands
from app.codec.words import as_int64, is_above, shift_left
from app.errors import InvalidInput
from app.formats import BooleanFormat, FixedPointFormat, IntegerFormat, Notation

WholeFormat = IntegerFormat | FixedPointFormat
"""Formats of whole numbers of a unit: 1, or 2^-fraction_bits."""


def encode_whole(parts: Significands, number_format: WholeFormat, mode: Mode) -> Tensor:
    """The codes as words: rounded to whole units, then kept in range by saturating or wrapping."""
    refuse_any(parts.is_nan, "codec.nan", number_format)
    wraps = mode.overflow is Overflow.WRAP
    if wraps and bool(parts.is_infinite.any()):
        raise InvalidInput("number.infinity-wrap", format=number_format.name)
    negative = parts.is_negative
    places = parts.exponent + (_fraction_bits(number_format) + 1)
    kept, rest = cut(parts.significand, places.clamp(max=64))
    up = mode.goes_up(rest, kept & 1 == 1, negative)
    lowest, highest = as_int64(-number_format.first_ordinal), as_int64(number_format.last_ordinal)
    limit = torch.where(negative, lowest, highest)
    if wraps:
        magnitude = torch.where(places > 64, shift_left(parts.significand, (places - 64).clamp(min=0)), kept + up)
    else:
        is_beyond = (places > 64) | is_above(kept, limit) | ((kept == limit) & up) | parts.is_infinite
        magnitude = torch.where(is_beyond, limit, kept + up)
        negative = negative & ~(is_beyond & (limit == 0))  # a range that ends at zero ends at plain zero
    return _with_sign(magnitude, negative, number_format)


def encode_bool(parts: Significands, number_format: BooleanFormat) -> Tensor:
    """0 for zeros, 1 for everything else."""
    refuse_any(parts.is_nan, "codec.nan", number_format)
    return (~parts.is_zero).to(torch.int64)


def whole_of(wide: Tensor, number_format: WholeFormat) -> tuple[Tensor, Tensor]:
    """Whether a code's number is negative (minus zero is), and its magnitude in units, an unsigned word."""
    if not number_format.signed:
        return torch.zeros_like(wide, dtype=torch.bool), wide
    top = as_int64(1 << (number_format.width - 1))
    negative = (wide & top) != 0
    mask = as_int64((1 << number_format.width) - 1)
    match _notation(number_format):
        case Notation.TWOS_COMPLEMENT:
            opposite = -wide & mask
        case Notation.ONES_COMPLEMENT:
            opposite = ~wide & mask
        case Notation.SIGN_MAGNITUDE:
            opposite = wide & ~top
    return negative, torch.where(negative, opposite, wide)


def _with_sign(magnitude: Tensor, negative: Tensor, number_format: WholeFormat) -> Tensor:
    match _notation(number_format):
        case Notation.TWOS_COMPLEMENT:
            opposite = -magnitude
        case Notation.ONES_COMPLEMENT:
            opposite = ~magnitude
        case Notation.SIGN_MAGNITUDE:
            opposite = magnitude | as_int64(1 << (number_format.width - 1))
    return torch.where(negative, opposite, magnitude)


def _notation(number_format: WholeFormat) -> Notation:
    if isinstance(number_format, FixedPointFormat) or not number_format.signed:
        return Notation.TWOS_COMPLEMENT
    return number_format.notation


def _fraction_bits(number_format: WholeFormat) -> int:
    return number_format.fraction_bits if isinstance(number_format, FixedPointFormat) else 0

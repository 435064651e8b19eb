"""Numbers into floats: a magnitude code orders a format's numbers, so rounding up is adding one to it."""

from dataclasses import dataclass

import torch
from torch import Tensor

from app.codec.refusals import refuse_any
from app.codec.rounding import Mode, Overflow, Rounding, cut
from app.codec.significands import Significands
from app.codec.stochastic import BITS, share_bits
from app.codec.words import TOP_BIT, as_int64, is_above, shift_left, shift_right
from app.formats import FloatFormat


@dataclass(frozen=True, slots=True)
class _Magnitudes:
    """Rounded magnitudes; `codes` mean nothing where `is_beyond` or `is_missing`."""

    codes: Tensor
    is_beyond: Tensor
    is_across: Tensor
    """Rounded past a zero that the format lacks, to the smallest number of the other sign."""
    is_missing: Tensor
    """Rounded toward a zero that the format lacks, and nothing lies there."""


def encode_float(parts: Significands, number_format: FloatFormat, mode: Mode) -> Tensor:
    """The codes as words; see `app.codec.encode` for what stands in for numbers that the format does not have."""
    found = _round(parts, number_format, mode)
    largest = as_int64(number_format.max_magnitude)
    is_over = found.is_beyond | parts.is_infinite
    gives_largest, gives_nan = _where_beyond(number_format, mode, parts)
    beyond = as_int64(number_format.infinity_magnitude or 0)
    code = torch.where(is_over, torch.where(gives_largest, largest, beyond), found.codes)
    is_negative = parts.is_negative ^ found.is_across
    lacks_sign = torch.zeros_like(is_over)
    if not number_format.signed:
        lacks_sign = parts.is_negative & ~parts.is_nan & ((code != 0) | is_over | (not number_format.has_zero))
    lacks_zero = parts.is_zero & (not number_format.has_zero)
    if number_format.has_zero and not number_format.has_negative_zero:
        is_negative = is_negative & (code != 0)
    sign = as_int64(number_format.sign_mask)
    code = torch.where(is_negative, code | sign, code)
    if number_format.nan_code is None:
        refuse_any(parts.is_nan, "codec.nan", number_format)
        refuse_any(lacks_sign, "codec.negative", number_format)
        refuse_any(lacks_zero, "codec.zero", number_format)
        return code
    # Infinity without a code becomes NaN of its sign, and NaN keeps its own; no other missing number does.
    nan = as_int64(number_format.nan_code)
    is_over_nan = is_over & gives_nan & ~lacks_sign
    code = torch.where(lacks_sign | lacks_zero | found.is_missing, nan, code)
    signed_nan = torch.where(parts.is_negative, nan | sign, nan)
    return torch.where(parts.is_nan | is_over_nan, signed_nan, code)


def _where_beyond(number_format: FloatFormat, mode: Mode, parts: Significands) -> tuple[Tensor, Tensor]:
    """For numbers beyond the largest: whether that one stands for them, and whether NaN does.

    IEEE 754-2019, 7.4: nearest modes go to infinity, directed ones to whichever side they point at.
    """
    is_negative = parts.is_negative
    if mode.overflow is Overflow.SATURATE or not (number_format.has_infinity or number_format.has_nan):
        return torch.ones_like(is_negative), torch.zeros_like(is_negative)
    points_out = torch.ones_like(is_negative)
    if mode.rounding is not Rounding.STOCHASTIC:
        is_odd = torch.full_like(is_negative, bool(number_format.max_magnitude & 1))
        points_out = mode.goes_up(torch.full_like(parts.significand, -1), is_odd, is_negative) | parts.is_infinite
    return ~points_out, points_out & (not number_format.has_infinity)


def _round(parts: Significands, number_format: FloatFormat, mode: Mode) -> _Magnitudes:
    mantissa_bits, lowest = number_format.mantissa_bits, number_format.min_exponent
    highest = number_format.max_exponent if number_format.exponent_bits else lowest - 1
    is_normal = parts.exponent >= lowest
    kept, rest = cut(parts.significand, number_format.precision + (parts.exponent - lowest).clamp(max=0))
    field = parts.exponent.clamp(lowest, max(highest, lowest)) + (number_format.bias - 1)
    below = kept + torch.where(is_normal, shift_left(field, torch.full_like(field, mantissa_bits)), 0)
    if number_format.has_zero and not number_format.has_subnormals:
        is_between = (parts.significand != 0) & (~is_normal | (below == 0))
        rest = torch.where(is_between, _share_of_smallest(parts, number_format), rest)
        below = torch.where(is_between, 0, below)
    if mode.rounding is Rounding.STOCHASTIC:
        rest = rest & as_int64(((1 << 64) - 1) ^ ((1 << (64 - share_bits(number_format))) - 1))
    up = mode.goes_up(rest, below & 1 == 1, parts.is_negative)
    largest = as_int64(number_format.max_magnitude)
    is_beyond = (parts.exponent > highest) | is_above(below, largest) | ((below == largest) & up)
    nothing = torch.zeros_like(up)
    if number_format.has_zero:
        return _Magnitudes(below + up, is_beyond, nothing, nothing)
    is_below = (parts.significand != 0) & ~is_normal
    down = is_below & _points_to_zero(parts, mode)
    is_across = down & (number_format.signed and mode.rounding is not Rounding.TOWARD_ZERO)
    is_missing = down & ~is_across & (mode.overflow is Overflow.IEEE)
    return _Magnitudes(torch.where(is_below, 0, below + up), is_beyond & ~is_below, is_across, is_missing)


def _points_to_zero(parts: Significands, mode: Mode) -> Tensor:
    match mode.rounding:
        case Rounding.TOWARD_ZERO:
            return torch.ones_like(parts.is_negative)
        case Rounding.TOWARD_NEGATIVE:
            return ~parts.is_negative
        case Rounding.TOWARD_POSITIVE:
            return parts.is_negative
        case _:
            return torch.zeros_like(parts.is_negative)


def _share_of_smallest(parts: Significands, number_format: FloatFormat) -> Tensor:
    """number / smallest number as the rest behind a cut: right against a half, and within 2^-32 elsewhere.

    Without subnormals there is nothing between zero and the smallest number, which is 2^e * 1.0...01 where zero has
    taken the code of 2^e.
    """
    mantissa_bits = number_format.mantissa_bits
    smallest = (1 << mantissa_bits) + 1 if mantissa_bits else 1
    unit = number_format.min_exponent - mantissa_bits
    # Half of the smallest number is `smallest` in half units: compare with the number in half units.
    whole, behind = cut(parts.significand, (parts.exponent - unit + 2).clamp(max=64))
    half = torch.full_like(whole, as_int64(smallest))
    is_low = parts.exponent < number_format.min_exponent
    is_half = is_low & (whole == half) & (behind == 0)
    is_below_half = is_low & is_above(half, whole)
    power = ((parts.exponent - unit).clamp(-1000, 64) + (1023 - 52)) << 52
    magnitude = shift_right(parts.significand, torch.full_like(half, 11)).to(torch.float64) * power.view(torch.float64)
    share = (magnitude * (2.0**BITS / smallest)).clamp(max=2.0**BITS - 1).to(torch.int64) << BITS
    above_half = torch.where(share < 0, share, TOP_BIT) | 1
    below_half = torch.where(share < 0, ~TOP_BIT, share) | 1
    return torch.where(is_half, TOP_BIT, torch.where(is_below_half, below_half, above_half))

"""Codes to values, by own arithmetic on the bits of float64."""

import torch
from torch import Tensor

from app.codec.storage_types import wide_codes
from app.formats import BooleanFormat, FloatFormat, Format, IntegerFormat

_FLOAT64_BIAS, _FLOAT64_MANTISSA = 1023, 52


def decode(codes: Tensor, number_format: Format) -> Tensor:
    """The values as float64: exact for every format but int64 and uint64, whose values beyond 2^53 are rounded."""
    if isinstance(number_format, FloatFormat):
        return _decode_float(codes, number_format)
    if isinstance(number_format, BooleanFormat):
        return (codes != 0).to(torch.float64)
    return _decode_integer(codes, number_format)


def _decode_float(codes: Tensor, number_format: FloatFormat) -> Tensor:
    if number_format.width == 64:
        return codes.view(torch.float64)
    wide = wide_codes(codes, number_format)
    magnitude = wide & number_format.magnitude_mask
    # The magnitude, moved to float64's fields and bias, is the float64 of the same value, if it is a normal one.
    moved = magnitude << (_FLOAT64_MANTISSA - number_format.mantissa_bits)
    values = (moved + ((_FLOAT64_BIAS - number_format.bias) << _FLOAT64_MANTISSA)).view(torch.float64)
    if number_format.has_subnormals:
        unit = 2.0 ** (number_format.min_exponent - number_format.mantissa_bits)
        is_small = magnitude < 1 << number_format.mantissa_bits
        values = torch.where(is_small, magnitude.to(torch.float64) * unit, values)
    is_special = magnitude > number_format.max_magnitude
    if number_format.has_infinity:
        values = values.masked_fill(is_special, torch.nan)
        values = torch.where(magnitude == number_format.max_magnitude + 1, torch.inf, values)
    else:
        if number_format.nan_code == number_format.sign_mask != 0:
            is_special = wide == number_format.sign_mask
        values = values.masked_fill(is_special, torch.nan)
    if number_format.signed:
        values = torch.where(wide & number_format.sign_mask != 0, -values, values)
    return values


def _decode_integer(codes: Tensor, number_format: IntegerFormat) -> Tensor:
    wide = wide_codes(codes, number_format)
    if number_format.width < 64:
        if number_format.signed:
            wide = wide - ((wide & (1 << (number_format.width - 1))) << 1)
        return wide.to(torch.float64)
    if number_format.signed:
        return wide.to(torch.float64)
    # uint64: halve what does not fit into int64, keeping a one in the last place so that rounding is still right.
    halved = ((wide >> 1) & torch.iinfo(torch.int64).max) | (wide & 1)
    return torch.where(wide < 0, halved.to(torch.float64) * 2, wide.to(torch.float64))

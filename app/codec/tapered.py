"""Posits and takums: the bit string of a number, cut; and codes taken apart into regime, exponent and fraction.

Rounding works on the bit string (Posit Standard 2022, 4.1), so that half is the code that one more bit would give.
Stochastic rounding alone goes by value, as everywhere: where exponent bits are cut off the two differ, and only by
value is the mean of many roundings the number itself.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from app.codec.rounding import Mode, Overflow, Rounding, cut, cut_behind
from app.codec.significands import Significands
from app.codec.stochastic import BITS
from app.codec.storage_types import wide_codes
from app.codec.words import as_int64, bit_length, shift_left, shift_right
from app.formats import PositFormat, TakumFormat

TaperedFormat = PositFormat | TakumFormat

_TAKUM_REACH = 254
"""Characteristics go from -255 to 254."""


@dataclass(frozen=True, slots=True)
class TaperedFields:
    """Of each code's magnitude; zero and NaR have zeros everywhere. All tensors are int64."""

    regime_length: Tensor
    """Bits of a posit's regime with the bit that ends it; of a takum, the bits of its characteristic (0 to 7)."""
    exponent: Tensor
    """value = 2^exponent * (1 + fraction / 2^fraction_bits), bits cut off at the end being zeros."""
    fraction: Tensor
    fraction_bits: Tensor


def tapered_fields(codes: Tensor, number_format: TaperedFormat) -> TaperedFields:
    """What lies where in each code: the fields have other lengths from one code to the next."""
    wide = wide_codes(codes, number_format)
    magnitude = magnitude_of(wide, number_format)
    string = _left(magnitude, number_format)
    found = _posit_fields(string, number_format) if isinstance(number_format, PositFormat) else _takum_fields(string)
    length, exponent, start = found
    is_number = magnitude > 0
    bits = torch.where(is_number, (number_format.width - 1 - start).clamp(min=0), 0)
    fraction, _ = cut(shift_left(string, start), bits)
    return TaperedFields(
        torch.where(is_number, length, 0),
        torch.where(is_number, exponent, 0),
        torch.where(is_number, fraction, 0),
        bits,
    )


def magnitude_of(wide: Tensor, number_format: TaperedFormat) -> Tensor:
    """The code of the number without its sign; 0 for zero and NaR."""
    sign, mask = as_int64(number_format.nar_code), as_int64((1 << number_format.width) - 1)
    magnitude = torch.where(wide & sign != 0, -wide & mask, wide)
    return torch.where(magnitude == sign, 0, magnitude)


def encode_tapered(parts: Significands, number_format: TaperedFormat, mode: Mode) -> Tensor:
    """The codes as words; NaN is NaR, and so is infinity unless it saturates."""
    last = number_format.last_ordinal
    below, rest, is_beyond, is_below = _cut(parts, number_format)
    if mode.rounding is Rounding.STOCHASTIC:
        rest = _by_value(parts, below, rest, number_format)
    rounded = below + mode.goes_up(rest, below & 1 == 1, parts.is_negative)
    magnitude = torch.where(is_beyond, last, torch.where(is_below, 1, rounded.clamp(1, last)))
    magnitude = torch.where(parts.is_infinite, last, magnitude)
    magnitude = torch.where(parts.is_zero, 0, magnitude)
    code = torch.where(parts.is_negative, -magnitude, magnitude)
    is_nar = parts.is_nan | parts.is_infinite if mode.overflow is Overflow.IEEE else parts.is_nan
    return torch.where(is_nar, as_int64(number_format.nar_code), code)


def _left(magnitude: Tensor, number_format: TaperedFormat) -> Tensor:
    return magnitude << (65 - number_format.width)


def _posit_fields(string: Tensor, number_format: PositFormat) -> tuple[Tensor, Tensor, Tensor]:
    """Regime bits, exponent, and where the fraction starts; the string has zeros behind the code."""
    body, size = number_format.width - 1, number_format.exponent_size
    ones = string < 0
    run = (64 - bit_length(torch.where(ones, ~string, string))).clamp(max=body)
    length = (run + 1).clamp(max=body)
    exponent, _ = cut(shift_left(string, length), torch.full_like(string, size))
    return length, (torch.where(ones, run - 1, -run) << size) + exponent, length + size


def _takum_fields(string: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    direct = string < 0
    field = (string >> 60) & 7
    length = torch.where(direct, field, 7 - field)
    characteristic, _ = cut(string << 4, length)
    start = torch.where(direct, (1 << length) - 1, 1 - (2 << length))
    return length, start + characteristic, length + 4


def _cut(parts: Significands, number_format: TaperedFormat) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The magnitude code at or below each number, the rest, and whether it lies beyond the last or below the first."""
    if isinstance(number_format, PositFormat):
        return _cut_posit(parts, number_format)
    exponent = parts.exponent.clamp(-_TAKUM_REACH - 1, _TAKUM_REACH)
    direct = exponent >= 0
    # |c| + 1 or -c: its leading one gives the length, the bits behind it (inverted below 1) are the characteristic.
    length = bit_length(torch.where(direct, exponent + 1, -exponent)) - 1
    start = torch.where(direct, (1 << length) - 1, 1 - (2 << length))
    regime = torch.where(direct, 8 + length, 7 - length)
    head = (regime << length) + (exponent - start)
    below, rest = cut_behind(head, 4 + length, parts.significand << 1, number_format.width - 1)
    is_beyond, is_below = parts.exponent > _TAKUM_REACH, parts.exponent < -_TAKUM_REACH - 1
    return below, rest, is_beyond, is_below | (below == 0)


def _cut_posit(parts: Significands, number_format: PositFormat) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    body, size = number_format.width - 1, number_format.exponent_size
    regime = parts.exponent >> size
    is_beyond, is_below = regime >= body - 1, regime < 1 - body
    regime = regime.clamp(min(1 - body, 0), max(body - 2, 0))
    # A run of ones ended by a zero, or of zeros ended by a one.
    length = torch.where(regime >= 0, regime + 2, 1 - regime)
    head = torch.where(regime >= 0, shift_left(torch.full_like(length, 2), regime + 1) - 2, 1)
    low = parts.exponent & ((1 << size) - 1)
    kept, rest = cut_behind(low, torch.full_like(low, size), parts.significand << 1, (body - length).clamp(min=0))
    return shift_left(head, (body - length).clamp(min=0)) | kept, rest, is_beyond, is_below


def _by_value(parts: Significands, below: Tensor, rest: Tensor, number_format: TaperedFormat) -> Tensor:
    """The share of the way to the next code by value, where the codes lie more than one power of two apart."""
    low = _exponent_of(below, number_format)
    gap = _exponent_of((below + 1).clamp(max=number_format.last_ordinal), number_format) - low
    power = ((parts.exponent - low).clamp(0, 1000) + 971) << 52  # 2^(exponent - low - 52)
    significand = shift_right(parts.significand, torch.full_like(low, 11)).to(torch.float64)
    span = ((gap.clamp(1, 1000) + 1023) << 52).view(torch.float64) - 1
    share = (significand * power.view(torch.float64) - 1) / span
    word = (share * 2.0**BITS).clamp(0, 2.0**BITS - 1).to(torch.int64) << BITS
    return torch.where((gap > 1) & (rest != 0), word, rest)


def _exponent_of(magnitude: Tensor, number_format: TaperedFormat) -> Tensor:
    string = _left(magnitude, number_format)
    found = _posit_fields(string, number_format) if isinstance(number_format, PositFormat) else _takum_fields(string)
    return found[1]

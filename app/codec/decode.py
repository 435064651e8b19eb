"""Codes to values, by own arithmetic: a code is taken apart, and its parts are rounded into float64 or float32 once."""

import torch
from torch import Tensor

from app.codec.codebooks import odd_float, rounded_float
from app.codec.encode_floats import encode_float
from app.codec.integers import whole_of
from app.codec.refusals import refuse_wide
from app.codec.rounding import Mode, Overflow, Rounding
from app.codec.significands import NOWHERE, Significands, normalised
from app.codec.storage_types import wide_codes
from app.codec.tapered import magnitude_of, tapered_fields
from app.codec.words import TOP_BIT, as_int64, shift_left
from app.formats import (
    BooleanFormat,
    CodebookFormat,
    FixedPointFormat,
    FloatFormat,
    Format,
    IntegerFormat,
    PositFormat,
    TakumFormat,
    find_format,
)

_NEAREST = Mode(Rounding.NEAREST_EVEN, Overflow.IEEE)
_NAMES = {torch.float64: "float64", torch.float32: "float32"}


def decode(codes: Tensor, number_format: Format, dtype: torch.dtype = torch.float64) -> Tensor:
    """The values as float64 or float32, each the nearest there is (ties to even): one rounding, from the exact number.

    float64 is exact for every format of the catalog but `int64`, `uint64`, `posit64` and `takum_linear64`. It rounds
    where there are more than 53 significant bits (`e2m61`, `q0.63`) or decimals (0.1 in a codebook), and where the
    range passes that of float64 (P3109 of 16 bits, `e15m16`, `posit16:es=8`; takums never): numbers beyond become
    infinity, numbers below half of the smallest subnormal zero of their sign. NaN keeps its sign but no payload; NaR is
    NaN, and so is a code behind the last value of a codebook.

    Raises:
        InvalidInput: `codec.too-wide`.
    """
    refuse_wide(number_format)
    wide = wide_codes(codes, number_format)
    if isinstance(number_format, CodebookFormat):
        return _decode_codebook(wide, number_format, dtype)
    target = find_format(_NAMES[dtype])
    assert isinstance(target, FloatFormat)
    bits = encode_float(_parts_of(wide, number_format), target, _NEAREST)
    return bits.view(torch.float64) if dtype == torch.float64 else bits.to(torch.int32).view(torch.float32)


def _parts_of(wide: Tensor, number_format: Format) -> Significands:
    match number_format:
        case FloatFormat():
            return _parts_of_float(wide, number_format)
        case PositFormat() | TakumFormat():
            return _parts_of_tapered(wide, number_format)
        case IntegerFormat() | FixedPointFormat():
            negative, whole = whole_of(wide, number_format)
            unit = -number_format.fraction_bits if isinstance(number_format, FixedPointFormat) else 0
            return _finite(negative, *normalised(whole, unit))
        case BooleanFormat():
            whole = (wide != 0).to(torch.int64)
            return _finite(torch.zeros_like(wide, dtype=torch.bool), *normalised(whole, 0))
        case CodebookFormat():
            raise AssertionError("codebooks are looked up")


def _finite(negative: Tensor, significand: Tensor, exponent: Tensor) -> Significands:
    nothing = torch.zeros_like(negative)
    return Significands(negative, significand, exponent, nothing, nothing)


def _parts_of_float(wide: Tensor, number_format: FloatFormat) -> Significands:
    mantissa_bits = number_format.mantissa_bits
    sign = as_int64(number_format.sign_mask)
    negative = (wide & sign) != 0
    magnitude = wide & ~sign
    places = torch.full_like(magnitude, mantissa_bits)
    field = (magnitude >> mantissa_bits if mantissa_bits < 64 else torch.zeros_like(wide)) & _mask(
        number_format.exponent_bits
    )
    fraction = magnitude & _mask(mantissa_bits)
    is_small = (field == 0) if number_format.has_subnormals else torch.zeros_like(negative)
    if number_format.has_zero and not number_format.has_subnormals:
        is_small = magnitude == 0
    small, small_exponent = normalised(fraction, number_format.min_exponent - mantissa_bits)
    normal = shift_left(fraction, 63 - places.clamp(max=63)) | TOP_BIT
    significand = torch.where(is_small, small, normal)
    exponent = torch.where(is_small, small_exponent, field - number_format.bias)
    is_special = (magnitude ^ TOP_BIT) > (as_int64(number_format.max_magnitude) ^ TOP_BIT)
    is_infinite = is_special & (magnitude == as_int64(number_format.infinity_magnitude or 0))
    is_nan = is_special & ~is_infinite
    if number_format.signed and number_format.has_zero and not number_format.allows_negative_zero:
        is_minus_zero = wide == sign
        is_nan, negative = is_nan | is_minus_zero, negative & ~is_minus_zero
    is_special = is_infinite | is_nan
    significand = torch.where(is_special, 0, significand)
    return Significands(negative, significand, torch.where(is_special, NOWHERE, exponent), is_infinite, is_nan)


def _parts_of_tapered(wide: Tensor, number_format: PositFormat | TakumFormat) -> Significands:
    fields = tapered_fields(wide, number_format)
    nar = as_int64(number_format.nar_code)
    is_nan = wide == nar
    is_number = magnitude_of(wide, number_format) > 0
    significand = shift_left(fields.fraction, 63 - fields.fraction_bits) | TOP_BIT
    return Significands(
        ((wide & nar) != 0) & ~is_nan,
        torch.where(is_number, significand, 0),
        torch.where(is_number, fields.exponent, NOWHERE),
        torch.zeros_like(is_nan),
        is_nan,
    )


def _decode_codebook(wide: Tensor, number_format: CodebookFormat, dtype: torch.dtype) -> Tensor:
    near = rounded_float if dtype == torch.float64 else odd_float
    values = [near(each) for each in number_format.values]
    if number_format.negative_zero is not None:
        values[number_format.negative_zero] = -0.0
    values += [torch.nan] * ((1 << number_format.width) - len(values))
    return torch.tensor(values, dtype=torch.float64, device=wide.device).to(dtype)[wide]


def _mask(bits: int) -> int:
    return as_int64((1 << bits) - 1)

"""Values to codes, nearest-even, by own integer arithmetic: no cast of torch's decides anything here."""

from typing import Literal

import torch
from torch import Tensor

from app.codec.integers import encode_bool, encode_integer
from app.codec.significands import Significands, take_apart
from app.codec.storage_types import as_int64, narrow_codes
from app.formats import FloatFormat, Format, IntegerFormat

OverflowRule = Literal["ieee", "saturate"]

_FLOAT64_PRECISION = 53


def encode(values: Tensor, number_format: Format, overflow: OverflowRule | None = None) -> Tensor:
    """The codes of float64, float32, float16, bfloat16 or integer values; see `storage_types` for their dtype.

    `overflow` is that of `app.exact`: `ieee` by default for floats, always `saturate` for integers. NaN becomes the
    format's canonical NaN with its sign. Needs about 60 bytes a value while it runs: callers with large tensors go by
    chunks.

    Raises:
        InvalidInput: `number.no-nan`, for NaN in a format without NaN.
    """
    if isinstance(number_format, FloatFormat):
        return narrow_codes(_encode_float(take_apart(values), number_format, overflow or "ieee"), number_format)
    if isinstance(number_format, IntegerFormat):
        return encode_integer(values, number_format)
    return encode_bool(values, number_format)


def _encode_float(parts: Significands, number_format: FloatFormat, overflow: OverflowRule) -> Tensor:
    magnitude = _round_magnitude(parts, number_format)
    largest = number_format.max_magnitude
    too_large = (magnitude > largest) | parts.is_infinite
    if overflow == "saturate":
        beyond = largest
    else:
        beyond = number_format.infinity_magnitude or number_format.nan_magnitude or largest
    sign_code = number_format.sign_mask
    sign = as_int64(sign_code)
    code = torch.where(too_large, beyond, magnitude)
    nan = number_format.nan_magnitude
    if nan is not None:
        code = torch.where(parts.is_nan, nan, code)
    if number_format.signed:
        code = code | torch.where(parts.is_negative, sign, 0)
    if number_format.nan_code == sign_code:
        code = torch.where(code == sign, 0, code)
        becomes_nan = parts.is_nan | (too_large if overflow == "ieee" else False)
        code = torch.where(becomes_nan, sign, code)
    elif not number_format.signed:
        assert nan is not None
        code = torch.where(parts.is_negative | parts.is_nan, nan, code)
    if not number_format.has_zero:
        assert nan is not None
        code = torch.where((parts.significand == 0) & ~parts.is_infinite, nan, code)
    return code


def _round_magnitude(parts: Significands, number_format: FloatFormat) -> Tensor:
    """The magnitude codes, as if there were no largest one; infinities and NaNs give anything."""
    significand, mantissa_bits = parts.significand, number_format.mantissa_bits
    exponent = parts.exponent + (parts.bit_length - 1)
    is_normal = (exponent >= number_format.min_exponent) & (significand > 0)
    drop = exponent.clamp(min=number_format.min_exponent) - mantissa_bits - parts.exponent
    # 62 places hold every significand of an integer; one of a float (53 bits) is far below half at 62.
    right, left = drop.clamp(0, 62), (-drop).clamp(0, _FLOAT64_PRECISION)
    kept = (significand >> right) << left
    rest = significand - ((significand >> right) << right)
    half = torch.where(right > 0, torch.ones_like(right) << (right - 1).clamp(min=0), 1)
    base = (exponent + (number_format.bias - 1)) << mantissa_bits
    below = torch.where(is_normal, kept + base, kept)
    up = (rest > half) | ((rest == half) & (below & 1 == 1) & (right > 0))
    rounded = below + up
    # Without zero and subnormals, everything below the smallest number goes to it.
    return rounded if number_format.has_subnormals else torch.where(is_normal, rounded, 0)

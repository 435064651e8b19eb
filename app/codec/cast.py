"""Weights to a torch dtype: torch's own cast where tests prove it equal to ours, our arithmetic elsewhere."""

import torch
from torch import Tensor

from app.codec.encode import encode
from app.codec.storage_types import from_codes, torch_dtype
from app.formats import FloatFormat, Format

_SOURCES = (torch.float32, torch.float16, torch.bfloat16)
"""Dtypes that torch casts through float32 without loss; float64 would be rounded twice on the way."""

_NATIVE = ("float64", "float32", "bfloat16", "float16", "float8_e5m2")
"""Targets of torch's own cast, from `_SOURCES`."""

_NATIVE_CLAMPED = ("float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2fnuz")
"""Targets without infinity: torch's cast after clamping to the largest number."""


def cast(values: Tensor, number_format: Format) -> Tensor:
    """The values in torch's dtype of the format, nearest-even, rounded once.

    Formats without infinity, and integers, saturate. NaN keeps being NaN where the format has one; whether NaN and
    infinity are welcome is the caller's to decide. The native paths need at most one more tensor of the source's
    dtype, the others about 100 bytes a value.

    Raises:
        InvalidInput: `codec.no-dtype` for formats that torch does not have, `codec.nan` for NaN in an integer.
    """
    dtype = torch_dtype(number_format)
    if values.dtype == dtype:
        return values
    if values.dtype in _SOURCES or (values.dtype == torch.float64 and number_format.name == "float32"):
        if number_format.name in _NATIVE:
            return values.to(dtype)
        if number_format.name in _NATIVE_CLAMPED:
            assert isinstance(number_format, FloatFormat)
            largest = float(number_format.max)
            return values.to(torch.float32).clamp(-largest, largest).to(dtype)
    saturates = isinstance(number_format, FloatFormat) and not number_format.has_infinity
    return from_codes(encode(values, number_format, overflow="saturate" if saturates else None), number_format)

"""Values to codes of integer formats and bool: nearest-even, saturating."""

import torch
from torch import Tensor

from app.codec.storage_types import narrow_codes
from app.errors import InvalidInput
from app.formats import BooleanFormat, IntegerFormat

_INT64 = torch.iinfo(torch.int64)


def encode_integer(values: Tensor, number_format: IntegerFormat) -> Tensor:
    """Codes of the nearest integers in range; infinities go to the ends of the range."""
    if values.dtype.is_floating_point:
        _refuse_nan(values, number_format)
        whole = values.to(torch.float64).round()  # halves to even
        wide = _saturate_floats(whole, number_format)
    elif values.dtype == torch.uint64:
        wide = values.view(torch.int64)
        if number_format.width < 64 or number_format.signed:
            wide = torch.where((wide < 0) | (wide > number_format.max), number_format.max, wide)
    else:
        wide = values.to(torch.int64)
        if number_format.width < 64:
            wide = wide.clamp(number_format.min, number_format.max)
        elif not number_format.signed:
            wide = wide.clamp(min=0)
    return narrow_codes(wide, number_format)


def encode_bool(values: Tensor, number_format: BooleanFormat) -> Tensor:
    """0 for zeros, 1 for everything else."""
    if values.dtype.is_floating_point:
        _refuse_nan(values, number_format)
    if values.dtype == torch.uint64:
        values = values.view(torch.int64)
    return (values != 0).to(torch.uint8)


def _saturate_floats(whole: Tensor, number_format: IntegerFormat) -> Tensor:
    if number_format.width < 64:
        return whole.clamp(number_format.min, number_format.max).to(torch.int64)
    # The ends of the 64-bit ranges are no float64: compare with the power of two behind them.
    end = 2.0 ** (63 if number_format.signed else 64)
    top = number_format.max - (0 if number_format.signed else 1 << 64)
    inside = whole.clamp(float(number_format.min), end)
    is_upper = inside >= 2.0**63
    upper = torch.where(is_upper, inside - 2.0**63, 0.0).clamp(max=2.0**63 - 1024).to(torch.int64) | _INT64.min
    wide = torch.where(is_upper, 0.0, inside).to(torch.int64)
    return torch.where(inside >= end, top, torch.where(is_upper, upper, wide))


def _refuse_nan(values: Tensor, number_format: IntegerFormat | BooleanFormat) -> None:
    if bool(values.isnan().any()):
        raise InvalidInput("number.no-nan", format=number_format.name)

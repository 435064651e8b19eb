"""Codes to their fields: sign, exponent and mantissa of floats, all bits of integers."""

from dataclasses import dataclass

import torch
from torch import Tensor

from app.codec.storage_types import wide_codes
from app.formats import FloatFormat, Format


@dataclass(frozen=True, slots=True)
class FieldTensor:
    """One field of every code: `values` is int64, the field read as an unsigned integer (64 wide: the bit pattern)."""

    name: str
    width: int
    values: Tensor


def split_fields(codes: Tensor, number_format: Format) -> tuple[FieldTensor, ...]:
    """The fields from the most significant one down; fields of no bits are left out."""
    wide = wide_codes(codes, number_format)
    if not isinstance(number_format, FloatFormat):
        return (FieldTensor("integer", number_format.width, wide),)
    fields = []
    low = number_format.width
    for name, width in number_format.field_widths:
        low -= width
        fields.append(FieldTensor(name, width, (wide >> low) & ((1 << width) - 1)))
    return tuple(fields)


def split_bits(codes: Tensor, number_format: Format) -> Tensor:
    """Every bit as 0 or 1 (uint8) in a new last dimension, most significant first."""
    positions = torch.arange(number_format.width - 1, -1, -1, device=codes.device)
    return ((wide_codes(codes, number_format).unsqueeze(-1) >> positions) & 1).to(torch.uint8)

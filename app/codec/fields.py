"""Codes to their fields: sign, exponent and mantissa of floats, all bits of integers."""

from dataclasses import dataclass

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

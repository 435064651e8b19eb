"""Codes to their fields; those of posits and takums, whose bounds move from code to code, as sign and body."""

from dataclasses import dataclass

from torch import Tensor

from app.codec.storage_types import wide_codes
from app.codec.words import as_int64
from app.formats import Format, PositFormat, TakumFormat


@dataclass(frozen=True, slots=True)
class FieldTensor:
    """One field of every code: `values` is int64, the field read as an unsigned integer (64 wide: the bit pattern)."""

    name: str
    width: int
    values: Tensor


def split_fields(codes: Tensor, number_format: Format) -> tuple[FieldTensor, ...]:
    """The fields from the most significant one down; fields of no bits are left out.

    Posits and takums have `sign` and `body`: `tapered_fields` tells how each body divides.
    """
    wide = wide_codes(codes, number_format)
    layout = number_format.field_widths
    if isinstance(number_format, PositFormat | TakumFormat):
        layout = (("sign", 1), ("body", number_format.width - 1))
    fields = []
    low = number_format.width
    for name, width in layout:
        low -= width
        fields.append(FieldTensor(name, width, (wide >> low) & as_int64((1 << width) - 1)))
    return tuple(fields)

"""The fields of one code, split by torch up to 64 bits, and the weights of bits that have them."""

import torch

from app import codec
from app.exact.text import exact_text
from app.explain import bit_weights
from app.formats import FloatFormat, Format, PositFormat, TakumFormat
from app.tasks.inspection import BitWeight, Field

WIDEST_TENSOR = 64


def field_layout(code: int, number_format: Format) -> tuple[tuple[str, int], ...]:
    """Names and bits of a code's fields, most significant first; in posits and takums they depend on the code.

    Those of a negative posit or takum are the fields of its magnitude, which is how it is read.
    """
    if not isinstance(number_format, PositFormat | TakumFormat):
        return number_format.field_widths
    ordinal = number_format.ordinal_of(code)
    parts = number_format.parts(abs(ordinal or 0))
    return ("sign", 1), *parts.fields


def fields_of(code: int, number_format: Format) -> tuple[Field, ...]:
    """The fields with their bits, which joined are the code's."""
    width = number_format.width
    if isinstance(number_format, FloatFormat) and width <= WIDEST_TENSOR:
        codes = torch.tensor([codec.as_int64(code)])
        mask = (1 << width) - 1
        return tuple(
            Field(part.name, f"{value:0{part.width}b}", str(value))
            for part in codec.split_fields(codes, number_format)
            for value in [int(part.values[0]) & mask]
        )
    fields, low = [], width
    for name, bits in field_layout(code, number_format):
        low -= bits
        value = code >> low & ((1 << bits) - 1)
        fields.append(Field(name, f"{value:0{bits}b}", str(value)))
    return tuple(fields)


def weights_of(code: int, number_format: Format) -> tuple[BitWeight, ...]:
    """What each bit of an integer or fixed-point number adds; nothing for other families."""
    weights = bit_weights(number_format)
    return tuple(
        BitWeight(position, exact_text(weight), bool(code >> position & 1))
        for position, weight in zip(range(len(weights) - 1, -1, -1), weights, strict=True)
    )

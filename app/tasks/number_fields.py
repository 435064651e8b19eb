"""The fields of one code, split by torch, and the weights of an integer's bits."""

import torch

from app import codec
from app.explain import bit_weights
from app.formats import BooleanFormat, Format, IntegerFormat
from app.tasks.inspection import BitWeight, Field


def fields_of(code: int, number_format: Format) -> tuple[Field, ...]:
    """Sign, exponent and mantissa, or the one field of an integer."""
    width = number_format.width
    codes = codec.narrow_codes(torch.tensor([codec.as_int64(code)]), number_format)
    mask = (1 << width) - 1
    return tuple(
        Field(part.name, f"{value:0{part.width}b}", str(value))
        for part in codec.split_fields(codes, number_format)
        for value in [int(part.values[0]) & mask]
    )


def weights_of(code: int, number_format: Format) -> tuple[BitWeight, ...]:
    """What each bit of an integer adds; nothing for floats."""
    if not isinstance(number_format, IntegerFormat | BooleanFormat):
        return ()
    top = number_format.width - 1
    return tuple(
        BitWeight(top - index, str(weight), bool(code >> (top - index) & 1))
        for index, weight in enumerate(bit_weights(number_format))
    )

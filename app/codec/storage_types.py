"""How codes and values of each format lie in torch tensors.

Codes are bit patterns: `uint8` up to 8 bits, `int16`, `int32` and `int64` above (two's complement, so a code with its
top bit set looks negative there); widths between take the next larger, the bits above the width being 0. `wide_codes`
turns them into plain non-negative int64, except for 64-bit formats.
"""

import torch
from torch import Tensor

from app.codec.refusals import refuse_wide
from app.codec.words import as_int64
from app.errors import InvalidInput
from app.formats import BooleanFormat, Format

__all__ = [
    "as_int64",
    "code_dtype",
    "from_codes",
    "has_torch_dtype",
    "narrow_codes",
    "to_codes",
    "torch_dtype",
    "wide_codes",
]

_CODE_TYPES = ((8, torch.uint8), (16, torch.int16), (32, torch.int32), (64, torch.int64))
_OWN_DTYPES: dict[str, torch.dtype] = {
    str(dtype).removeprefix("torch."): dtype
    for dtype in (
        *(torch.float64, torch.float32, torch.bfloat16, torch.float16),
        *(torch.float8_e4m3fn, torch.float8_e5m2, torch.float8_e4m3fnuz, torch.float8_e5m2fnuz, torch.float8_e8m0fnu),
        *(torch.int8, torch.int16, torch.int32, torch.int64),
        *(torch.uint8, torch.uint16, torch.uint32, torch.uint64, torch.bool),
    )
}
"""Those that hold one number an element; torch's int1 to int7 have no storage, its float4 holds two."""


def has_torch_dtype(number_format: Format) -> bool:
    """Whether torch has a dtype whose elements are this format's numbers."""
    return number_format.name in _OWN_DTYPES


def torch_dtype(number_format: Format) -> torch.dtype:
    """torch's own dtype of that name.

    Raises:
        InvalidInput: `codec.no-dtype`, for a format that torch does not have.
    """
    if not has_torch_dtype(number_format):
        raise InvalidInput("codec.no-dtype", format=number_format.name)
    return _OWN_DTYPES[number_format.name]


def code_dtype(number_format: Format) -> torch.dtype:
    """The dtype that holds a format's codes.

    Raises:
        InvalidInput: `codec.too-wide`.
    """
    refuse_wide(number_format)
    return next(dtype for bits, dtype in _CODE_TYPES if number_format.width <= bits)


def wide_codes(codes: Tensor, number_format: Format) -> Tensor:
    """The codes as int64; non-negative below 64 bits."""
    wide = codes.to(torch.int64)
    return wide if number_format.width == 64 else wide & ((1 << number_format.width) - 1)


def narrow_codes(wide: Tensor, number_format: Format) -> Tensor:
    """int64 codes in the format's code dtype; bits above the format's width are dropped."""
    dtype = code_dtype(number_format)
    if number_format.width != dtype.itemsize * 8:
        wide = wide & ((1 << number_format.width) - 1)
    return wide.to(dtype)


def from_codes(codes: Tensor, number_format: Format) -> Tensor:
    """The same bits seen as a tensor of torch's dtype; nothing is computed."""
    if isinstance(number_format, BooleanFormat):
        return codes != 0
    return codes.view(torch_dtype(number_format))


def to_codes(values: Tensor, number_format: Format) -> Tensor:
    """The bits of a tensor of the format's own dtype, seen as codes; nothing is computed."""
    assert values.dtype == torch_dtype(number_format), f"{values.dtype} is not {number_format.name}"
    return values.view(code_dtype(number_format))

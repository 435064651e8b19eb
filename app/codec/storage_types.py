"""How codes and values of each format lie in torch tensors.

Codes are bit patterns: `uint8` up to 8 bits, `int16`, `int32` and `int64` above (two's complement, so a code with its
top bit set looks negative there). `wide_codes` turns them into plain non-negative int64, except for 64-bit formats.
"""

import torch
from torch import Tensor

from app.formats import BooleanFormat, Format

_CODE_TYPES = {1: torch.uint8, 8: torch.uint8, 16: torch.int16, 32: torch.int32, 64: torch.int64}


def torch_dtype(number_format: Format) -> torch.dtype:
    """torch's own dtype of that name; every format of the catalog has one."""
    dtype = getattr(torch, number_format.name)
    assert isinstance(dtype, torch.dtype)
    return dtype


def code_dtype(number_format: Format) -> torch.dtype:
    """The dtype that holds a format's codes."""
    return _CODE_TYPES[number_format.width]


def wide_codes(codes: Tensor, number_format: Format) -> Tensor:
    """The codes as int64; non-negative below 64 bits."""
    wide = codes.to(torch.int64)
    return wide if number_format.width == 64 else wide & ((1 << number_format.width) - 1)


def as_int64(code: int) -> int:
    """The int64 of the same 64 bits."""
    return code - (1 << 64) if code >> 63 else code


def narrow_codes(wide: Tensor, number_format: Format) -> Tensor:
    """int64 codes in the format's code dtype; bits above the format's width are dropped."""
    return wide.to(code_dtype(number_format))


def from_codes(codes: Tensor, number_format: Format) -> Tensor:
    """The same bits seen as a tensor of torch's dtype; nothing is computed."""
    if isinstance(number_format, BooleanFormat):
        return codes != 0
    return codes.view(torch_dtype(number_format))


def to_codes(values: Tensor, number_format: Format) -> Tensor:
    """The bits of a tensor of the format's own dtype, seen as codes; nothing is computed."""
    assert values.dtype == torch_dtype(number_format), f"{values.dtype} is not {number_format.name}"
    return values.view(code_dtype(number_format))

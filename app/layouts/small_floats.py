"""Elements and scales of a few bits as numbers: E2M1, E2M3 and powers of two."""

from functools import lru_cache

import torch
from torch import Tensor

from app.codec import decode
from app.formats import find_format


@lru_cache(maxsize=8)
def _table(name: str, width: int) -> Tensor:
    return decode(torch.arange(1 << width, dtype=torch.uint8), find_format(name), torch.float32)


def e2m1(codes: Tensor, dtype: torch.dtype) -> Tensor:
    """The numbers of 4-bit codes in uint8."""
    return _looked_up(_table("float4_e2m1fn", 4).to(dtype), codes)


def e2m3(codes: Tensor, dtype: torch.dtype) -> Tensor:
    """The numbers of 6-bit codes in uint8."""
    return _looked_up(_table("float6_e2m3fn", 6).to(dtype), codes)


def e3m2(codes: Tensor, dtype: torch.dtype) -> Tensor:
    """The numbers of 6-bit codes in uint8."""
    return _looked_up(_table("float6_e3m2fn", 6).to(dtype), codes)


def _looked_up(table: Tensor, codes: Tensor) -> Tensor:
    return table.index_select(0, codes.reshape(-1).to(torch.int32)).view(codes.shape)


@lru_cache(maxsize=8)
def _powers(dtype: torch.dtype) -> Tensor:
    return torch.tensor([2.0**exponent for exponent in range(-127, 129)], dtype=torch.float64).to(dtype)


def two_to(codes: Tensor, dtype: torch.dtype, *, has_nan: bool) -> Tensor:
    """2^(code - 127) of E8M0 codes in any dtype of one byte; code 255 is NaN, or 2^128 where it is not told apart."""
    found = _looked_up(_powers(dtype), codes.view(torch.uint8))
    return found.masked_fill(codes.view(torch.uint8) == 255, torch.nan) if has_nan else found

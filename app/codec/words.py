"""64-bit words in int64 tensors, read as unsigned: shifts, comparison and bit length."""

import torch
from torch import Tensor

TOP_BIT = torch.iinfo(torch.int64).min
"""The word 10...0."""


def as_int64(word: int) -> int:
    """The int64 of the same 64 bits."""
    return word - (1 << 64) if word >> 63 else word


def shift_left(words: Tensor, count: Tensor) -> Tensor:
    """By 0 bits or more; everything is gone from 64 on."""
    return torch.where(count < 64, words << count.clamp(max=63), 0)


def shift_right(words: Tensor, count: Tensor) -> Tensor:
    """By 0 bits or more, zeros coming in; everything is gone from 64 on."""
    some = count.clamp(1, 63)
    shifted = ((words >> 1) & ~TOP_BIT) >> (some - 1)
    return torch.where(count <= 0, words, torch.where(count < 64, shifted, 0))


def is_above(words: Tensor, others: Tensor | int) -> Tensor:
    """words > others; a Python integer is taken as the int64 of the same bits."""
    return (words ^ TOP_BIT) > (others ^ TOP_BIT)


def bit_length(words: Tensor) -> Tensor:
    """How many bits are left when leading zeros are gone; 0 for 0."""
    high, low = (words >> 32) & 0xFFFFFFFF, words & 0xFFFFFFFF
    return torch.where(high != 0, 32 + _length_of_half(high), _length_of_half(low))


def _length_of_half(words: Tensor) -> Tensor:
    # float64 holds every word of 32 bits, so its exponent field tells the length; that of 0 is 0.
    return ((words.to(torch.float64).view(torch.int64) >> 52) - 1022).clamp(min=0)

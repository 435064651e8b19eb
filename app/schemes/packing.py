"""Codes of a few bits in bytes and words, and out again: dense little-endian streams, or nibbles high or low first."""

import torch
from torch import Tensor


def pack_bits(codes: Tensor, bits: int, word_bytes: int = 4) -> Tensor:
    """uint8 `[rows, columns]` to uint8 `[rows, bytes]`: element i takes the bits from i * bits on of its row.

    Rows are filled up with zeros to whole words.
    """
    rows, columns = codes.shape
    size = -(-columns * bits // (8 * word_bytes)) * word_bytes
    places = torch.arange(bits, dtype=torch.uint8, device=codes.device)
    stream = torch.zeros(rows, size * 8, dtype=torch.uint8, device=codes.device)
    stream[:, : columns * bits] = ((codes[:, :, None] >> places) & 1).view(rows, -1)
    eight = torch.arange(8, dtype=torch.uint8, device=codes.device)
    return (stream.view(rows, size, 8) << eight).sum(dim=2, dtype=torch.uint8)


def unpack_bits(packed: Tensor, bits: int, columns: int) -> Tensor:
    """The inverse of `pack_bits`."""
    rows = packed.shape[0]
    eight = torch.arange(8, dtype=torch.uint8, device=packed.device)
    stream = ((packed[:, :, None] >> eight) & 1).view(rows, -1)[:, : columns * bits]
    places = torch.arange(bits, dtype=torch.uint8, device=packed.device)
    return (stream.reshape(rows, columns, bits) << places).sum(dim=2, dtype=torch.uint8)


def pack_nibbles(codes: Tensor, *, high_first: bool = False) -> Tensor:
    """uint8 `[rows, columns]` to uint8 `[rows, ceil(columns / 2)]`, neighbours in a byte; an odd one beside 0."""
    if codes.shape[1] % 2:
        codes = torch.nn.functional.pad(codes, (0, 1))
    first, second = codes[:, 0::2], codes[:, 1::2]
    return (first << 4 | second) if high_first else (second << 4 | first)


def unpack_nibbles(packed: Tensor, columns: int, *, high_first: bool = False) -> Tensor:
    """The inverse of `pack_nibbles`."""
    low, high = packed & 15, packed >> 4
    pair = (high, low) if high_first else (low, high)
    return torch.stack(pair, dim=2).view(packed.shape[0], -1)[:, :columns].contiguous()

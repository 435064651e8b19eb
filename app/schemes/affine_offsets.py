"""How minima and zero points lie in a file: as floats, packed along dimension 0, or a byte each."""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from app.schemes.packing import unpack_bits
from app.schemes.scale_formats import ScaleFormat

_WORD_BITS = 32


class OffsetLayout(Protocol):
    """From offsets, float32 in the arrangement of scales, to what is stored, and back; and the bits that it takes."""

    def stored(self, offsets: Tensor) -> Tensor:
        """Offsets `[down, across]` that can be stored, as a file has them."""
        ...

    def read(self, stored: Tensor, shape: tuple[int, int]) -> Tensor:
        """float32 of that shape."""
        ...

    def bits(self, shape: tuple[int, int]) -> tuple[int, int]:
        """Of the offsets, and of what fills up their words."""
        ...


@dataclass(frozen=True, slots=True)
class FloatOffsets:
    """Minima or zero points in a float format."""

    number_format: ScaleFormat

    def stored(self, offsets: Tensor) -> Tensor:
        """See `OffsetLayout`."""
        return offsets.to(self.number_format.dtype)

    def read(self, stored: Tensor, shape: tuple[int, int]) -> Tensor:
        """See `OffsetLayout`."""
        return stored.to(torch.float32).view(shape)

    def bits(self, shape: tuple[int, int]) -> tuple[int, int]:
        """See `OffsetLayout`."""
        return shape[0] * shape[1] * self.number_format.bits, 0


@dataclass(frozen=True, slots=True)
class PackedZeroPoints:
    """int32 words `[ceil(down * width / 32), across]`: the zero points of a column as a little-endian stream.

    Of compressed-tensors' pack-quantized layout, for groups and channels: `weight_zero_point`.
    """

    width: int

    def stored(self, offsets: Tensor) -> Tensor:
        """See `OffsetLayout`."""
        down, across = offsets.shape
        groups = -(-down // _WORD_BITS)
        codes = offsets.to(torch.int32)
        if down % _WORD_BITS:
            codes = torch.nn.functional.pad(codes, (0, 0, 0, groups * _WORD_BITS - down))
        codes = codes.view(groups, _WORD_BITS, across)
        words = torch.zeros(groups, self.width, across, dtype=torch.int32, device=offsets.device)
        for row in range(_WORD_BITS):  # thirty-two rows fill as many words as a zero point has bits
            word, shift = divmod(row * self.width, _WORD_BITS)
            words[:, word] |= codes[:, row] << shift
            if shift + self.width > _WORD_BITS:
                words[:, word + 1] |= codes[:, row] >> (_WORD_BITS - shift)
        used = -(-down * self.width // _WORD_BITS)
        return words.view(-1, across)[:used].contiguous()

    def read(self, stored: Tensor, shape: tuple[int, int]) -> Tensor:
        """See `OffsetLayout`."""
        packed = stored.t().clone(memory_format=torch.contiguous_format).view(torch.uint8)
        return unpack_bits(packed, self.width, shape[0]).t().to(torch.float32)

    def bits(self, shape: tuple[int, int]) -> tuple[int, int]:
        """See `OffsetLayout`."""
        down, across = shape
        words = -(-down * self.width // _WORD_BITS)
        used = down * across * self.width
        return used, words * _WORD_BITS * across - used


@dataclass(frozen=True, slots=True)
class ByteZeroPoints:
    """int8, less half of the integers: compressed-tensors' for whole tensors and rectangles."""

    width: int

    def stored(self, offsets: Tensor) -> Tensor:
        """See `OffsetLayout`."""
        return (offsets - (1 << (self.width - 1))).to(torch.int8)

    def read(self, stored: Tensor, shape: tuple[int, int]) -> Tensor:
        """See `OffsetLayout`."""
        return stored.to(torch.float32).view(shape) + (1 << (self.width - 1))

    def bits(self, shape: tuple[int, int]) -> tuple[int, int]:
        """See `OffsetLayout`."""
        return shape[0] * shape[1] * 8, 0

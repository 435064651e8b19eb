"""How often each code of a tensor occurs: all codes of up to 16 bits, or the 16-bit pieces of longer ones."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from app.metrics.blocks import WORTH_COMPILING

PIECE_BITS = 16
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class CodeCounts:
    """`pieces` from the most significant one down, each with a count for every code that it can be."""

    width: int
    pieces: tuple[Counts, ...]

    @property
    def total(self) -> int:
        """How many elements were counted."""
        return int(self.pieces[0].sum())

    @property
    def top_bits(self) -> int:
        """Of the most significant piece."""
        return min(self.width, PIECE_BITS)

    def ones(self) -> tuple[int, ...]:
        """How often each bit is set, the most significant one first."""
        return tuple(ones for piece in self.pieces for ones in _ones(piece))


def _ones(counts: Counts) -> list[int]:
    """The upper half has the top bit set; then both halves are laid over each other for the next bit."""
    ones = []
    while len(counts) > 1:
        lower, upper = counts.reshape(2, -1)
        ones.append(int(upper.sum()))
        counts = lower + upper
    return ones


class CodeCountPass:
    """Counts the elements of one dtype chunk by chunk; needs half a megabyte for each piece, whatever their number."""

    def __init__(self, dtype: torch.dtype) -> None:
        self._width = dtype.itemsize * 8
        self._pieces = max(self._width // PIECE_BITS, 1)
        self._counts = np.zeros((self._pieces, 1 << min(self._width, PIECE_BITS)), np.int64)

    def add(self, values: Tensor) -> None:
        """Counts a contiguous tensor of fewer than 2^32 elements."""
        words = words_of(values).reshape(-1, self._pieces)
        if len(words) < WORTH_COMPILING:
            for piece in range(self._pieces):
                self._counts[piece] += np.bincount(words[:, piece], minlength=self._counts.shape[1])
            return
        from app.metrics.kernels.piece_counts import piece_count_kernel  # noqa: PLC0415 - numba on first use only

        scratch = np.zeros((2, *self._counts.shape), np.uint32)
        piece_count_kernel()(words, scratch)
        self._counts += scratch[0]
        self._counts += scratch[1]

    def counts(self) -> CodeCounts:
        """What was counted; memory holds the least significant piece first."""
        return CodeCounts(self._width, tuple(self._counts[::-1]))


def words_of(values: Tensor) -> npt.NDArray[np.uint8] | npt.NDArray[np.uint16]:
    """The bits of a contiguous tensor, flat: as bytes where an element is one, else in pieces of 16 bits."""
    flat = values.contiguous().view(-1).view(torch.uint8).numpy()
    return flat if values.dtype.itemsize == 1 else flat.view(np.uint16)


@lru_cache(maxsize=16)
def values_of_codes(dtype: torch.dtype) -> npt.NDArray[np.float64]:
    """What each code of up to 16 bits stands for; a boolean's byte is the number it holds."""
    if dtype.itemsize == 1:
        codes = torch.arange(256, dtype=torch.int32).to(torch.uint8)
    else:
        codes = torch.arange(1 << 16, dtype=torch.int32).to(torch.int16)
    seen = codes if dtype is torch.bool else codes.view(dtype)
    values: npt.NDArray[np.float64] = seen.to(torch.float64).numpy()
    values.flags.writeable = False
    return values

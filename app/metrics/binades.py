"""Magnitudes by power of two: how many numbers lie in each binade, counted exactly."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from app.metrics.code_counts import CodeCounts, values_of_codes

LOWEST, HIGHEST = -1074, 1024
"""The binades of float64, subnormals too; those of every narrower format lie within."""
_FLOAT_EXPONENTS = {torch.float32: (8, 127), torch.float64: (11, 1023)}
_EXACT_INTEGER = 1 << 53


@dataclass(frozen=True, slots=True)
class Binades:
    """`counts[i]` finite numbers have a magnitude from 2^(lowest+i) up to twice that."""

    lowest: int
    counts: tuple[int, ...]
    zeros: int
    below: int
    """Subnormals of float32 and float64, which are counted together: they lie below the smallest normal number."""


class BinadePass:
    """Counts the integers of 32 and 64 bits, whose codes do not show their binade; other dtypes need `binades_of`."""

    def __init__(self) -> None:
        self._counts = np.zeros(HIGHEST - LOWEST + 1, np.int64)
        self._zeros = 0

    def add(self, values: Tensor) -> None:
        """Counts a contiguous tensor of integers."""
        magnitudes = _magnitudes(values)
        other = magnitudes[magnitudes > 0]
        self._zeros += magnitudes.size - other.size
        self._counts += np.bincount(np.frexp(other)[1] - 1 - LOWEST, minlength=self._counts.size)

    def binades(self) -> Binades:
        """What was counted."""
        return _trimmed(self._counts, self._zeros, 0)


def needs_pass(dtype: torch.dtype) -> bool:
    """Whether counted codes do not tell the binades of that dtype."""
    return dtype.itemsize > 2 and dtype not in _FLOAT_EXPONENTS


def binades_of(counts: CodeCounts, dtype: torch.dtype, zeros: int) -> Binades:
    """The binades of counted codes; `zeros`, which pieces of longer codes do not tell, is how many elements are 0."""
    assert not needs_pass(dtype), f"the top bits of {dtype} do not tell its binade"
    top = counts.pieces[0]
    if dtype in _FLOAT_EXPONENTS:
        bits, bias = _FLOAT_EXPONENTS[dtype]
        exponents = top.reshape(2, 1 << bits, -1).sum(axis=(0, 2))
        found = np.zeros(HIGHEST - LOWEST + 1, np.int64)
        found[1 - bias - LOWEST :][: len(exponents) - 2] = exponents[1:-1]
        return _trimmed(found, zeros, int(exponents[0]) - zeros)
    values = np.abs(values_of_codes(dtype))
    is_counted = np.isfinite(values) & (values > 0) & (top > 0)
    places = np.frexp(values[is_counted])[1] - 1 - LOWEST
    found = np.bincount(places, weights=top[is_counted], minlength=HIGHEST - LOWEST + 1).astype(np.int64)
    return _trimmed(found, zeros, 0)


def _trimmed(counts: npt.NDArray[np.int64], zeros: int, below: int) -> Binades:
    used = np.flatnonzero(counts)
    if not used.size:
        return Binades(0, (), zeros, below)
    first, last = int(used[0]), int(used[-1])
    return Binades(first + LOWEST, tuple(counts[first : last + 1].tolist()), zeros, below)


def _magnitudes(values: Tensor) -> npt.NDArray[np.float64]:
    whole = values.view(-1).numpy()
    wide = whole.astype(np.int64) if np.issubdtype(whole.dtype, np.signedinteger) else whole
    magnitudes = np.abs(wide).astype(np.uint64)  # of the lowest integer too: its bits are its magnitude
    # Above 2^53 the low bits are cut, so that none is rounded up into the next binade.
    magnitudes = np.where(magnitudes >= _EXACT_INTEGER, magnitudes & ~np.uint64(2047), magnitudes)
    found: npt.NDArray[np.float64] = magnitudes.astype(np.float64)
    return found

"""The histogram of `statistics.histogram_pass`, compiled: at twice the speed, with the numbers outside a range."""

import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import Tensor

from app.metrics.blocks import WORTH_COMPILING, block_buffer, blocks
from app.metrics.statistics import BINS, Histogram, Number, to_float64


def histogram_and_outside(
    chunks: Iterable[Tensor], low: Number, high: Number, least: float, most: float
) -> tuple[Histogram, int]:
    """What `histogram_pass` gives, and how many finite elements lie below `least` or above `most`."""
    counts = np.zeros(BINS, np.int64)
    factor, first, last = bin_range(float(low), float(high))
    outside = 0
    for values in _plain_pieces(chunks):
        if values.size < WORTH_COMPILING:
            numbers = values[np.isfinite(values)].astype(np.float64)
            places = ((numbers * factor - first) * (BINS / (last - first))).astype(np.int64)
            counts += np.bincount(places.clip(0, BINS - 1), minlength=BINS)
            outside += int(np.count_nonzero((numbers < least) | (numbers > most)))
            continue
        from app.metrics.kernels.bin_counts import bin_count_kernel  # noqa: PLC0415 - numba on first use only

        outside += int(bin_count_kernel()(values, factor, first, last, counts, least, most))
    return Histogram(low, high, tuple(counts.tolist())), outside


def bin_range(low: float, high: float) -> tuple[float, float, float]:
    """A power of two that brings a range near 1, so that its width neither overflows nor vanishes, and its ends then.

    Where float64 does not tell the ends apart, all numbers fall into the first bin.
    """
    exponent = math.frexp(max(abs(low), abs(high)))[1]
    factor = math.ldexp(1.0, max(-1000, min(1000, -exponent)))
    first, last = low * factor, high * factor
    return factor, first, last if first < last else first + max(abs(first), 1.0)


def _plain_pieces(chunks: Iterable[Tensor]) -> Iterator[npt.NDArray[Any]]:
    """As numpy has them: in their own dtype where kernels know it, else in float64."""
    buffer = block_buffer()
    for chunk in chunks:
        if chunk.dtype.itemsize >= 4:
            yield chunk.view(-1).numpy()
        else:
            for block in blocks(chunk):
                yield to_float64(block, buffer).numpy()

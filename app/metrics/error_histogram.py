"""The histogram of the errors of a tensor, block by block: `statistics.histogram_pass` over differences."""

from collections.abc import Iterator

import torch
from torch import Tensor

from app.metrics.blocks import block_buffer, blocks
from app.metrics.statistics import Histogram, histogram_pass


def error_histogram(original: Tensor, restored: Tensor) -> Histogram:
    """Errors (restored - original) in bins from the least to the largest; those that are not finite are left out."""
    low, high = 0.0, 0.0
    for error in _errors(original, restored):
        finite = error[torch.isfinite(error)]
        if finite.numel():
            first, last = torch.aminmax(finite)
            low, high = min(low, float(first)), max(high, float(last))
    return histogram_pass(_errors(original, restored), low, high)


def _errors(original: Tensor, restored: Tensor) -> Iterator[Tensor]:
    """Each block in the same float64 buffer."""
    buffer = block_buffer()
    for x, y in zip(blocks(original), blocks(restored), strict=True):
        error = buffer[: x.numel()].copy_(y)
        yield error.sub_(x.to(torch.float64))

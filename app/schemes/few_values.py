"""Blocks of few different numbers, where the compiled searches are too coarse: they are searched by the plain one.

A constant block, one number among zeros, weights of -s, 0 and s: the best scale brings those numbers onto levels to the
last bit of a stored scale, and the error beside it is no smooth curve.
"""

import numpy as np
import torch
from torch import Tensor

from app.schemes.scale_formats import ScaleFormat

_FLOAT16_STEPS = 2.0**-19
"""Below this a float16 scale has fewer than five bits."""


def marked_blocks(values: Tensor, size: int, scale_format: ScaleFormat, largest_level: float) -> Tensor | None:
    """The numbers of such blocks among those of `size` neighbours; None where there are none."""
    from app.schemes.kernels.few_values import mark_blocks  # noqa: PLC0415 - numba is imported on first use
    from app.schemes.kernels.sources import mark  # noqa: PLC0415 - as above

    flat = values.view(-1).numpy()
    marks = np.zeros(flat.size // size, np.uint8)
    small = _FLOAT16_STEPS * largest_level if scale_format.name == "float16" else 0.0
    mark_blocks(flat, np.int64(size), np.float32(small), marks, mark())
    found = torch.from_numpy(marks.nonzero()[0])
    return found if found.numel() else None

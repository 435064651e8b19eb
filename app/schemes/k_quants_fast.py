"""Super-blocks at the speed of compiled code on the CPU: what `SuperBlockScheme.quantize` gives, within 0.01 dB."""

from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor

from app.schemes.grids import Grid
from app.schemes.k_quants import SuperBlockScheme, column_weights
from app.schemes.k_quants_affine import AffineSearch
from app.schemes.k_quants_layout import BLOCK
from app.schemes.kernels.k_quant_pass import AffineTask, SymmetricTask, quantize_affine, quantize_symmetric
from app.schemes.kernels.k_quant_vectors import LANES
from app.schemes.kernels.sources import mark
from app.schemes.scheme import Choices, QuantizedTensor, ScaleRule, check_values

_SMALLEST_SHARE = 1 << 15
"""Elements below which a thread is not worth starting."""


def quantize_super_blocks(
    scheme: SuperBlockScheme, values: Tensor, choices: Choices, out: QuantizedTensor | None = None
) -> QuantizedTensor | None:
    """The matrix as the layout stores it, into the memory of `out` where that is given; None where no kernel does it.

    Raises:
        InvalidInput: what the scheme refuses.
    """
    if choices.scale is ScaleRule.PERCENTILE or not values.numel():
        return None
    if choices.importance is not None:
        check_values(values, choices)
    assert values.dtype == torch.float32, "kernels read float32"
    assert values.is_contiguous(), "kernels read plain memory"
    scheme.check_form(values, choices)
    rows, columns = values.shape
    blocks = values.numel() // BLOCK
    size = columns // BLOCK * scheme.layout.bytes
    codes = torch.empty(rows, size, dtype=torch.uint8) if out is None else out.codes
    assert codes.shape == (rows, size), "memory of another shape"
    assert codes.is_contiguous(), "kernels write plain memory"
    weights = column_weights(choices, 1)
    importance = np.empty(0, np.float32) if weights is None else weights.reshape(-1).numpy()
    task, kernel = _task(scheme, is_searched=choices.scale is ScaleRule.MSE)
    flat, packed = values.view(-1).numpy(), codes.view(-1).numpy()
    are_finite = _in_threads(
        lambda part: bool(kernel(flat, importance, part.start, part.stop, task, packed, mark())),
        blocks,
        choices.threads,
    )
    if not all(are_finite):
        check_values(values, choices)
    return QuantizedTensor((rows, columns), codes)


@cache
def _task(scheme: SuperBlockScheme, *, is_searched: bool) -> tuple[Any, Any]:
    layout, search = scheme.layout, scheme.search
    common = layout.type_id, layout.bytes, layout.sub_blocks, int(is_searched), search.rounds
    levels, thresholds = _levels(scheme.grid)
    if isinstance(search, AffineSearch):
        limits = np.float32(search.top), np.float32(search.limit)
        tries = np.array(search.starts, np.float32), np.array(search.trials, np.float32)
        return AffineTask(*common, search.span, *limits, levels, thresholds, *tries), quantize_affine
    limits = np.float32(search.lowest), np.float32(search.highest)
    tries = np.array(search.starts, np.float32), np.array(search.trials, np.float32)
    return SymmetricTask(
        *common, search.span, 1 + search.both_signs, *limits, levels, thresholds, *tries
    ), quantize_symmetric


def _levels(grid: Grid) -> tuple[Any, Any]:
    if grid.is_uniform:
        return np.array([grid.smallest, grid.largest], np.float32), np.empty(0, np.float32)
    assert len(grid.levels) == LANES, grid.name
    return np.array(grid.levels, np.float32), grid.thresholds().numpy()


def _in_threads(work: Any, blocks: int, threads: int | None) -> list[bool]:
    """The work done on stretches of an even number of super-blocks; kernels let go of Python's lock."""
    wanted = torch.get_num_threads() if threads is None else threads
    shares = max(1, min(wanted, blocks * BLOCK // _SMALLEST_SHARE))
    ends = sorted({min(blocks, -(-blocks // 2) * share // shares * 2) for share in range(shares + 1)})
    parts = [slice(start, end) for start, end in pairwise(ends)]
    if len(parts) == 1:
        return [work(parts[0])]
    with ThreadPoolExecutor(len(parts)) as pool:
        return list(pool.map(work, parts))

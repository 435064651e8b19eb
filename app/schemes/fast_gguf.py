"""GGUF blocks of one scale a group through the compiled pass: codes, scales and their bytes at once."""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from app.schemes.fast_tasks import LARGEST_WORD, CodeForm, Shape, grid_task, largest_word, run_task
from app.schemes.few_values import marked_blocks
from app.schemes.gguf_blocks import GgufBlockScheme, check_row_length
from app.schemes.kernels.block_layouts import BYTES, CRUMBS, FIFTHS, HALVES, SHORT_HALVES, BlockForm
from app.schemes.scale_formats import ScaleFormat
from app.schemes.scheme import Choices, QuantizedTensor, ScaleRule, check_values

_KINDS = {
    "q8_0": BYTES,
    "q4_0": HALVES,
    "q5_0": FIFTHS,
    "iq4_nl": HALVES,
    "mxfp4": HALVES,
    "nvfp4": SHORT_HALVES,
    "tq2_0": CRUMBS,
}
_EXPONENT_BITS = {"float16": 5, "float8_e4m3fn": 4, "float8_e8m0fnu": 8}


def quantize_gguf(
    scheme: GgufBlockScheme, values: Tensor, choices: Choices, out: QuantizedTensor | None
) -> QuantizedTensor | None:
    """The matrix in blocks; None where no kernel does it."""
    layout = scheme.layout
    if layout.name not in _KINDS or choices.scale is ScaleRule.PERCENTILE:
        return None
    check_row_length(scheme.name, layout, values.shape[1])
    flat = values.view(-1).numpy()
    word = largest_word(flat, choices.threads) if layout.name == "nvfp4" else 0
    if word > LARGEST_WORD:
        check_values(values, choices)
    scale_format = scheme.fitted_format(torch.tensor([[word]], dtype=torch.int32).view(torch.float32))
    form = CodeForm(0, blocks=_block_form(scheme), owner_end=_owner_end(scheme), zero_scale=0.0)
    shape = Shape(1, len(flat), layout.group)
    held = grid_task(scheme.grid, form, shape, scale_format, replace(choices, signed_scales=True))
    if held is None:
        return None
    size = len(flat) // layout.elements * layout.bytes
    packed = np.empty(size, np.uint8) if out is None else out.codes.view(-1).numpy()
    assert packed.size == size, "memory of another shape"
    scales = np.empty(len(flat) // layout.group, np.float32)
    if run_task(shape, held.task, flat, scales, packed, choices.threads) > LARGEST_WORD:
        check_values(values, choices)
    if choices.scale is ScaleRule.MSE:
        _search_few(scheme, values, choices, scale_format, torch.from_numpy(packed))
    blocks = torch.from_numpy(packed).view(values.shape[0], -1)
    return scheme.assembled(blocks, (values.shape[0], values.shape[1]), scale_format)


def _search_few(
    scheme: GgufBlockScheme, values: Tensor, choices: Choices, scale_format: ScaleFormat, packed: Tensor
) -> None:
    """Writes the blocks of few different numbers anew."""
    layout = scheme.layout
    marked = marked_blocks(values, layout.group, scale_format, max(map(abs, scheme.grid.levels)))
    if marked is not None:
        whole = torch.unique(marked // (layout.elements // layout.group))
        few = values.view(-1, layout.elements)[whole].contiguous()
        found = scheme.with_scales(few, scheme.find_scales(few, choices, scale_format), scale_format)
        packed.view(-1, layout.bytes)[whole] = found.codes.view(-1, layout.bytes)


def _block_form(scheme: GgufBlockScheme) -> BlockForm:
    layout = scheme.layout
    places = layout.place("d").start, layout.place("q").start
    numbers = _KINDS[layout.name], layout.bytes, layout.elements, layout.group, *places
    return BlockForm(*map(np.int64, (*numbers, _EXPONENT_BITS[layout.scale_format])))


def _owner_end(scheme: GgufBlockScheme) -> float:
    """The level that the owner brings the number of largest magnitude to, from what it makes of 1 and -1."""
    if scheme.layout.name == "mxfp4":
        return 0.0
    positive, negative = scheme.owner_scale(torch.tensor([1.0, -1.0])).tolist()
    end = round(1 / positive)
    assert (end < 0) == (positive != negative), "magnitudes go to a level above zero"
    return float(end)

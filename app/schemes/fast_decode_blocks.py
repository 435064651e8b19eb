"""GGUF's blocks and super-blocks back to float32 through their compiled pass: where things lie in a block."""

from math import prod
from typing import Any

import numpy as np

from app.metrics.blocks import BLOCK_ELEMENTS
from app.schemes.fast_decode import Decoding, Goal
from app.schemes.fast_levels import HeldLevels, counted_levels, grid_levels
from app.schemes.gguf_affine import GgufAffineScheme
from app.schemes.gguf_blocks import GgufBlockScheme
from app.schemes.k_quants import SuperBlockScheme
from app.schemes.k_quants_layout import BLOCK
from app.schemes.kernels import block_layouts
from app.schemes.kernels.decode import MINIMUM, NONE
from app.schemes.kernels.decode_blocks import TRITS, BlocksTask, decode_blocks
from app.schemes.kernels.sources import mark
from app.schemes.scheme import QuantizedTensor

_KINDS = {
    "q8_0": block_layouts.BYTES,
    **dict.fromkeys(("q4_0", "q4_1", "iq4_nl", "mxfp4"), block_layouts.HALVES),
    **dict.fromkeys(("q5_0", "q5_1"), block_layouts.FIFTHS),
    "nvfp4": block_layouts.SHORT_HALVES,
    "tq1_0": TRITS,
    "tq2_0": block_layouts.CRUMBS,
}
_EXPONENT_BITS = {"float16": 5, "float8_e4m3fn": 4, "float8_e8m0fnu": 8}
_NOWHERE = -1


def block_decoding(scheme: GgufBlockScheme | GgufAffineScheme, stored: QuantizedTensor) -> Decoding:
    """Of the simple kinds."""
    layout, unit = scheme.layout, None
    if isinstance(scheme, GgufBlockScheme):
        held, unit = grid_levels(scheme.grid, 0, scheme.unused_levels), scheme.unit_of(stored)
    else:
        held = counted_levels(layout.coding.bits)
    minimum = layout.place("m").start if layout.has_minimum else _NOWHERE
    places = layout.place("d").start, minimum, layout.place("q").start
    numbers = _KINDS[layout.name], layout.bytes, layout.elements, layout.group, *places
    exponent_bits, factor = _EXPONENT_BITS[layout.scale_format], 1.0 if unit is None else float(unit)
    task = _task((*numbers, exponent_bits), factor, held, has_minima=layout.has_minimum)
    return _decoding(stored, task, held)


def super_block_decoding(scheme: SuperBlockScheme, stored: QuantizedTensor) -> Decoding:
    """Of super-blocks."""
    layout, held = scheme.layout, grid_levels(scheme.grid)
    numbers = layout.type_id, layout.bytes, BLOCK, layout.sub_size, 0, _NOWHERE, 0, _EXPONENT_BITS["float16"]
    return _decoding(stored, _task(numbers, 1.0, held, has_minima=layout.has_minima), held)


def _task(numbers: tuple[int, ...], unit: float, held: HeldLevels, *, has_minima: bool) -> BlocksTask:
    kind, bytes_, elements, group, scale, minimum, code, exponent_bits = map(np.int64, numbers)
    places = scale, minimum, code
    offset_kind = np.int64(MINIMUM if has_minima else NONE)
    return BlocksTask(kind, bytes_, elements, group, *places, exponent_bits, np.float32(unit), offset_kind, held.table)


def _decoding(stored: QuantizedTensor, task: BlocksTask, held: HeldLevels) -> Decoding:
    packed: Any = stored.codes.view(-1).numpy()
    size = int(task.elements)

    def work(first: int, end: int, goal: Goal) -> None:
        assert held.memory is not None  # tables live as long as the work
        sums = goal.values, np.int64(BLOCK_ELEMENTS), goal.rows, goal.peak
        decode_blocks(packed, first // size, end // size, task, goal.out, *sums, mark())

    return Decoding(prod(stored.shape), BLOCK_ELEMENTS, work)

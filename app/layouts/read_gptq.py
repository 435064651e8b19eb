"""GPTQ: codes of 2, 3, 4 or 8 bits packed down the columns of the turned matrix, groups perhaps in activation order."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from app.codec import torch_dtype
from app.formats import find_format
from app.layouts.bit_streams import PackedColumns, PackedRows, stream_words
from app.layouts.checked_parts import FLOATS, MOST_COLUMNS, check_shape, check_type, number, odd_shape
from app.layouts.plain_codes import PlainCodes
from app.layouts.rectangles import MatrixDecoder
from app.layouts.scale_grids import block_of, turned_grid
from app.layouts.scaled_codes import IndexedGrid, ScaledCodes, Spread
from app.layouts.stored_tensors import StoredTensors
from app.layouts.weight import Encoding, Weight
from app.weightfiles.file_header import TensorEntry

LAYOUT = "gptq"
_BITS = (2, 3, 4, 8)
_USUAL_GROUPS = (128, 64, 32)
_FIRST, _SECOND = "gptq", "gptq_v2"


def recognise(stored: StoredTensors) -> Sequence[Weight]:
    """Weights `NAME.weight` of `NAME.qweight`, `NAME.qzeros` and `NAME.scales` with codes packed along the input."""
    return list(_recognised(stored))


def _recognised(stored: StoredTensors) -> Iterator[Weight]:
    for entry in stored.entries.values():
        if not entry.name.endswith("qweight"):
            continue
        prefix = entry.name.removesuffix("qweight")
        zeros, scales = stored.entries.get(f"{prefix}qzeros"), stored.entries.get(f"{prefix}scales")
        if zeros is None or scales is None:
            continue
        # AWQ has the same names, and fewer words than scales in a row.
        if len(entry.shape) == len(scales.shape) == 2 and entry.shape[1] == scales.shape[1]:
            index = stored.entries.get(f"{prefix}g_idx")
            yield _weight(stored, _Parts(f"{prefix}weight", entry, zeros, scales, index))


@dataclass(frozen=True, slots=True)
class _Parts:
    name: str
    codes: TensorEntry
    zeros: TensorEntry
    scales: TensorEntry
    index: TensorEntry | None


def _weight(stored: StoredTensors, parts: _Parts) -> Weight:
    bits, columns, group = _checked(stored, parts)
    name, (words, rows), groups = parts.name, parts.codes.shape, parts.scales.shape[0]
    added = 0 if _is_second_version(stored, parts.zeros, bits) else 1
    packed_zeros = PackedRows(parts.zeros, parts.zeros.shape[1], bits)
    block = (1, group)
    scale_grid = turned_grid(PlainCodes(parts.scales, rows).part, rows, groups, block)
    zero_grid = turned_grid(
        lambda reader, piece: packed_zeros.part(reader, piece) + added & (1 << bits) - 1, rows, groups, block
    )
    scales: Spread = scale_grid
    zeros: Spread = zero_grid
    is_ordered = parts.index is not None and _is_ordered(stored, parts.index, group)
    if parts.index is not None and is_ordered:
        scales, zeros = IndexedGrid(name, scale_grid, parts.index), IndexedGrid(name, zero_grid, parts.index)
    dtype = parts.scales.type.format
    codes = PackedColumns(parts.codes, words, rows, bits)
    numbers = ScaledCodes(codes.part, scales, torch_dtype(find_format(dtype)), zeros)
    decoder = MatrixDecoder(columns, numbers.dtype, numbers, is_turned=True)
    text = f"int{bits}:" + ("channel" if groups == 1 else f"group={group}")
    text += "" if stored.quantization_config.get("sym", True) is True else ":asymmetric"
    text += ":act-order" if is_ordered else ""
    entries = tuple(each for each in (parts.codes, parts.scales, parts.zeros, parts.index) if each is not None)
    return Weight(name, (rows, columns), dtype, entries, Encoding(LAYOUT, text, decoder))


def _checked(stored: StoredTensors, parts: _Parts) -> tuple[int, int, int]:
    """Bits of a code, columns, and columns of a group."""
    name = parts.name
    check_type(name, parts.codes, {"int32"})
    check_type(name, parts.zeros, {"int32"})
    check_type(name, parts.scales, FLOATS)
    words, rows = parts.codes.shape
    groups = parts.scales.shape[0]
    if len(parts.zeros.shape) != 2 or parts.zeros.shape[0] != groups:
        raise odd_shape(name, parts.zeros)
    if parts.index is not None:
        check_type(name, parts.index, {"int32"})
        check_shape(name, parts.index, (parts.index.elements,))
    told = number(stored.quantization_config, "bits")
    fitting = [
        (bits, columns)
        for bits in _BITS
        for columns in (words * 32 // bits if parts.index is None else parts.index.elements,)
        if stream_words(rows, bits) == parts.zeros.shape[1] and stream_words(columns, bits) == words
    ]
    chosen = fitting if len(fitting) == 1 else [pair for pair in fitting if pair[0] == told]
    if len(chosen) != 1 or not 0 < chosen[0][1] <= MOST_COLUMNS:
        raise odd_shape(name, parts.codes)
    bits, columns = chosen[0]
    hint = number(stored.quantization_config, "group_size")
    group = block_of(columns, groups, (hint or 0, *_USUAL_GROUPS))
    if group is None:
        raise odd_shape(name, parts.scales)
    return bits, columns, group


def _is_second_version(stored: StoredTensors, zeros: TensorEntry, bits: int) -> bool:
    """Whether zero points are stored as they are; the first version stores them less one.

    Where no config tells, codes in the middle of the range are what symmetric weights have in the second.
    """
    told = stored.quantization_config.get("checkpoint_format")
    if told in (_FIRST, _SECOND) or not zeros.elements or bits == 3:
        return told == _SECOND
    middle = sum(1 << place + bits - 1 for place in range(0, 32, bits))
    return int(stored.first(zeros)) & 0xFFFFFFFF == middle


def _is_ordered(stored: StoredTensors, index: TensorEntry, group: int) -> bool:
    """Whether the columns of a group do not simply follow each other."""
    return any(not torch.equal(chunk, _groups(first, chunk.numel(), group)) for first, chunk in stored.chunks(index))


def _groups(first: int, count: int, group: int) -> Tensor:
    return torch.arange(first, first + count).div_(group, rounding_mode="floor").to(torch.int32)

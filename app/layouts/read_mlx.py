"""MLX: codes of 2 to 8 bits in words, with scales and biases of groups; mxfp4, mxfp8 and nvfp4 with scales alone."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from app.codec import torch_dtype
from app.formats import find_format
from app.layouts.bit_streams import PackedRows
from app.layouts.checked_parts import FLOATS, check_shape, check_type, number, odd_shape, section
from app.layouts.rectangles import MatrixDecoder, PartOfMatrix, matrix_of
from app.layouts.scale_grids import Grid
from app.layouts.scale_shapes import Blocks
from app.layouts.scaled_codes import ScaledCodes, converted
from app.layouts.small_floats import e2m1, two_to
from app.layouts.stored_tensors import StoredTensors
from app.layouts.weight import Encoding, Weight
from app.schemes.matrix_blocks import Piece
from app.weightfiles.file_header import TensorEntry
from app.weightfiles.tensor_reader import TensorReader

LAYOUT = "mlx"
_BITS = (2, 3, 4, 5, 6, 8)
_GROUPS = (64, 32, 128)
"""The usual one first."""


def recognise(stored: StoredTensors) -> Sequence[Weight]:
    """Weights `NAME.weight` in words of 32 bits with `NAME.scales`, and `NAME.biases` where they are affine."""
    return list(_recognised(stored))


def _recognised(stored: StoredTensors) -> Iterator[Weight]:
    config = section(stored.config, "quantization") or section(stored.config, "quantization_config")
    for entry in stored.entries.values():
        if entry.type.format != "uint32" or not entry.name.endswith("weight"):
            continue
        prefix = entry.name.removesuffix("weight")
        scales, biases = stored.entries.get(f"{prefix}scales"), stored.entries.get(f"{prefix}biases")
        if scales is None:
            continue
        if len(entry.shape) < 2 or len(scales.shape) != len(entry.shape) or not scales.shape[-1]:
            raise odd_shape(entry.name, scales)
        if entry.shape[:-1] != scales.shape[:-1]:
            raise odd_shape(entry.name, scales)
        if biases is None:
            yield _microscaled(entry, scales)
            continue
        sizes = _sizes(entry, scales, _told(config, prefix.removesuffix(".")), stored)
        if sizes is not None:
            yield _affine(entry, scales, biases, *sizes)


def _told(config: Mapping[str, Any], path: str) -> Mapping[str, Any]:
    """The config of one layer: its own, or that of all."""
    return section(config, path) or config


def _sizes(
    entry: TensorEntry, scales: TensorEntry, told: Mapping[str, Any], stored: StoredTensors
) -> tuple[int, int] | None:
    """Bits of a code and codes of a group; a row's words alone tell only their product."""
    words, groups = entry.shape[-1], scales.shape[-1]
    bits, group = number(told, "bits"), number(told, "group_size")
    if bits is not None and group is not None:
        if bits not in _BITS or group < 1 or groups * group * bits != words * 32:
            raise odd_shape(entry.name, scales)
        return bits, group
    fitting = [(each, size) for size in _GROUPS for each in _BITS if groups * size * each == words * 32]
    if not fitting:
        raise odd_shape(entry.name, scales)
    return fitting[0] if len(fitting) == 1 or stored.header.metadata.get("format") == "mlx" else None


def _weight(
    entry: TensorEntry, blocks: Blocks, parts: Sequence[TensorEntry], text: str, numbers: PartOfMatrix, dtype: str
) -> Weight:
    shape = (*entry.shape[:-1], blocks.shape[1])
    decoder = MatrixDecoder(blocks.shape[1], torch_dtype(find_format(dtype)), numbers)
    return Weight(entry.name, shape, dtype, (entry, *parts), Encoding(LAYOUT, text, decoder))


def _blocks(scales: TensorEntry, group: int) -> Blocks:
    rows, groups = matrix_of(scales.shape)
    return Blocks(rows, groups, (1, group), (rows, groups * group))


def _affine(entry: TensorEntry, scales: TensorEntry, biases: TensorEntry, bits: int, group: int) -> Weight:
    check_type(entry.name, scales, FLOATS)
    check_type(entry.name, biases, {scales.type.format})
    check_shape(entry.name, biases, scales.shape)
    blocks = _blocks(scales, group)
    codes = PackedRows(entry, entry.shape[-1], bits)
    numbers = partial(_affine_part, codes, blocks.grid(scales), blocks.grid(biases))
    text = f"int{bits}:group={group}:asymmetric"
    return _weight(entry, blocks, (scales, biases), text, numbers, scales.type.format)


def _affine_part(codes: PackedRows, scales: Grid, biases: Grid, reader: TensorReader, piece: Piece) -> Tensor:
    """code * scale + bias, both steps in the scales' dtype."""
    found = scales.over(reader, piece)
    return codes.part(reader, piece).to(found.dtype) * found + biases.over(reader, piece)


@dataclass(frozen=True, slots=True)
class _Mode:
    scheme: str
    bits: int
    group: int


_MODES = {4: _Mode("mxfp4", 4, 32), 8: _Mode("mxfp8", 8, 32), 2: _Mode("nvfp4", 4, 16)}
"""By the words that a group takes."""


def _microscaled(entry: TensorEntry, scales: TensorEntry) -> Weight:
    check_type(entry.name, scales, {"uint8", "float8_e8m0fnu", "float8_e4m3fn"})
    words, rest = divmod(entry.shape[-1], scales.shape[-1])
    mode = _MODES.get(words)
    if mode is None or rest:
        raise odd_shape(entry.name, scales)
    blocks = _blocks(scales, mode.group)
    packed = PackedRows(entry, entry.shape[-1], mode.bits).part
    codes = converted(packed, _fp8 if mode.bits == 8 else _fp4)
    grid = blocks.grid(scales, _scale_fp8 if mode.scheme == "nvfp4" else _power)
    numbers = ScaledCodes(codes, grid, torch.bfloat16)
    return _weight(entry, blocks, (scales,), mode.scheme, numbers, "bfloat16")


def _fp4(codes: Tensor) -> Tensor:
    return e2m1(codes, torch.bfloat16)


def _fp8(codes: Tensor) -> Tensor:
    return codes.contiguous().view(torch.float8_e4m3fn).to(torch.bfloat16)


def _scale_fp8(codes: Tensor) -> Tensor:
    return codes.view(torch.float8_e4m3fn).to(torch.bfloat16)


def _power(codes: Tensor) -> Tensor:
    return two_to(codes, torch.bfloat16, has_nan=False)

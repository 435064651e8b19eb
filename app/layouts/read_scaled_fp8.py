"""FP8 and NVFP4 as DeepSeek and ModelOpt spell them: `weight_scale_inv` of tiles, `weight_scale_2` of a weight."""

from collections.abc import Iterator, Sequence
from functools import partial

import torch
from torch import Tensor

from app.codec import torch_dtype
from app.formats import find_format
from app.layouts.bit_streams import PackedRows
from app.layouts.checked_parts import FLOATS, check_type, model_dtype, odd_shape, part
from app.layouts.plain_codes import PlainCodes
from app.layouts.rectangles import MatrixDecoder, PartOfMatrix, matrix_of
from app.layouts.scale_grids import Grid
from app.layouts.scale_shapes import blocks_of
from app.layouts.small_floats import e2m1, two_to
from app.layouts.stored_tensors import StoredTensors
from app.layouts.weight import Encoding, Weight
from app.schemes.matrix_blocks import Piece
from app.weightfiles.file_header import TensorEntry
from app.weightfiles.tensor_reader import TensorReader

_FP8 = {"float8_e4m3fn": "fp8", "float8_e5m2": "fp8:e5m2"}
_ACTIVATIONS = ("input_scale", "activation_scale_inv")


def recognise(stored: StoredTensors) -> Sequence[Weight]:
    """FP8 weights with `NAME_scale_inv`; packed FP4 weights with `NAME_scale` and `NAME_scale_2`."""
    return list(_recognised(stored))


def _recognised(stored: StoredTensors) -> Iterator[Weight]:
    for entry in stored.entries.values():
        if entry.type.format in _FP8 and f"{entry.name}_scale_inv" in stored.entries:
            yield _tiles(stored, entry)
        elif entry.type.format == "uint8" and f"{entry.name}_scale_2" in stored.entries:
            yield _nvfp4(stored, entry)


def _weight(
    stored: StoredTensors,
    entry: TensorEntry,
    shape: tuple[int, ...],
    parts: Sequence[TensorEntry],
    numbers: PartOfMatrix,
    dtype: str,
    layout: str,
    text: str,
) -> Weight:
    prefix = entry.name.rpartition(".")[0]
    others = (stored.entries.get(f"{prefix}.{each}") for each in _ACTIVATIONS)
    found = (entry, *parts, *(each for each in others if each is not None))
    decoder = MatrixDecoder(matrix_of(shape)[1], torch_dtype(find_format(dtype)), numbers)
    return Weight(entry.name, shape, dtype, found, Encoding(layout, text, decoder))


def _tiles(stored: StoredTensors, entry: TensorEntry) -> Weight:
    scale = part(stored, entry.name, f"{entry.name}_scale_inv")
    check_type(entry.name, scale, FLOATS | {"float8_e8m0fnu", "uint8"})
    blocks = blocks_of(entry.shape, scale.shape, _tile_sizes(stored))
    if blocks is None:
        raise odd_shape(entry.name, scale)
    is_power = scale.type.format not in FLOATS
    dtype = model_dtype(stored) or ("bfloat16" if is_power else scale.type.format)
    grid = blocks.grid(scale, _power) if is_power else blocks.grid(scale)
    numbers = partial(_tiles_part, PlainCodes(entry, blocks.shape[1]), grid, torch_dtype(find_format(dtype)))
    text = f"{_FP8[entry.type.format]}:{blocks.text}"
    return _weight(stored, entry, entry.shape, (scale,), numbers, dtype, "fp8", text)


def _tile_sizes(stored: StoredTensors) -> tuple[tuple[int, ...], tuple[int, ...]]:
    told = stored.quantization_config.get("weight_block_size")
    if isinstance(told, list) and len(told) == 2 and all(type(each) is int for each in told):
        return (told[0],), (told[1],)
    return (128,), (128,)


def _tiles_part(codes: PlainCodes, scales: Grid, dtype: torch.dtype, reader: TensorReader, piece: Piece) -> Tensor:
    """The product in float32, rounded once."""
    found = scales.over(reader, piece).to(torch.float32)
    return (codes.part(reader, piece).to(torch.float32) * found).to(dtype)


def _power(codes: Tensor) -> Tensor:
    return two_to(codes, torch.float32, has_nan=True)


def _nvfp4(stored: StoredTensors, entry: TensorEntry) -> Weight:
    scale, overall = (part(stored, entry.name, f"{entry.name}_scale{each}") for each in ("", "_2"))
    check_type(entry.name, scale, {"float8_e4m3fn"})
    check_type(entry.name, overall, {"float32"})
    if len(entry.shape) < 2:
        raise odd_shape(entry.name, entry)
    shape = (*entry.shape[:-1], entry.shape[-1] * 2)
    blocks, wholes = blocks_of(shape, scale.shape, ((), (16,))), blocks_of(shape, overall.shape)
    if blocks is None or blocks.block[0] != 1:
        raise odd_shape(entry.name, scale)
    if wholes is None:
        raise odd_shape(entry.name, overall)
    dtype = model_dtype(stored) or "bfloat16"
    codes = PackedRows(entry, entry.shape[-1], 4)
    numbers = partial(_nvfp4_part, codes, blocks.grid(scale), wholes.grid(overall), torch_dtype(find_format(dtype)))
    return _weight(stored, entry, shape, (scale, overall), numbers, dtype, "modelopt", "nvfp4")


def _nvfp4_part(
    codes: PackedRows, scales: Grid, overall: Grid, dtype: torch.dtype, reader: TensorReader, piece: Piece
) -> Tensor:
    """code * (scale * scale of the weight) in float32, rounded once."""
    found = scales.over(reader, piece).to(torch.float32) * overall.over(reader, piece)
    return (e2m1(codes.part(reader, piece), torch.float32) * found).to(dtype)

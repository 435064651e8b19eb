"""compressed-tensors: whole numbers and floats of 1 to 8 bits, packed or plain, with scales beside them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from app.codec import torch_dtype
from app.errors import WeightFileError
from app.formats import find_format
from app.layouts.bit_streams import PackedColumns, PackedRows, stream_words
from app.layouts.checked_parts import (
    FLOATS,
    MOST_COLUMNS,
    check_shape,
    check_type,
    number,
    odd_contents,
    odd_shape,
    part,
    section,
)
from app.layouts.plain_codes import PlainCodes
from app.layouts.rectangles import MatrixDecoder, matrix_of
from app.layouts.scale_grids import Grid, turned_grid
from app.layouts.scale_shapes import Blocks, blocks_of
from app.layouts.scaled_codes import IndexedGrid, ScaledCodes, Spread, converted
from app.layouts.small_floats import e2m1, e2m3, two_to
from app.layouts.stored_tensors import StoredTensors
from app.layouts.weight import Encoding, Weight
from app.schemes.matrix_blocks import Piece
from app.weightfiles.file_header import TensorEntry
from app.weightfiles.strict_json import shown
from app.weightfiles.tensor_reader import TensorReader

LAYOUT = "compressed-tensors"
_ACTIVATIONS = ("input_scale", "input_zero_point", "input_global_scale", "output_scale", "output_zero_point")
_PACKED = frozenset({"int32", "uint8"})
_BITS = range(1, 9)
Hints = tuple[tuple[int, ...], tuple[int, ...]]


def recognise(stored: StoredTensors) -> Sequence[Weight]:
    """Weights that have a scale `NAME_scale` beside their codes, `NAME` or `NAME_packed`."""
    return list(_recognised(stored))


def _recognised(stored: StoredTensors) -> Iterator[Weight]:
    hints = _hints(stored.quantization_config)
    for entry in stored.entries.values():
        name = entry.name.removesuffix("_packed")
        if name != entry.name and entry.type.format in _PACKED and f"{name}_scale" in stored.entries:
            yield _packed(stored, entry, name, hints)
        elif entry.type.format in _PLAIN and f"{entry.name}_scale" in stored.entries:
            found = _plain(stored, entry, hints)
            if found is not None:
                yield found


def _hints(config: Mapping[str, Any]) -> Hints:
    """Heights and widths of blocks that the config's groups name."""
    heights, widths = [], []
    for group in section(config, "config_groups").values():
        weights = section(group, "weights") if isinstance(group, dict) else {}
        size = number(weights, "group_size")
        widths += [size] if size is not None else []
        block = weights.get("block_structure")
        if isinstance(block, list) and len(block) == 2 and all(type(each) is int for each in block):
            heights.append(block[0])
            widths.append(block[1])
    return tuple(heights), tuple(widths)


def _config_bits(config: Mapping[str, Any]) -> set[int | None]:
    groups = (each for each in section(config, "config_groups").values() if isinstance(each, dict))
    return {number(section(group, "weights"), "num_bits") for group in groups}


def _weight(
    entry: TensorEntry,
    name: str,
    shape: tuple[int, ...],
    parts: Sequence[TensorEntry | None],
    stored: StoredTensors,
    scheme: str,
    numbers: ScaledCodes | Callable[[TensorReader, Piece], Tensor],
    dtype: str,
) -> Weight:
    prefix = name.rpartition(".")[0]
    activations = (stored.entries.get(f"{prefix}.{each}") for each in _ACTIVATIONS)
    decoder = MatrixDecoder(matrix_of(shape)[1], torch_dtype(find_format(dtype)), numbers)
    found = tuple(each for each in (entry, *parts, *activations) if each is not None)
    return Weight(name, shape, dtype, found, Encoding(LAYOUT, scheme, decoder))


# Codes in a stored tensor of their own


def _packed(stored: StoredTensors, entry: TensorEntry, name: str, hints: Hints) -> Weight:
    scale = part(stored, name, f"{name}_scale")
    if entry.type.format == "int32":
        return _packed_whole(stored, entry, scale, name, hints)
    if not entry.shape:
        raise odd_shape(name, entry)
    if scale.type.format == "float8_e4m3fn":
        return _nvfp4(stored, entry, scale, name)
    check_type(name, scale, {"uint8", "float8_e8m0fnu"})
    return _packed_mx(stored, entry, scale, name)


def _packed_whole(stored: StoredTensors, entry: TensorEntry, scale: TensorEntry, name: str, hints: Hints) -> Weight:
    shape_entry = part(stored, name, f"{name}_shape")
    check_type(name, scale, FLOATS)
    shape = _written_shape(stored, shape_entry, name)
    _, columns = matrix_of(shape)
    if len(shape) < 2 or entry.shape[:-1] != shape[:-1] or not columns:
        raise odd_shape(name, entry)
    bits = _bits(entry.shape[-1], columns, _config_bits(stored.quantization_config), name)
    index = stored.entries.get(f"{name}_g_idx")
    blocks = blocks_of(shape, scale.shape, hints)
    if blocks is None:
        raise odd_shape(name, scale)
    dtype = torch_dtype(find_format(scale.type.format))
    zero = stored.entries.get(f"{name}_zero_point")
    scale_grid = blocks.grid(scale)
    zero_grid = None if zero is None else _packed_zeros(zero, name, shape, blocks, bits)
    scales: Spread = scale_grid
    zeros: Spread | None = zero_grid
    if index is not None and _is_used(stored, index, name, columns):
        if columns > MOST_COLUMNS:
            raise odd_shape(name, index)
        scales = IndexedGrid(name, scale_grid, index)
        zeros = None if zero_grid is None else IndexedGrid(name, zero_grid, index)
    codes = PackedRows(entry, entry.shape[-1], bits)
    numbers = ScaledCodes(codes.part, scales, dtype, zeros, offset=1 << (bits - 1))
    text = f"int{bits}:{blocks.text}" + (":asymmetric" if zero is not None else "")
    return _weight(entry, name, shape, (scale, shape_entry, zero, index), stored, text, numbers, scale.type.format)


def _written_shape(stored: StoredTensors, entry: TensorEntry, name: str) -> tuple[int, ...]:
    check_type(name, entry, {"int64", "int32"})
    if len(entry.shape) != 1 or not 2 <= entry.elements <= 8:
        raise odd_shape(name, entry)
    shape = tuple(stored.small(entry).tolist())
    if not all(0 <= dimension < 1 << 48 for dimension in shape):
        raise odd_contents(name, entry)
    return shape


def _bits(words: int, columns: int, told: set[int | None], name: str) -> int:
    """Of a code, from how many words a row takes; short rows leave it to the config."""
    fitting = [bits for bits in _BITS if stream_words(columns, bits) == words]
    chosen = fitting if len(fitting) == 1 else [bits for bits in fitting if bits in told]
    if len(chosen) != 1:
        raise WeightFileError("layout.bits-unclear", tensor=shown(name), words=words, columns=columns)
    return chosen[0]


def _packed_zeros(entry: TensorEntry, name: str, shape: tuple[int, ...], blocks: Blocks, bits: int) -> Grid:
    """Zero points of rows or groups, packed down the rows, plus half of the range as codes are; or plain int8."""
    if entry.type.format == "int8":
        is_one = entry.shape == (1,) and blocks.rows * blocks.columns == 1
        check_shape(name, entry, (1,) if is_one else (blocks.rows, blocks.columns))
        return blocks.grid(entry, lambda numbers: numbers.to(torch.int16) + (1 << (bits - 1)))
    check_type(name, entry, {"int32"})
    if blocks.block[0] != 1 or len(shape) != 2:
        raise odd_shape(name, entry)
    words = stream_words(blocks.rows, bits)
    check_shape(name, entry, (words, blocks.columns))

    packed = PackedColumns(entry, words, blocks.columns, bits)
    return turned_grid(packed.part, blocks.rows, blocks.columns, blocks.block)


def _is_used(stored: StoredTensors, index: TensorEntry, name: str, columns: int) -> bool:
    """Whether there is an order: the owner writes -1 for none."""
    check_type(name, index, {"int32", "int64"})
    check_shape(name, index, (columns,))
    return int(stored.first(index)) != -1


def _nvfp4(stored: StoredTensors, entry: TensorEntry, scale: TensorEntry, name: str) -> Weight:
    overall = part(stored, name, f"{name}_global_scale")
    check_type(name, overall, {"float32"})
    shape = (*entry.shape[:-1], entry.shape[-1] * 2)
    blocks = blocks_of(shape, scale.shape, ((), (16,)))
    if blocks is None or blocks.block[0] != 1:
        raise odd_shape(name, scale)
    wholes = blocks_of(shape, overall.shape)
    if wholes is None:
        raise odd_shape(name, overall)
    numbers = partial(_nvfp4_part, PackedRows(entry, entry.shape[-1], 4), blocks.grid(scale), wholes.grid(overall))
    return _weight(entry, name, shape, (scale, overall), stored, "nvfp4", numbers, "bfloat16")


def _nvfp4_part(codes: PackedRows, scales: Grid, overall: Grid, reader: TensorReader, piece: Piece) -> Tensor:
    """As the owner does: scales in bfloat16, divided and multiplied in float32, the product in bfloat16."""
    divided = scales.over(reader, piece).to(torch.bfloat16) / overall.over(reader, piece)
    return (e2m1(codes.part(reader, piece), torch.float32) * divided).to(torch.bfloat16)


def _packed_mx(stored: StoredTensors, entry: TensorEntry, scale: TensorEntry, name: str) -> Weight:
    blocks_a_row = scale.shape[-1] if scale.shape else 0
    bits = {16: 4, 24: 6}.get(entry.shape[-1] // blocks_a_row if blocks_a_row else 0)
    if bits is None or scale.shape[:-1] != entry.shape[:-1] or entry.shape[-1] % blocks_a_row:
        raise odd_shape(name, scale)
    shape = (*entry.shape[:-1], blocks_a_row * 32)
    blocks = Blocks(matrix_of(shape)[0], blocks_a_row, (1, 32), matrix_of(shape))
    read = e2m1 if bits == 4 else e2m3
    codes = converted(PackedRows(entry, entry.shape[-1], bits).part, lambda found: read(found, torch.bfloat16))
    numbers = ScaledCodes(codes, blocks.grid(scale, _power), torch.bfloat16)
    return _weight(entry, name, shape, (scale,), stored, f"mxfp{bits}", numbers, "bfloat16")


def _power(codes: Tensor) -> Tensor:
    return two_to(codes, torch.bfloat16, has_nan=False)


# Codes that are stored as they are

_PLAIN = {
    "int8": "int8",
    "float8_e4m3fn": "fp8",
    "float8_e5m2": "fp8:e5m2",
    "float8_e4m3fnuz": "fp8:e4m3fnuz",
    "float8_e5m2fnuz": "fp8:e5m2fnuz",
}


def _plain(stored: StoredTensors, entry: TensorEntry, hints: Hints) -> Weight | None:
    scale = stored.entries[f"{entry.name}_scale"]
    is_told = stored.quantization_config.get("quant_method") == LAYOUT
    blocks = blocks_of(entry.shape, scale.shape, hints)
    is_mx = scale.type.format in {"uint8", "float8_e8m0fnu"} and entry.type.format == "float8_e4m3fn"
    if blocks is None or not (is_mx or scale.type.format in FLOATS):
        if is_told:
            raise odd_shape(entry.name, scale)
        return None
    if is_mx:
        numbers = ScaledCodes(PlainCodes(entry, blocks.shape[1]).part, blocks.grid(scale, _power), torch.bfloat16)
        return _weight(entry, entry.name, entry.shape, (scale,), stored, "mxfp8", numbers, "bfloat16")
    zero = stored.entries.get(f"{entry.name}_zero_point")
    if zero is not None:
        check_type(entry.name, zero, {"int8", "int32", "int64"} | FLOATS | _PLAIN.keys())
        check_shape(entry.name, zero, scale.shape)
    dtype = torch_dtype(find_format(scale.type.format))
    zeros = None if zero is None else blocks.grid(zero)
    numbers = ScaledCodes(PlainCodes(entry, blocks.shape[1]).part, blocks.grid(scale), dtype, zeros)
    text = f"{_PLAIN[entry.type.format]}:{blocks.text}" + (":asymmetric" if zero is not None else "")
    return _weight(entry, entry.name, entry.shape, (scale, zero), stored, text, numbers, scale.type.format)

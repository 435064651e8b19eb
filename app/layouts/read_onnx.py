"""ONNX: initializers that DequantizeLinear, MatMulNBits or Cast nodes of the model turn into weights."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from app.codec import torch_dtype
from app.formats import find_format
from app.layouts.bit_streams import PackedRows
from app.layouts.checked_parts import FLOATS, check_shape, check_type, odd_shape
from app.layouts.flat_codes import FlatCodes
from app.layouts.onnx_scale_views import ScaleView, view_of
from app.layouts.plain_codes import PlainCodes
from app.layouts.rectangles import MatrixDecoder, PartOfMatrix, read_run
from app.layouts.scale_grids import Grid, stored_grid
from app.layouts.stored_tensors import StoredTensors
from app.layouts.weight import Encoding, Weight
from app.schemes.matrix_blocks import Piece
from app.weightfiles.file_header import TensorEntry, check_name
from app.weightfiles.onnx_nodes import QuantizerNode
from app.weightfiles.onnx_types import ONNX_TYPES
from app.weightfiles.tensor_reader import TensorReader

LAYOUT = "onnx"
_FLOAT8 = {
    "float8_e4m3fn": "fp8",
    "float8_e5m2": "fp8:e5m2",
    "float8_e4m3fnuz": "fp8:e4m3fnuz",
    "float8_e5m2fnuz": "fp8:e5m2fnuz",
}
_WHOLE = {"int2", "uint2", "int4", "uint4", "int8", "uint8", "int16", "uint16", "int32"}
_BITS = (2, 4, 8)
_SUFFIX = re.compile(r"(?s)(.+?)_(?:quantized|Q[248](?:G\d+)?)(?:_\d+)?", re.ASCII)
"""The name of a weight, and what onnxruntime's own tools put behind it."""


def recognise(stored: StoredTensors) -> Sequence[Weight]:
    """Weights that a node of the main graph makes of initializers alone."""
    return list(_recognised(stored))


def _recognised(stored: StoredTensors) -> Iterator[Weight]:
    nodes: Sequence[QuantizerNode] = stored.header.details.get("quantizers", ())
    names = set(stored.entries)
    shared: set[str] = set()
    for node in nodes:
        weight = _READERS[node.operator](node, stored)
        if weight is None:
            continue
        own_codes = weight.parts[0].name
        if weight.name in names and weight.name != own_codes:
            weight = replace(weight, name=own_codes)
        if own_codes in shared:
            continue
        check_name(weight.name)
        names.add(weight.name)
        # A scale that several weights have belongs to the first of them.
        own = tuple(part for part in weight.parts if part.name not in shared)
        shared |= {part.name for part in own}
        yield replace(weight, parts=own)


def _dequantized(node: QuantizerNode, stored: StoredTensors) -> Weight | None:
    parts = [stored.entries.get(name) for name in node.inputs if name]
    if not 2 <= len(parts) <= 3 or any(part is None for part in parts) or node.attributes.get("output_dtype"):
        return None
    codes, scale, *zeros = (part for part in parts if part is not None)
    kind = codes.type.format
    if (kind not in _WHOLE and kind not in _FLOAT8) or scale.type.format not in FLOATS:
        return None
    for zero in zeros:
        check_type(node.output, zero, {kind})
        check_shape(node.output, zero, scale.shape)
    view = view_of(codes.shape, scale.shape, node.attributes.get("axis", 1), node.attributes.get("block_size", 0))
    if view is None:
        return None
    name = _own_name(codes.name) or node.output
    dtype = torch_dtype(find_format(scale.type.format))
    is_centred = bool(zeros) and kind in _WHOLE  # of floats they are zero
    numbers = _Restored(
        _codes(codes, view.columns), _grid(scale, view), _grid(zeros[0], view) if is_centred else None, dtype
    )
    text = f"{_FLOAT8.get(kind, kind.removeprefix('u'))}:{view.text}{':asymmetric' if is_centred else ''}"
    encoding = Encoding(LAYOUT, text, MatrixDecoder(view.columns, dtype, numbers))
    return Weight(name, codes.shape, scale.type.format, (codes, scale, *zeros), encoding)


def _own_name(codes: str) -> str:
    """The weight's, where its codes are called after it; else nothing."""
    found = _SUFFIX.fullmatch(codes)
    return "" if found is None else found[1]


def _codes(entry: TensorEntry, columns: int) -> PartOfMatrix:
    if entry.type.bits < 8:
        return FlatCodes(entry, columns, entry.type.format.startswith("int")).part
    return PlainCodes(entry, columns).part


def _grid(entry: TensorEntry, view: ScaleView) -> Grid:
    rows, columns = view.grid
    if view.cycle:
        # A row of scales for each index of the axis, again for each index of what is outside.
        part = _codes(entry, view.cycle)

        def read(reader: TensorReader, piece: Piece) -> Tensor:
            places = torch.arange(piece.row, piece.row_end) % view.cycle
            return part(reader, Piece(0, 1, 0, view.cycle)).view(-1)[places].view(-1, 1)

        return Grid(rows, columns, view.block, read)
    if entry.type.bits < 8:
        return Grid(rows, columns, view.block, _codes(entry, columns))
    return stored_grid(entry, rows, columns, view.block)


@dataclass(frozen=True, slots=True)
class _Restored:
    """(code - zero) * scale in float32, rounded once: codes of 8 bits and scales of 16 have exact products there."""

    codes: PartOfMatrix
    scales: Grid
    zeros: Grid | None
    dtype: torch.dtype

    def __call__(self, reader: TensorReader, part: Piece) -> Tensor:
        numbers = self.codes(reader, part).to(torch.float32)
        if self.zeros is not None:
            numbers = numbers - self.zeros.over(reader, part).to(torch.float32)
        return (numbers * self.scales.over(reader, part).to(torch.float32)).to(self.dtype)


def _multiplied(node: QuantizerNode, stored: StoredTensors) -> Weight | None:
    """MatMulNBits: the turned matrix in groups along its rows, each code unsigned."""
    names = (*node.inputs, *[""] * 5)
    told = node.attributes
    columns, rows, bits, size = (told.get(name, 0) for name in ("K", "N", "bits", "block_size"))
    codes, scale = stored.entries.get(names[1]), stored.entries.get(names[2])
    zero = stored.entries.get(names[3])
    is_other = bool(names[4]) or (bool(names[3]) and zero is None) or (bits or 4) not in _BITS
    if codes is None or scale is None or is_other or min(columns, rows, size) < 1:
        return None
    bits = bits or 4
    name = _own_name(codes.name) or codes.name
    check_type(name, codes, {"uint8"})
    check_type(name, scale, FLOATS)
    blocks, block_bytes = -(-columns // size), -(-size * bits // 8)
    if codes.elements != rows * blocks * block_bytes or size * bits % 8:
        raise odd_shape(name, codes)
    if scale.elements != rows * blocks:
        raise odd_shape(name, scale)
    dtype = torch_dtype(find_format(scale.type.format))
    grid = stored_grid(scale, rows, blocks, (1, size))
    packed = PackedRows(codes, blocks * block_bytes, bits)
    numbers = _Turned(_Restored(packed.part, grid, _zero_points(name, zero, (rows, blocks), bits, size), dtype))
    text = f"int{bits}:group={size}{'' if zero is None else ':asymmetric'}"
    encoding = Encoding(LAYOUT, text, MatrixDecoder(rows, dtype, numbers, is_turned=True))
    parts = (codes, scale) if zero is None else (codes, scale, zero)
    return Weight(name, (columns, rows), scale.type.format, parts, encoding)


def _zero_points(name: str, zero: TensorEntry | None, shape: tuple[int, int], bits: int, size: int) -> Grid:
    rows, blocks = shape
    if zero is None:
        half = torch.full((1, 1), float(1 << (bits - 1)))
        return Grid(1, 1, (rows, size * blocks), lambda _reader, _piece: half)
    if zero.type.format != "uint8":
        check_type(name, zero, FLOATS)
        if zero.elements != rows * blocks:
            raise odd_shape(name, zero)
        return stored_grid(zero, rows, blocks, (1, size))
    row_bytes = -(-blocks * bits // 8)
    if zero.elements != rows * row_bytes:
        raise odd_shape(name, zero)
    return Grid(rows, blocks, (1, size), PackedRows(zero, row_bytes, bits).part)


@dataclass(frozen=True, slots=True)
class _Turned:
    part: PartOfMatrix

    def __call__(self, reader: TensorReader, part: Piece) -> Tensor:
        return self.part(reader, Piece(part.column, part.column_end, part.row, part.row_end)).t()


def _cast(node: QuantizerNode, stored: StoredTensors) -> Weight | None:
    """Floats that the model casts to another type, no narrower, before it uses them."""
    entry = stored.entries.get(node.inputs[0]) if len(node.inputs) == 1 else None
    kind = ONNX_TYPES.get(node.attributes.get("to", 0))
    floats = {*FLOATS, *_FLOAT8}
    if entry is None or kind is None or entry.type.format not in floats or kind.format not in FLOATS:
        return None
    if kind.bits < entry.type.bits or kind.format == entry.type.format:
        return None
    dtype, columns = torch_dtype(find_format(kind.format)), max(entry.shape[-1] if entry.shape else 1, 1)

    def numbers(reader: TensorReader, part: Piece) -> Tensor:
        return read_run(reader, entry, part.row * columns + part.column, part.elements).to(dtype).view(part.rows, -1)

    encoding = Encoding(LAYOUT, entry.type.format, MatrixDecoder(columns, dtype, numbers))
    return Weight(node.output, entry.shape, kind.format, (entry,), encoding)


_READERS = {"DequantizeLinear": _dequantized, "MatMulNBits": _multiplied, "Cast": _cast}

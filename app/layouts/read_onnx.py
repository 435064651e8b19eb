"""ONNX: initializers that `DequantizeLinear` or `MatMulNBits` turn into numbers, with their scales and zero points."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor

from app.codec import torch_dtype
from app.formats import find_format
from app.layouts.bit_streams import PackedRows
from app.layouts.checked_parts import FLOATS, check_shape, check_type, number, odd_shape
from app.layouts.flat_codes import FlatCodes, code_bits
from app.layouts.rectangles import MatrixDecoder, PartOfMatrix, matrix_of
from app.layouts.scale_grids import Grid, stored_grid
from app.layouts.scale_shapes import Blocks
from app.layouts.stored_tensors import StoredTensors
from app.layouts.weight import Encoding, Weight
from app.schemes.matrix_blocks import Piece
from app.weightfiles.file_header import TensorEntry
from app.weightfiles.onnx_nodes import QuantizerNode
from app.weightfiles.tensor_reader import TensorReader

LAYOUT = "onnx"
_SUFFIXES = ("_quantized", "_Q2", "_Q4", "_Q8")
"""What quantizers put behind the name of the weight."""
_BITS = (2, 4, 8)
_MOST_BLOCK = 1 << 20


def recognise(stored: StoredTensors) -> Sequence[Weight]:
    """Weights of the graph's nodes whose codes and scales are initializers."""
    nodes = stored.header.details.get("quantizers", ())
    found = (_read(stored, node) for node in nodes if isinstance(node, QuantizerNode))
    return [weight for weight in found if weight is not None]


def _read(stored: StoredTensors, node: QuantizerNode) -> Weight | None:
    first = 0 if node.operator == "DequantizeLinear" else 1
    entries = [stored.entries.get(name) for name in node.inputs[first:]]
    if len(entries) < 2 or entries[0] is None or entries[1] is None or entries[1].type.format not in FLOATS:
        return None
    codes, scale, zero = entries[0], entries[1], entries[2] if len(entries) > 2 else None
    if zero is None and node.inputs[first + 2 : first + 3] not in ((), ("",)):
        # Zero points that the graph computes.
        return None
    name = _name(stored, codes.name)
    if node.operator == "DequantizeLinear":
        return _dequantized(node, name, codes, scale, zero)
    if any(node.inputs[4:5]):  # groups in an order of their own
        return None
    return _n_bits(node, name, codes, scale, zero)


def _name(stored: StoredTensors, name: str) -> str:
    """The weight's own, where its quantizer only added to it."""
    found = next((name.removesuffix(each) for each in _SUFFIXES if name.endswith(each) and name != each), name)
    return name if found in stored.entries else found


# DequantizeLinear


def _dequantized(
    node: QuantizerNode, name: str, codes: TensorEntry, scale: TensorEntry, zero: TensorEntry | None
) -> Weight | None:
    bits = code_bits(codes)
    blocks = _blocks(node, codes.shape, scale.shape)
    if bits is None or blocks is None:
        return None
    if zero is not None:
        check_type(name, zero, {codes.type.format})
        check_shape(name, zero, scale.shape)
    dtype = scale.type.format
    numbers = _Affine(
        FlatCodes(codes, blocks.shape[1]).part,
        blocks.grid(scale),
        None if zero is None else Grid(blocks.rows, blocks.columns, blocks.block, FlatCodes(zero, blocks.columns).part),
        torch_dtype(find_format(dtype)),
    )
    kind = codes.type.format if "float" not in codes.type.format else f"fp{bits}"
    text = f"{kind}:{blocks.text}" + ("" if zero is None else ":asymmetric")
    decoder = MatrixDecoder(max(blocks.shape[1], 1), numbers.dtype, numbers)
    parts = (codes, scale) if zero is None else (codes, scale, zero)
    return Weight(name, codes.shape, dtype, parts, Encoding(LAYOUT, text, decoder))


def _blocks(node: QuantizerNode, shape: tuple[int, ...], scale: tuple[int, ...]) -> Blocks | None:
    """Of the weight as a matrix; None where the axis is neither its first nor its last, or nothing fits."""
    rows, columns = matrix_of(shape)
    rank = len(shape)
    if prod(scale) == 1 and len(scale) <= 1:
        return Blocks(1, 1, (max(rows, 1), max(columns, 1)), (rows, columns))
    axis = node.attributes.get("axis", 1)
    axis += rank if axis < 0 else 0
    size = node.attributes.get("block_size", 0)
    if not 0 <= axis < rank or not 0 <= size < _MOST_BLOCK:
        return None
    if size == 0:
        if scale != (shape[axis],):
            return None
        if axis == rank - 1:
            return Blocks(1, columns, (max(rows, 1), 1), (rows, columns))
        inner = prod(shape[1:-1])
        return Blocks(shape[0], 1, (inner, max(columns, 1)), (rows, columns)) if axis == 0 and inner else None
    expected = tuple(-(-each // size) if place == axis else each for place, each in enumerate(shape))
    if scale != expected:
        return None
    if axis == rank - 1:
        return Blocks(rows, scale[-1], (1, size), (rows, columns))
    return Blocks(scale[0], columns, (size, 1), (rows, columns)) if rank == 2 else None


@dataclass(frozen=True, slots=True)
class _Affine:
    """(code - zero) * scale in float32, rounded once to the scale's dtype."""

    codes: PartOfMatrix
    scales: Grid
    zeros: Grid | None
    dtype: torch.dtype
    middle: int = 0

    def __call__(self, reader: TensorReader, part: Piece) -> Tensor:
        numbers = self.codes(reader, part).to(torch.float32)
        if self.zeros is not None:
            numbers = numbers - self.zeros.over(reader, part).to(torch.float32)
        elif self.middle:
            numbers = numbers - self.middle
        return (numbers * self.scales.over(reader, part).to(torch.float32)).to(self.dtype)


# MatMulNBits


def _n_bits(node: QuantizerNode, name: str, codes: TensorEntry, scale: TensorEntry, zero: TensorEntry | None) -> Weight:
    """`[N, K]`, the matrix that the input is multiplied by turned; the last block of a row may be short."""
    columns, rows = (number(node.attributes, each) or 0 for each in ("K", "N"))
    bits, size = node.attributes.get("bits", 4), number(node.attributes, "block_size") or 0
    check_type(name, codes, {"uint8"})
    if bits not in _BITS or not 1 <= size <= _MOST_BLOCK or size * bits % 8 or columns < 1 or rows < 1:
        raise odd_shape(name, codes)
    across, row_bytes = -(-columns // size), -(-columns // size) * size * bits // 8
    if codes.elements != rows * row_bytes or codes.shape[:1] != (rows,):
        raise odd_shape(name, codes)
    if scale.elements != rows * across:
        raise odd_shape(name, scale)
    blocks = Blocks(rows, across, (1, size), (rows, columns))
    dtype = scale.type.format
    numbers = _Affine(
        PackedRows(codes, row_bytes, bits).part,
        blocks.grid(scale),
        None if zero is None else _n_bits_zeros(name, zero, blocks, bits),
        torch_dtype(find_format(dtype)),
        1 << (bits - 1),
    )
    text = f"int{bits}:{blocks.text}" + ("" if zero is None else ":asymmetric")
    decoder = MatrixDecoder(columns, numbers.dtype, numbers)
    parts = (codes, scale) if zero is None else (codes, scale, zero)
    return Weight(name, (rows, columns), dtype, parts, Encoding(LAYOUT, text, decoder))


def _n_bits_zeros(name: str, zero: TensorEntry, blocks: Blocks, bits: int) -> Grid:
    """Packed in whole bytes a row like the codes, or one of the scales' type for each block."""
    if zero.type.format in FLOATS:
        if zero.elements != blocks.rows * blocks.columns:
            raise odd_shape(name, zero)
        return stored_grid(zero, blocks.rows, blocks.columns, blocks.block)
    check_type(name, zero, {"uint8"})
    row_bytes = -(-blocks.columns * bits // 8)
    if zero.elements != blocks.rows * row_bytes:
        raise odd_shape(name, zero)
    return Grid(blocks.rows, blocks.columns, blocks.block, PackedRows(zero, row_bytes, bits).part)

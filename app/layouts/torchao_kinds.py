"""The kinds of tensors that torchao saves, each read as its own `dequantize` computes it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from app.codec import torch_dtype
from app.formats import find_format
from app.layouts.bit_streams import PackedRows
from app.layouts.checked_parts import FLOATS, check_shape, check_type, odd_shape
from app.layouts.plain_codes import PlainCodes
from app.layouts.rectangles import PartOfMatrix, matrix_of
from app.layouts.scale_grids import Grid, turned_grid
from app.layouts.scale_shapes import Blocks
from app.layouts.scaled_codes import Spread
from app.layouts.small_floats import e2m1, e2m3, e3m2, two_to
from app.layouts.swizzled_scales import swizzled_elements, swizzled_grid
from app.layouts.torchao_described import Described
from app.layouts.weight import Weight
from app.schemes.matrix_blocks import Piece
from app.weightfiles.file_header import TensorEntry
from app.weightfiles.tensor_reader import TensorReader


def _blocks(described: Described, shape: tuple[int, ...], block: tuple[int, ...], attribute: str) -> Blocks:
    """Of one size over the whole weight; leading dimensions are matrices of their own."""
    if len(shape) < 2 or any(size % each for size, each in zip(shape, block, strict=True)):
        raise described.refusal(attribute)
    rows, columns = matrix_of(shape)
    height = block[-2]
    if any(each > 1 for each in block[:-2]):
        # One block over all matrices, or nothing that we know.
        if block[:-1] != shape[:-1]:
            raise described.refusal(attribute)
        height = rows
    return Blocks(max(rows // height, 1), max(columns // block[-1], 1), (height, block[-1]), (rows, columns))


def _whole(described: Described, bits: str) -> Weight:
    """Int8Tensor, IntxUnpackedToInt8Tensor: (code - zero) in the weight's dtype, times a scale of perhaps more bits."""
    codes, scale, zero = described.part("qdata"), described.part("scale"), described.parts.get("zero_point")
    check_type(described.name, codes, {"int8"})
    check_type(described.name, scale, FLOATS)
    blocks = _blocks(described, codes.shape, described.sizes("block_size", len(codes.shape)), "block_size")
    for each in (scale, zero):
        if each is not None and each.elements != blocks.rows * blocks.columns:
            raise odd_shape(described.name, each)
    if zero is not None:
        check_type(described.name, zero, FLOATS | {"int8"})
    dtype = described.float_dtype("dtype")
    numbers = _Affine(
        PlainCodes(codes, blocks.shape[1]).part,
        blocks.grid(scale),
        None if zero is None else blocks.grid(zero),
        torch_dtype(find_format(dtype)),
    )
    return described.weight(codes.shape, dtype, f"{bits}:{blocks.text}", numbers)


@dataclass(frozen=True, slots=True)
class _Affine:
    codes: PartOfMatrix
    scales: Spread
    zeros: Spread | None
    dtype: torch.dtype

    def __call__(self, reader: TensorReader, part: Piece) -> Tensor:
        numbers = self.codes(reader, part).to(self.dtype)
        if self.zeros is not None:
            numbers = numbers - self.zeros.over(reader, part).to(self.dtype)
        return (numbers * self.scales.over(reader, part)).to(self.dtype)


def _int8(described: Described) -> Weight:
    return _whole(described, "int8")


def _intx(described: Described) -> Weight:
    bits = described.dtype("target_dtype")
    if bits not in {f"int{each}" for each in range(1, 9)}:
        raise described.refusal("target_dtype")
    return _whole(described, bits)


def _float8(described: Described) -> Weight:
    codes, scale = described.part("qdata"), described.part("scale")
    check_type(described.name, codes, {"float8_e4m3fn", "float8_e5m2"})
    check_type(described.name, scale, {"float32"})
    rank = len(codes.shape)
    block = described.sizes("block_size", rank) if described.attributes.get("block_size") else codes.shape
    blocks = _blocks(described, codes.shape, tuple(max(each, 1) for each in block), "block_size")
    if scale.elements != blocks.rows * blocks.columns:
        raise odd_shape(described.name, scale)
    dtype = described.float_dtype("dtype")
    numbers = _Product(
        PlainCodes(codes, blocks.shape[1]).part, blocks.grid(scale), torch.float32, torch_dtype(find_format(dtype))
    )
    kind = "fp8:" if codes.type.format == "float8_e4m3fn" else "fp8:e5m2:"
    return described.weight(codes.shape, dtype, kind + blocks.text, numbers)


@dataclass(frozen=True, slots=True)
class _Product:
    """Element times scale in one dtype, rounded to another."""

    elements: PartOfMatrix
    scales: Spread
    computed: torch.dtype
    dtype: torch.dtype

    def __call__(self, reader: TensorReader, part: Piece) -> Tensor:
        scales = self.scales.over(reader, part).to(self.computed)
        return (self.elements(reader, part).to(self.computed) * scales).to(self.dtype)


def _int4(described: Described) -> Weight:
    """Int4Tensor: signed nibbles, the low one first; code * scale + zero, scales stored turned."""
    codes, scale, zero = described.part("qdata"), described.part("scale"), described.part("zero_point")
    check_type(described.name, codes, {"int8", "uint8"})
    check_type(described.name, scale, FLOATS)
    check_type(described.name, zero, {scale.type.format})
    if len(codes.shape) != 2:
        raise odd_shape(described.name, codes)
    shape = (codes.shape[0], codes.shape[1] * 2)
    block = described.sizes("block_size", 2)
    blocks = _blocks(described, shape, (block[0], min(block[1], max(shape[1], 1))), "block_size")
    for each in (scale, zero):
        check_shape(described.name, each, (blocks.columns, blocks.rows))
    if blocks.block[0] != 1:
        raise described.refusal("block_size")
    scales, zeros = (
        turned_grid(PlainCodes(each, blocks.rows).part, blocks.rows, blocks.columns, blocks.block)
        for each in (scale, zero)
    )
    dtype = torch_dtype(find_format(scale.type.format))
    numbers = _Centred(PackedRows(codes, codes.shape[1], 4), scales, zeros, dtype)
    return described.weight(shape, scale.type.format, f"int4:{blocks.text}:asymmetric", numbers)


@dataclass(frozen=True, slots=True)
class _Centred:
    codes: PackedRows
    scales: Grid
    zeros: Grid
    dtype: torch.dtype

    def __call__(self, reader: TensorReader, part: Piece) -> Tensor:
        found = self.codes.part(reader, part)
        signed = (found ^ 8).to(torch.float32) - 8
        scales, zeros = (each.over(reader, part).to(torch.float32) for each in (self.scales, self.zeros))
        return (signed * scales + zeros).to(self.dtype)


def _scale_grid(described: Described, shape: tuple[int, ...], group: int, convert: Callable[[Tensor], Tensor]) -> Grid:
    """Of groups along rows, in the order of the matrix or swizzled as tensor cores read it."""
    scale = described.part("scale")
    rows, columns = matrix_of(shape)
    if len(shape) < 2 or not columns or columns % group:
        raise odd_shape(described.name, described.part("qdata"))
    groups = columns // group
    if described.attributes.get("is_swizzled_scales") is True:
        if scale.elements != swizzled_elements(rows, groups):
            raise odd_shape(described.name, scale)
        return swizzled_grid(scale, rows, groups, group, convert)
    if scale.elements != rows * groups:
        raise odd_shape(described.name, scale)
    return Blocks(rows, groups, (1, group), (rows, columns)).grid(scale, convert)


_MX = {
    "float8_e4m3fn": ("mxfp8", None),
    "float8_e5m2": ("mxfp8:e5m2", None),
    "float4_e2m1fn_x2": ("mxfp4", e2m1),
    "fp6_e2m3": ("mxfp6", e2m3),
    "fp6_e3m2": ("mxfp6:e3m2", e3m2),
}


def _mx(described: Described) -> Weight:
    codes, scale = described.part("qdata"), described.part("scale")
    element = described.dtype("elem_dtype")
    if element not in _MX:
        raise described.refusal("elem_dtype")
    text, table = _MX[element]
    check_type(described.name, codes, {element if table is None else "uint8"})
    check_type(described.name, scale, {"float8_e8m0fnu", "uint8"})
    dtype = described.float_dtype("orig_dtype")
    computed = torch_dtype(find_format(dtype))
    if not codes.shape:
        raise odd_shape(described.name, codes)
    shape = (*codes.shape[:-1], codes.shape[-1] * (2 if element == "float4_e2m1fn_x2" else 1))
    group = described.attributes.get("block_size")
    if type(group) is not int or group < 1:
        raise described.refusal("block_size")
    grid = _scale_grid(described, shape, group, lambda found: two_to(found, torch.float32, has_nan=True))
    return described.weight(shape, dtype, text, _Product(_elements(codes, table, element), grid, computed, computed))


def _elements(codes: TensorEntry, table: Callable[[Tensor, torch.dtype], Tensor] | None, element: str) -> PartOfMatrix:
    width = codes.shape[-1]
    if table is None:
        return PlainCodes(codes, width).part
    read = PackedRows(codes, width, 4).part if element == "float4_e2m1fn_x2" else PlainCodes(codes, width).part
    mask = 15 if element == "float4_e2m1fn_x2" else 63
    return lambda reader, part: table(read(reader, part) & mask, torch.float32)


def _nvfp4(described: Described) -> Weight:
    """Element times (scale of the whole times scale of the group), all in float32."""
    codes, scale, overall = described.part("qdata"), described.part("scale"), described.parts.get("per_tensor_scale")
    check_type(described.name, codes, {"uint8", "float4_e2m1fn"})
    check_type(described.name, scale, {"float8_e4m3fn"})
    if codes.type.format != "uint8" or not codes.shape:
        raise odd_shape(described.name, codes)
    shape = (*codes.shape[:-1], codes.shape[-1] * 2)
    group = described.attributes.get("block_size")
    if type(group) is not int or group < 1:
        raise described.refusal("block_size")
    grid = _scale_grid(described, shape, group, lambda found: found.to(torch.float32))
    scales: Spread = grid
    if overall is not None:
        check_type(described.name, overall, {"float32"})
        if overall.elements == 1:
            wholes = Blocks(1, 1, matrix_of(shape), matrix_of(shape))
        elif len(shape) == 3 and overall.elements == shape[0]:
            wholes = Blocks(shape[0], 1, (shape[1], shape[2]), matrix_of(shape))
        else:
            raise odd_shape(described.name, overall)
        scales = _Both(wholes.grid(overall), grid)
    dtype = described.float_dtype("orig_dtype")
    numbers = _Product(
        _elements(codes, e2m1, "float4_e2m1fn_x2"), scales, torch.float32, torch_dtype(find_format(dtype))
    )
    return described.weight(shape, dtype, "nvfp4", numbers)


@dataclass(frozen=True, slots=True)
class _Both:
    outer: Grid
    inner: Grid

    def over(self, reader: TensorReader, part: Piece) -> Tensor:
        return self.outer.over(reader, part) * self.inner.over(reader, part)


KINDS: Mapping[str, Callable[[Described], Weight]] = {
    "Int8Tensor": _int8,
    "IntxUnpackedToInt8Tensor": _intx,
    "Float8Tensor": _float8,
    "Int4Tensor": _int4,
    "MXTensor": _mx,
    "NVFP4Tensor": _nvfp4,
}

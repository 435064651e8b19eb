"""Affine integers of 2 to 8 bits: MLX's scale and bias, compressed-tensors' integer zero points, HQQ's float ones."""

from dataclasses import dataclass
from functools import partial
from math import prod

import torch
from torch import Tensor

from app.codec.stochastic import BITS, random_bits
from app.errors import InvalidInput
from app.schemes.affine_offsets import ByteZeroPoints, FloatOffsets, OffsetLayout, PackedZeroPoints
from app.schemes.affine_pairs import AffinePairs, FloatZeroPairs, MinimumPairs, Pair, ZeroPointPairs
from app.schemes.affine_search import find_pairs
from app.schemes.entries import SchemeEntry, SchemeOptions
from app.schemes.grid_scheme import Packing, dense_packing
from app.schemes.partitions import Granularity, Partition, parse_partition
from app.schemes.scale_formats import ScaleFormat, parse_scale_format
from app.schemes.scheme import Choices, Elements, QuantizedTensor, Storage, check_values

_WORD_BYTES = 4
_MLX_BITS = (2, 3, 4, 5, 6, 8)
_MLX_GROUPS = ("group=64", "group=32", "group=128", "channel", "column", "tensor", "block=128x128")
_MLX_OPTIONS = frozenset({"granularity", "scale_format", "scale", "percentile", "seed", "importance"})
_PACKED_ZERO_POINTS = (Granularity.GROUP, Granularity.CHANNEL)


@dataclass(frozen=True, slots=True)
class AffineScheme:
    """Integers from 0 on, with a scale and an offset for each block; codes are stored as they are."""

    name: str
    pairs: AffinePairs
    partition: Partition
    scale_format: ScaleFormat
    offset_layout: OffsetLayout
    packing: Packing
    tensor_pair: tuple[float, float] | None = None
    """For a band of a matrix that has one pair alone: its scale and offset, see `app.schemes.bands`."""

    def quantize(self, values: Tensor, choices: Choices) -> QuantizedTensor:
        """See `Scheme`."""
        check_values(values, choices)
        if self.tensor_pair is not None:
            return self.with_pairs(values, self.given_pair(values.device), choices.seed)
        blocks, weights = self.partition.blocks(values), None
        if choices.importance is not None:
            weights = self.partition.blocks(choices.importance.expand(values.shape).contiguous()).nan_to_num(0.0)
        return self.with_pairs(values, find_pairs(blocks, self.pairs, choices, weights), choices.seed)

    def given_pair(self, device: torch.device) -> Pair:
        """`tensor_pair` as tensors of one number."""
        assert self.tensor_pair is not None
        scale, offset = (torch.full((1,), each, device=device) for each in self.tensor_pair)
        return scale, offset

    def with_pairs(self, values: Tensor, pair: Pair, seed: int | None = None) -> QuantizedTensor:
        """The matrix by scales and offsets that are given, storable float32 in the order of blocks."""
        blocks = self.partition.blocks(values).nan_to_num(0.0)
        scales, offsets = pair
        rounding = torch.round if seed is None else partial(_stochastic, seed)
        codes = self.pairs.encode(blocks, scales[:, None], offsets[:, None], rounding).to(torch.uint8)
        shape = values.shape[0], values.shape[1]
        return self.assembled(self.packing.pack(self.partition.matrix(codes, shape)), pair, shape)

    def assembled(self, packed: Tensor, pair: Pair, shape: tuple[int, int]) -> QuantizedTensor:
        """Packed codes (uint8 `[rows, bytes]`), scales and offsets (in the order of blocks) as the layout has them."""
        scales, offsets = (each.view(self.partition.scale_shape(shape)) for each in pair)
        return QuantizedTensor(shape, packed, self.scale_format.stored(scales), self.offset_layout.stored(offsets))

    def read_pair(self, stored: QuantizedTensor) -> Pair:
        """Scales and offsets as float32, arranged as the blocks lie."""
        assert stored.scales is not None
        assert stored.zero_points is not None
        arranged = self.partition.scale_shape(stored.shape)
        return stored.scales.to(torch.float32), self.offset_layout.read(stored.zero_points, arranged)

    def elements(self, stored: QuantizedTensor) -> Elements:
        """See `Scheme`."""
        codes = self.packing.unpack(stored.codes, stored.shape[1])
        scales, offsets = (self.partition.spread(each, stored.shape) for each in self.read_pair(stored))
        levels, added = self.pairs.taken_apart(codes.to(torch.float32), offsets)
        return Elements(codes.to(torch.int64), levels, scales, added)

    def dequantize(self, stored: QuantizedTensor) -> Tensor:
        """See `Scheme`."""
        elements = self.elements(stored)
        products = elements.levels * elements.scales
        return products if elements.offsets is None else products + elements.offsets

    def storage(self, shape: tuple[int, int]) -> Storage:
        """See `Scheme`."""
        arranged = self.partition.scale_shape(shape)
        codes = prod(shape) * self.pairs.bits
        offsets, offset_padding = self.offset_layout.bits(arranged)
        padding = shape[0] * self.packing.row_bits(shape[1]) - codes + offset_padding
        return Storage(prod(shape), codes, prod(arranged) * self.scale_format.bits, offsets, padding=padding)


def asymmetric_integers(bits: int, options: SchemeOptions, granularity: str) -> AffineScheme:
    """compressed-tensors' codes and zero points; with float zero points, those in the format of scales.

    Raises:
        InvalidInput: `scheme.zero-point`, neither of the two.
    """
    kind = options.zero_point or "integer"
    scale_format = parse_scale_format(options.scale_format).for_levels((1 << bits) - 1)
    partition = parse_partition(options.granularity or granularity)
    pairs: AffinePairs
    offset_layout: OffsetLayout
    if kind == "float":
        pairs, offset_layout = FloatZeroPairs(bits, scale_format, scale_format), FloatOffsets(scale_format)
    elif kind == "integer":
        pairs = ZeroPointPairs(bits, scale_format)
        is_packed = partition.granularity in _PACKED_ZERO_POINTS
        offset_layout = PackedZeroPoints(bits) if is_packed else ByteZeroPoints(bits)
    else:
        raise InvalidInput("scheme.zero-point", zero_point=kind[:40])
    packing = dense_packing(bits, _WORD_BYTES)
    return AffineScheme(f"int{bits}", pairs, partition, scale_format, offset_layout, packing)


def mlx_integers(bits: int, options: SchemeOptions) -> AffineScheme:
    """MLX's affine mode: value = integer * scale + bias, codes a little-endian stream in 32-bit words."""
    scale_format = parse_scale_format(options.scale_format or "float16").for_levels((1 << bits) - 1)
    return AffineScheme(
        f"affine{bits}",
        MinimumPairs(bits, scale_format, scale_format),
        parse_partition(options.granularity or _MLX_GROUPS[0]),
        scale_format,
        FloatOffsets(scale_format),
        dense_packing(bits, _WORD_BYTES),
    )


def _stochastic(seed: int, places: Tensor) -> Tensor:
    """The integer below or above, each with the share of the way as its probability."""
    random = random_bits(seed, 0, places.numel(), places.device).view(places.shape).to(torch.float64) * 2.0**-BITS
    below = torch.floor(places)
    return below + (random < places - below)


ENTRIES = tuple(
    SchemeEntry(
        name=f"affine{bits}",
        family="integer",
        element=f"uint{bits}",
        layout="mlx",
        options=_MLX_OPTIONS,
        build=partial(mlx_integers, bits),
        granularities=_MLX_GROUPS,
    )
    for bits in _MLX_BITS
)

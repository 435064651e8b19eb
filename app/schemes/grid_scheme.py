"""Schemes of one grid and one scale a block, value = level * scale: integers, floats, MX, NVFP4 and codebooks."""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from app.codec.stochastic import BITS, random_bits
from app.schemes.grids import Grid
from app.schemes.packing import pack_bits, unpack_bits
from app.schemes.partitions import Partition
from app.schemes.scale_formats import ScaleFormat, StorableScales
from app.schemes.scheme import Choices, Elements, QuantizedTensor, Storage, check_values
from app.schemes.search import find_scales


@dataclass(frozen=True, slots=True)
class Packing:
    """How codes lie in bytes: into uint8 `[rows, bytes]` and out again, and the bits of a row."""

    pack: Callable[[Tensor], Tensor]
    unpack: Callable[[Tensor, int], Tensor]
    row_bits: Callable[[int], int]
    nibbles: str = ""
    """`low_first` or `high_first` where two codes of four bits lie in a byte and rows are filled up to whole bytes."""


def dense_packing(bits: int, word_bytes: int = 1) -> Packing:
    """A little-endian stream, rows filled up to whole words."""
    return Packing(
        lambda codes: pack_bits(codes, bits, word_bytes),
        lambda packed, columns: unpack_bits(packed, bits, columns),
        lambda columns: -(-columns * bits // (8 * word_bytes)) * 8 * word_bytes,
        "low_first" if bits == 4 else "",
    )


def byte_packing() -> Packing:
    """A code of eight bits a byte."""
    return Packing(lambda codes: codes, lambda packed, columns: packed[:, :columns], lambda columns: 8 * columns)


@dataclass(frozen=True, slots=True)
class GridScheme:
    """One grid, one partition, one format of scales."""

    name: str
    grid: Grid
    partition: Partition
    scale_format: ScaleFormat
    packing: Packing
    code_offset: int = 0
    """What is added to a code, modulo 2^bits: layouts that store integers unsigned."""
    tensor_scale: float | None = field(default=None, kw_only=True)
    """For a band of a matrix that has one scale alone: that scale, see `app.schemes.bands`."""

    def quantize(self, values: Tensor, choices: Choices) -> QuantizedTensor:
        """See `Scheme`."""
        check_values(values, choices)
        scale_format = self.fitted_format(values)
        return self.with_scales(values, self.find_scales(values, choices, scale_format), scale_format, choices.seed)

    def find_scales(self, values: Tensor, choices: Choices, storable: StorableScales | None = None) -> Tensor:
        """The scales by the rule, float32 in the order of blocks."""
        if self.tensor_scale is not None:
            return torch.full((1,), self.tensor_scale, device=values.device)
        blocks, weights = self.partition.blocks(values), self.weights(values, choices)
        return find_scales(blocks, self.grid, storable or self.fitted_format(values), choices, weights)

    def weights(self, values: Tensor, choices: Choices) -> Tensor | None:
        """The importance of every element, in blocks."""
        if choices.importance is None:
            return None
        return self.partition.blocks(choices.importance.expand(values.shape)).nan_to_num(0.0)

    def with_scales(
        self, values: Tensor, scales: Tensor, scale_format: ScaleFormat, seed: int | None = None
    ) -> QuantizedTensor:
        """The matrix by scales that are given, storable float32 in the order of blocks."""
        blocks = self.partition.blocks(values)
        scaled = blocks.nan_to_num(0.0) * (1 / scales)[:, None]
        if seed is None:
            indices = self.grid.nearest(scaled)
        else:
            random = random_bits(seed, 0, scaled.numel(), scaled.device).view(scaled.shape)
            indices = self.grid.stochastic(scaled, random.to(torch.float64) * 2.0**-BITS)
        codes = self.grid.code_tensor().to(values.device)[indices]
        matrix = self.partition.matrix(codes, (values.shape[0], values.shape[1]))
        return self.stored(matrix, scales, scale_format)

    @property
    def has_plain_scales(self) -> bool:
        """Whether each scale is a number of the format and found by the rules of `ScaleRule`, as kernels take it."""
        return True

    def fitted_format(self, values: Tensor) -> ScaleFormat:
        """The format of scales, with what it takes from the whole tensor."""
        del values
        return self.scale_format.for_levels(max(self.grid.largest, -self.grid.smallest))

    def stored(self, codes: Tensor, scales: Tensor, scale_format: ScaleFormat) -> QuantizedTensor:
        """Codes (uint8 `[rows, columns]`) and scales (in the order of blocks) as the layout has them."""
        rows, columns = codes.shape
        mask = (1 << self.grid.bits) - 1
        packed = self.packing.pack((codes + self.code_offset) & mask)
        return self.assembled(packed, scales, scale_format, (rows, columns))

    def assembled(
        self, packed: Tensor, scales: Tensor, scale_format: ScaleFormat, shape: tuple[int, int]
    ) -> QuantizedTensor:
        """Packed codes (uint8 `[rows, bytes]`) and scales (float32, in the order of blocks) as the layout has them."""
        return self.with_stored_scales(packed, scale_format.stored(scales), scale_format, shape)

    def with_stored_scales(
        self, packed: Tensor, scales: Tensor, scale_format: ScaleFormat, shape: tuple[int, int]
    ) -> QuantizedTensor:
        """The same with scales that are in the dtype in which they are stored."""
        del scale_format
        return QuantizedTensor(shape, packed, scales.view(self.partition.scale_shape(shape)))

    def elements(self, stored: QuantizedTensor) -> Elements:
        """See `Scheme`."""
        codes = self.packing.unpack(stored.codes, stored.shape[1])
        inner = (codes - self.code_offset) & ((1 << self.grid.bits) - 1)
        table = torch.zeros(1 << self.grid.bits, dtype=torch.float32)
        table[self.grid.code_tensor().long()] = self.grid.level_tensor()
        scales = self.partition.spread(self.read_scales(stored), stored.shape)
        return Elements(codes.to(torch.int64), table.to(codes.device)[inner.long()], scales)

    def read_scales(self, stored: QuantizedTensor) -> Tensor:
        """The scales as float32, all factors multiplied."""
        assert stored.scales is not None
        return stored.scales.to(torch.float32)

    def dequantize(self, stored: QuantizedTensor) -> Tensor:
        """See `Scheme`."""
        elements = self.elements(stored)
        return elements.levels * elements.scales

    def storage(self, shape: tuple[int, int]) -> Storage:
        """See `Scheme`."""
        rows, columns = shape
        codes = rows * columns * self.grid.bits
        down, across = self.partition.scale_shape(shape)
        scales = down * across * self.scale_format.bits
        return Storage(rows * columns, codes, scales, padding=rows * self.packing.row_bits(columns) - codes)

"""Q4_1 and Q5_1, GGUF blocks whose value is code * scale + minimum."""

from dataclasses import dataclass

import torch
from torch import Tensor

from app.schemes.affine_search import find_affine
from app.schemes.gguf_blocks import block_storage, check_row_length, counted_grid, group_weights, rounded_indices
from app.schemes.gguf_layouts import BlockLayout, BlockParts, pack_blocks, unpack_blocks
from app.schemes.gguf_scales import read_scales, write_scales
from app.schemes.grids import Grid
from app.schemes.scale_formats import ScaleFormat
from app.schemes.scheme import Choices, Elements, QuantizedTensor, Storage, check_values


@dataclass(frozen=True, slots=True)
class GgufAffineScheme:
    """Codes from 0 on; scale and minimum in float16."""

    name: str
    layout: BlockLayout

    @property
    def scale_format(self) -> ScaleFormat:
        """Of the scale, and of the minimum."""
        return ScaleFormat(self.layout.scale_format)

    @property
    def grid(self) -> Grid:
        """The codes themselves."""
        bits = self.layout.coding.bits
        return counted_grid(bits, tuple(range(1 << bits)))

    def quantize(self, values: Tensor, choices: Choices) -> QuantizedTensor:
        """See `Scheme`."""
        check_values(values, choices)
        check_row_length(self.name, self.layout, values.shape[1])
        blocks = values.view(-1, self.layout.elements)
        weights = group_weights(choices, values, self.layout.elements)
        scale_format, bits = self.scale_format, self.layout.coding.bits
        scales, minima = find_affine(blocks, bits, scale_format, scale_format, choices, weights)
        return self.with_scales(values, scales, minima, choices.seed)

    def with_scales(self, values: Tensor, scales: Tensor, minima: Tensor, seed: int | None = None) -> QuantizedTensor:
        """The matrix by scales and minima that are given, storable float32 in the order of blocks."""
        blocks = values.view(-1, self.layout.elements)
        scaled = (blocks - minima[:, None]) * (1 / scales)[:, None]
        codes = rounded_indices(self.grid, scaled, seed).to(torch.uint8)
        scale_format = self.scale_format
        parts = BlockParts(codes, write_scales(scales, scale_format), write_scales(minima, scale_format))
        return self.assembled(pack_blocks(self.layout, parts).view(len(values), -1), (values.shape[0], values.shape[1]))

    def assembled(self, blocks: Tensor, shape: tuple[int, int]) -> QuantizedTensor:
        """Rows of whole blocks, as a kernel wrote them, as the layout has them."""
        return QuantizedTensor(shape, blocks)

    def elements(self, stored: QuantizedTensor) -> Elements:
        """See `Scheme`."""
        parts = unpack_blocks(self.layout, stored.codes.view(-1, self.layout.bytes))
        assert parts.minima is not None
        codes = parts.codes.to(torch.int64).view(stored.shape)
        scales, minima = (self._spread(each, stored.shape) for each in (parts.scales, parts.minima))
        return Elements(codes, codes.to(torch.float32), scales, minima)

    def _spread(self, numbers: Tensor, shape: tuple[int, int]) -> Tensor:
        return read_scales(numbers, self.scale_format).repeat_interleave(self.layout.elements).view(shape)

    def dequantize(self, stored: QuantizedTensor) -> Tensor:
        """See `Scheme`."""
        elements = self.elements(stored)
        assert elements.offsets is not None
        return elements.levels * elements.scales + elements.offsets

    def storage(self, shape: tuple[int, int]) -> Storage:
        """See `Scheme`."""
        return block_storage(self.name, self.layout, shape)

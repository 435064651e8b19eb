"""Schemes of GGUF blocks whose value is level * scale: Q4_0, Q5_0, Q8_0, IQ4_NL, MXFP4, TQ1_0 and TQ2_0."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import ceil, prod

import torch
from torch import Tensor

from app.codec.stochastic import BITS, random_bits
from app.errors import InvalidInput
from app.schemes.gguf_layouts import BlockLayout, BlockParts, pack_blocks, unpack_blocks
from app.schemes.gguf_scales import E8M0_BEYOND, read_scales, write_scales
from app.schemes.grids import Grid
from app.schemes.ordered_sums import ordered_sum
from app.schemes.scale_formats import ScaleFormat
from app.schemes.scheme import Choices, Elements, QuantizedTensor, ScaleRule, Storage, check_values
from app.schemes.search import find_scales, least_of

_FEW_BITS = 5
"""Grids up to here have so few levels that a number can land on each."""


@dataclass(frozen=True, slots=True)
class GgufBlockScheme:
    """One layout and one grid, whose codes are those of the layout."""

    name: str
    layout: BlockLayout
    grid: Grid
    owner_scale: Callable[[Tensor], Tensor]
    """ggml's own rule: the scale of each block by its number of largest magnitude, before rounding."""
    unused_levels: tuple[tuple[int, float], ...] = ()
    """Codes that are never written, and what readers make of them."""

    @property
    def scale_format(self) -> ScaleFormat:
        """Without what a tensor's own scale multiplies."""
        return ScaleFormat(self.layout.scale_format, largest_level=max(map(abs, self.grid.levels)))

    def fitted_format(self, values: Tensor) -> ScaleFormat:
        """The format of scales, with the scale of the whole tensor."""
        del values
        return self.scale_format

    def quantize(self, values: Tensor, choices: Choices) -> QuantizedTensor:
        """See `Scheme`."""
        check_values(values, choices)
        check_row_length(self.name, self.layout, values.shape[1])
        scale_format = self.fitted_format(values)
        scales = self.find_scales(values, choices, scale_format)
        return self.with_scales(values, scales, scale_format, choices.seed)

    def find_scales(self, values: Tensor, choices: Choices, scale_format: ScaleFormat) -> Tensor:
        """Storable scales, float32 in the order of groups; zero where all numbers of a group become zero."""
        groups = values.view(-1, self.layout.group) * scale_format.divisor  # a power of two: nothing is rounded
        plain = replace(scale_format, divisor=1.0, largest_level=scale_format.largest_level / scale_format.divisor)
        scales = self._owner_scales(groups, choices, plain)
        is_zero = (groups == 0).all(dim=1)
        if choices.scale is ScaleRule.MSE:
            weights = group_weights(choices, values, self.layout.group)
            scales = self._least_error(groups, weights, scales, replace(choices, signed_scales=True), plain)
            if 0 not in self.grid.levels:
                lost = group_errors(groups, torch.zeros_like(groups), weights)
                is_zero |= lost < group_errors(groups, self._rounded(groups, scales), weights)
        return torch.where(is_zero, 0.0, scales) / scale_format.divisor

    def _least_error(
        self, groups: Tensor, weights: Tensor | None, owner: Tensor, choices: Choices, scale_format: ScaleFormat
    ) -> Tensor:
        best = find_scales(groups, self.grid, scale_format, choices, weights)
        return least_of(groups, self.grid, [best, owner, *self._landings(groups, scale_format)], weights)

    def _landings(self, groups: Tensor, scale_format: ScaleFormat) -> list[Tensor]:
        """The number of largest magnitude lands on each level: in a block of one number only rounding decides."""
        if scale_format.are_few or self.grid.bits > _FEW_BITS:
            return []
        extremes = extreme_numbers(groups)
        return [scale_format.nearest(extremes / level) for level in self.grid.levels if level]

    def _rounded(self, groups: Tensor, scales: Tensor) -> Tensor:
        return self.grid.rounded(groups * (1 / scales)[:, None]) * scales[:, None]

    def _owner_scales(self, groups: Tensor, choices: Choices, scale_format: ScaleFormat) -> Tensor:
        extremes = extreme_numbers(groups)
        if choices.scale is ScaleRule.PERCENTILE:
            rank = ceil((self.layout.group - 1) * (choices.percentile / 100))
            extremes = torch.copysign(groups.abs().sort(dim=1).values[:, rank], extremes)
        return scale_format.nearest(self.owner_scale(extremes))

    def with_scales(
        self, values: Tensor, scales: Tensor, scale_format: ScaleFormat, seed: int | None = None
    ) -> QuantizedTensor:
        """The matrix by scales that are given, storable float32 in the order of groups."""
        plain = scales * scale_format.divisor
        inverse = torch.where(plain == 0, 0.0, 1 / plain)
        scaled = values.view(-1, self.layout.group) * scale_format.divisor * inverse[:, None]
        indices = rounded_indices(self.grid, scaled, seed)
        codes = self.grid.code_tensor().to(values.device)[indices].view(-1, self.layout.elements)
        stored = write_scales(scales, scale_format).view(len(codes), -1)
        blocks = pack_blocks(self.layout, BlockParts(codes, stored))
        return self.assembled(blocks.view(len(values), -1), (values.shape[0], values.shape[1]), scale_format)

    def assembled(self, blocks: Tensor, shape: tuple[int, int], scale_format: ScaleFormat) -> QuantizedTensor:
        """Rows of whole blocks, as a kernel wrote them, as the layout has them."""
        del scale_format
        return QuantizedTensor(shape, blocks)

    def unit_of(self, stored: QuantizedTensor) -> Tensor | None:
        """float32: the scale of the whole tensor, where there is one."""
        del stored
        return None

    def elements(self, stored: QuantizedTensor) -> Elements:
        """See `Scheme`."""
        parts = unpack_blocks(self.layout, stored.codes.view(-1, self.layout.bytes))
        count = self.layout.elements // self.layout.group
        scales = read_scales(parts.scales.view(len(parts.codes) * count, -1), self.scale_format)
        unit = self.unit_of(stored)
        spread = (scales if unit is None else scales * unit).repeat_interleave(self.layout.group)
        codes = parts.codes.to(torch.int64)
        levels = self.level_table().to(codes.device)[codes]
        if self.layout.scale_format == "float8_e8m0fnu":
            levels = torch.where(parts.scales == E8M0_BEYOND, levels * 2, levels)
        return Elements(codes.view(stored.shape), levels.view(stored.shape), spread.view(stored.shape))

    def level_table(self) -> Tensor:
        """float32: what each code stands for, unused ones included."""
        table = torch.zeros(1 << self.grid.bits, dtype=torch.float32)
        table[self.grid.code_tensor().long()] = self.grid.level_tensor()
        for code, level in self.unused_levels:
            table[code] = level
        return table

    def dequantize(self, stored: QuantizedTensor) -> Tensor:
        """See `Scheme`."""
        elements = self.elements(stored)
        return elements.levels * elements.scales

    def storage(self, shape: tuple[int, int]) -> Storage:
        """See `Scheme`."""
        return block_storage(self.name, self.layout, shape)


def counted_grid(bits: int, levels: tuple[int, ...]) -> Grid:
    """Whole numbers whose codes count them from 0 on."""
    return Grid(f"levels{levels}", bits, tuple(map(float, levels)), tuple(range(len(levels))), ties_to_even=True)


def check_row_length(name: str, layout: BlockLayout, columns: int) -> None:
    """Refuses rows that are no whole number of blocks.

    Raises:
        InvalidInput: `scheme.row-length`.
    """
    if columns % layout.elements:
        raise InvalidInput("scheme.row-length", name=name, block=layout.elements, columns=columns)


def block_storage(name: str, layout: BlockLayout, shape: tuple[int, int]) -> Storage:
    """The bits of a matrix in whole blocks.

    Raises:
        InvalidInput: `scheme.row-length`.
    """
    check_row_length(name, layout, shape[1])
    weights = prod(shape)
    blocks = weights // layout.elements
    scales = layout.place("d").stop - layout.place("d").start
    minima = layout.bytes - layout.code_bytes - scales
    return Storage(weights, blocks * layout.code_bytes * 8, blocks * scales * 8, blocks * minima * 8)


def group_weights(choices: Choices, values: Tensor, group: int) -> Tensor | None:
    """The importance of columns at every number of the groups."""
    if choices.importance is None:
        return None
    return choices.importance.to(values.device).expand(values.shape).reshape(-1, group)


def extreme_numbers(groups: Tensor) -> Tensor:
    """The number of largest magnitude of each group, the first of equal ones."""
    return groups.gather(1, groups.abs().argmax(dim=1, keepdim=True))[:, 0]


def group_errors(groups: Tensor, found: Tensor, weights: Tensor | None) -> Tensor:
    """The squared error of each group, float64 `[groups]`."""
    squares = (groups.to(torch.float64) - found).square_()
    return ordered_sum(squares if weights is None else squares * weights)


def rounded_indices(grid: Grid, scaled: Tensor, seed: int | None) -> Tensor:
    """The index of a level for each number: the nearest one, or one drawn with a seed."""
    if seed is None:
        return grid.nearest(scaled)
    random = random_bits(seed, 0, scaled.numel(), scaled.device).view(scaled.shape)
    return grid.stochastic(scaled, random.to(torch.float64) * 2.0**-BITS)

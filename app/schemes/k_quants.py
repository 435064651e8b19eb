"""Schemes in GGUF's super-blocks of 256: Q2_K to Q6_K; the scales of sub-blocks are whole numbers of a few bits."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial

import torch
from torch import Tensor

from app.errors import InvalidInput
from app.schemes.entries import SchemeEntry, SchemeOptions
from app.schemes.grids import Grid
from app.schemes.k_quants_affine import AffineSearch, find_affine
from app.schemes.k_quants_layout import BLOCK, LAYOUTS, SuperBlocks, SuperLayout
from app.schemes.k_quants_symmetric import SymmetricSearch, find_symmetric
from app.schemes.k_quants_tries import SEARCHES, counting_grid
from app.schemes.scheme import Choices, Elements, QuantizedTensor, Scheme, Storage, check_values

_CHUNK = 1 << 19
"""Elements that are searched together: the search holds some twenty copies of them."""
_HALF_BITS = 16
OPTIONS = frozenset({"scale", "importance"})


@dataclass(frozen=True, slots=True)
class SuperBlockScheme:
    """One layout and one search; codes, scales and minima all lie in `QuantizedTensor.codes`."""

    layout: SuperLayout
    search: AffineSearch | SymmetricSearch

    @property
    def name(self) -> str:
        """See `Scheme`."""
        return self.layout.name

    @property
    def grid(self) -> Grid:
        """The levels of its codes."""
        return self.search.grid if isinstance(self.search, SymmetricSearch) else counting_grid(self.layout.code_bits, 0)

    def quantize(self, values: Tensor, choices: Choices) -> QuantizedTensor:
        """See `Scheme`."""
        self.check(values, choices)
        blocks = values.view(-1, BLOCK)
        weights = column_weights(choices, values.shape[0])
        step = max(1, _CHUNK // BLOCK)
        parts = [
            self._packed(
                blocks[start : start + step], None if weights is None else weights[start : start + step], choices
            )
            for start in range(0, len(blocks), step)
        ]
        return self.stored(torch.cat(parts), (values.shape[0], values.shape[1]))

    def check(self, values: Tensor, choices: Choices) -> None:
        """Refuses what the layout cannot hold.

        Raises:
            InvalidInput: `scheme.row-length`; `scheme.option`, for stochastic rounding; see also `check_values`.
        """
        check_values(values, choices)
        self.check_form(values, choices)

    def check_form(self, values: Tensor, choices: Choices) -> None:
        """`check` without a look at the numbers."""
        self._check_length(values.shape[1])
        if choices.seed is not None:
            raise InvalidInput("scheme.option", name=self.name, option="stochastic")

    def _check_length(self, columns: int) -> None:
        if columns % BLOCK:
            raise InvalidInput("scheme.row-length", block=BLOCK, columns=columns, name=self.name)

    def stored(self, packed: Tensor, shape: tuple[int, int]) -> QuantizedTensor:
        """Super-blocks in their order as the bytes of rows."""
        return QuantizedTensor(shape, packed.view(shape[0], -1))

    def _packed(self, blocks: Tensor, weights: Tensor | None, choices: Choices) -> Tensor:
        split = blocks.view(len(blocks), self.layout.sub_blocks, -1)
        weights = None if weights is None else weights.view_as(split)
        return self.layout.pack(self.with_scales(blocks, self._scales(split, weights, choices)))

    def _scales(self, split: Tensor, weights: Tensor | None, choices: Choices) -> SuperBlocks:
        """All but the codes."""
        codes = torch.empty(0, dtype=torch.uint8, device=split.device)
        if isinstance(self.search, SymmetricSearch):
            found = find_symmetric(split, weights, self.search, choices)
            return SuperBlocks(codes, found.scales.to(torch.int16), found.d.to(torch.float16))
        affine = find_affine(split, weights, self.search, choices)
        scales, minima = affine.scales.to(torch.int16), affine.minima.to(torch.int16)
        return SuperBlocks(codes, scales, affine.d.to(torch.float16), minima, affine.dmin.to(torch.float16))

    def with_scales(self, blocks: Tensor, scales: SuperBlocks) -> SuperBlocks:
        """`scales` with the codes of `blocks` `[blocks, 256]`: the nearest to (value + dmin * minimum) / (d * scale).

        Where a scale is zero, the code of the level nearest to zero.
        """
        factors, offsets = factors_of(scales)
        split = blocks.view(len(blocks), self.layout.sub_blocks, -1)
        inverse = torch.where(factors == 0, 0.0, 1 / factors)
        shifted = split if offsets is None else split + offsets[..., None]
        return replace(scales, codes=self.grid.nearest(shifted * inverse[..., None]).to(torch.uint8).view(-1, BLOCK))

    def elements(self, stored: QuantizedTensor) -> Elements:
        """See `Scheme`."""
        parts = self.layout.unpack(stored.codes.reshape(-1, self.layout.bytes))
        factors, offsets = factors_of(parts)
        levels = self.grid.level_tensor().to(parts.codes.device)[parts.codes.long()]
        spread = partial(torch.repeat_interleave, repeats=self.layout.sub_size, dim=1)
        return Elements(
            parts.codes.to(torch.int64).view(stored.shape),
            levels.view(stored.shape),
            spread(factors).view(stored.shape),
            None if offsets is None else spread(-offsets).view(stored.shape),
        )

    def dequantize(self, stored: QuantizedTensor) -> Tensor:
        """See `Scheme`."""
        elements = self.elements(stored)
        values = elements.levels * elements.scales
        return values if elements.offsets is None else values + elements.offsets

    def storage(self, shape: tuple[int, int]) -> Storage:
        """See `Scheme`."""
        self._check_length(shape[1])
        weights = shape[0] * shape[1]
        blocks = weights // BLOCK
        scales = self.layout.sub_blocks * self.layout.scale_bits + _HALF_BITS
        return Storage(
            weights, weights * self.layout.code_bits, blocks * scales, blocks * scales * self.layout.has_minima
        )


def factors_of(parts: SuperBlocks) -> tuple[Tensor, Tensor | None]:
    """What levels of each sub-block are multiplied by, and what is subtracted: float32 `[blocks, sub-blocks]`."""
    factors = parts.d.to(torch.float32)[:, None] * parts.scales.to(torch.float32)
    if parts.minima is None or parts.dmin is None:
        return factors, None
    return factors, parts.dmin.to(torch.float32)[:, None] * parts.minima.to(torch.float32)


def column_weights(choices: Choices, rows: int) -> Tensor | None:
    """float32 `[super-blocks, 256]`, 1 for the column of most importance; None without, or where all are zero."""
    if choices.importance is None:
        return None
    largest = choices.importance.amax()
    if largest == 0:
        return None
    weights = (choices.importance / largest).to(torch.float32)
    return weights.expand(rows, -1).reshape(-1, BLOCK)


@cache
def _scheme(name: str) -> SuperBlockScheme:
    return SuperBlockScheme(LAYOUTS[name], SEARCHES[name])


def entry_of(name: str, build: Callable[[], Scheme]) -> SchemeEntry:
    """In the table; the layout fixes everything but the rule for scales."""

    def built(options: SchemeOptions) -> Scheme:
        del options
        return build()

    return SchemeEntry(name, "gguf", "", "gguf", OPTIONS, built)


ENTRIES = tuple(entry_of(name, partial(_scheme, name)) for name in SEARCHES)

"""NF4 and fp4 as bitsandbytes stores them: value = level * absmax, absmax perhaps in eight bits itself."""

from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from app.errors import InvalidInput
from app.schemes.entries import SchemeEntry, SchemeOptions
from app.schemes.grid_scheme import GridScheme, Packing
from app.schemes.grids import format_grid
from app.schemes.nested_scales import NESTED_BLOCK, NestedScales
from app.schemes.packing import pack_nibbles, unpack_nibbles
from app.schemes.partitions import Granularity, parse_partition
from app.schemes.scale_formats import ScaleFormat
from app.schemes.scheme import Choices, Elements, QuantizedTensor, ScaleRule, Storage, check_values
from app.schemes.search import find_scales

_ELEMENTS = {"nf4": "nf4", "fp4": "fp4_bnb"}
_BLOCKS = ("block=64", "block=32", "block=128", "block=256", "block=512", "block=1024", "block=2048", "block=4096")


@dataclass(frozen=True, slots=True)
class CodebookScheme(GridScheme):
    """Blocks run across the ends of rows: the matrix is one row of numbers, the first of a byte in its high half."""

    is_nested: bool = False
    """Whether the scales are stored in eight bits: bitsandbytes' double quantization."""
    nested_offset: float | None = None
    """For a band of a matrix: what the whole takes off its scales."""

    def quantize(self, values: Tensor, choices: Choices) -> QuantizedTensor:
        """See `Scheme`."""
        if not self.is_nested:
            return GridScheme.quantize(self, values, choices)
        check_values(values, choices)
        blocks, weights = self.partition.blocks(values), self.weights(values, choices)
        scales = find_scales(blocks, self.grid, self.fitted_format(values), choices, weights)
        return self.nested(values, scales, choices)

    def nested(self, values: Tensor, wanted: Tensor, choices: Choices) -> QuantizedTensor:
        """The matrix by scales in eight bits: what they are scaled by follows `wanted`, then each is searched anew."""
        blocks = self.partition.blocks(values)
        is_used = blocks.nan_to_num(0.0).abs().amax(dim=1) > 0
        storable, absmax = NestedScales.fitted(wanted, is_used, self.nested_offset)
        if choices.scale is ScaleRule.MSE:
            scales = find_scales(blocks, self.grid, storable, choices, self.weights(values, choices))
        else:
            scales = storable.nearest(wanted)
        plain = self.with_scales(values, scales, self.fitted_format(values), choices.seed)
        return replace(
            plain,
            scales=storable.stored(scales).view(1, -1),
            others={
                "nested_absmax": absmax,
                "nested_offset": torch.tensor([storable.offset], device=values.device),
            },
        )

    def stored(self, codes: Tensor, scales: Tensor, scale_format: ScaleFormat) -> QuantizedTensor:
        """See `GridScheme`; packed codes are `[bytes, 1]`."""
        packed = self.packing.pack(codes.view(1, -1)).view(-1, 1)
        return self.assembled(packed, scales, scale_format, (codes.shape[0], codes.shape[1]))

    @property
    def has_plain_scales(self) -> bool:
        """See `GridScheme`."""
        return not self.is_nested

    def elements(self, stored: QuantizedTensor) -> Elements:
        """See `Scheme`."""
        rows, columns = stored.shape
        row = replace(stored, shape=(1, rows * columns), codes=stored.codes.view(1, -1))
        found = GridScheme.elements(self, row)
        codes, levels, scales = (each.view(rows, columns) for each in (found.codes, found.levels, found.scales))
        return Elements(codes, levels, scales)

    def read_scales(self, stored: QuantizedTensor) -> Tensor:
        """See `GridScheme`."""
        assert stored.scales is not None
        if not self.is_nested:
            return stored.scales
        others = stored.others
        storable = NestedScales.of(others["nested_absmax"], float(others["nested_offset"]), stored.scales.numel())
        return storable.read(stored.scales.view(-1))

    def storage(self, shape: tuple[int, int]) -> Storage:
        """See `Scheme`; the tables of levels, the same in every file, are not counted."""
        found = GridScheme.storage(self, (1, shape[0] * shape[1]))
        if not self.is_nested:
            return found
        blocks = found.scales // self.scale_format.bits
        return replace(found, scales=blocks * 8, others=32 * -(-blocks // NESTED_BLOCK) + 32)


def high_nibbles() -> Packing:
    """Two codes a byte, the first in the high half; an odd last one beside 0."""
    return Packing(
        lambda codes: pack_nibbles(codes, high_first=True),
        lambda packed, columns: unpack_nibbles(packed, columns, high_first=True),
        lambda columns: -(-columns // 2) * 8,
        "high_first",
    )


def _codebook(name: str, options: SchemeOptions) -> CodebookScheme:
    partition = parse_partition(options.granularity or _BLOCKS[0])
    if partition.granularity is not Granularity.FLAT:
        raise InvalidInput("scheme.granularity", granularity=str(partition))
    return CodebookScheme(
        name,
        format_grid(_ELEMENTS[name]),
        partition,
        ScaleFormat("float32"),
        high_nibbles(),
        is_nested=options.double_quant,
    )


ENTRIES = tuple(
    SchemeEntry(
        name=name,
        family="codebook",
        element=element,
        layout="bitsandbytes",
        options=frozenset(
            {"granularity", "double_quant", "scale", "percentile", "seed", "importance"}
            | ({"signed_scales"} if name == "nf4" else set())
        ),
        build=partial(_codebook, name),
        granularities=_BLOCKS,
    )
    for name, element in _ELEMENTS.items()
)

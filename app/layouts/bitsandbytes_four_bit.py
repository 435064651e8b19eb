"""NF4 and fp4 as bitsandbytes stores them: blocks run across rows, the scales perhaps in eight bits themselves."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import gcd
from typing import Any

import torch
from torch import Tensor

from app.errors import InvalidInput
from app.layouts.refusals import refusal
from app.layouts.weights import Weight
from app.layouts.writing import Band, Numbers, Outcome, Write
from app.metrics.error_sums import NO_PAIRS, PairSums
from app.metrics.tensor_error import pair_sums
from app.schemes.codebooks import CodebookScheme
from app.schemes.fast import dequantize_fast, quantize_fast
from app.schemes.nested_scales import NESTED_BLOCK, NestedScales, dynamic_map
from app.schemes.scheme import Choices, QuantizedTensor, ScaleRule
from app.schemes.search import find_scales
from app.weightfiles.file_layout import StoredTensor

_OFFSET_CHARACTERS = 24
"""Of a float32 with all digits that a float64 needs, a minus sign and an exponent of two digits."""


def unit_rows(scheme: CodebookScheme, columns: int) -> int:
    """So many rows end with a block; an even number of elements each time, for two codes are a byte."""
    size = scheme.partition.columns
    return size // gcd(size, columns)


@dataclass(frozen=True, slots=True)
class FourBitCoder:
    """See `Coder`: codes, `absmax`, the table of levels and the state; with double quantization two more."""

    weight: Weight
    scheme: CodebookScheme
    choices: Choices
    dtype: str
    """The weight's own, which readers round to."""

    @property
    def stored(self) -> tuple[StoredTensor, ...]:
        """See `Coder`."""
        name, blocks = self.weight.name, self._blocks
        is_nested = self.scheme.is_nested
        nested = (
            StoredTensor.of(f"{name}.nested_absmax", "float32", (-(-blocks // NESTED_BLOCK),)),
            StoredTensor.of(f"{name}.nested_quant_map", "float32", (256,)),
        )
        return (
            StoredTensor.of(name, "uint8", (-(-self.weight.elements // 2), 1)),
            StoredTensor.of(f"{name}.absmax", "uint8" if is_nested else "float32", (blocks,)),
            StoredTensor.of(f"{name}.quant_map", "float32", (16,)),
            *(nested if is_nested else ()),
            StoredTensor.of(self._state_name, "uint8", (len(self._state(0.0)),)),
        )

    @property
    def stored_as(self) -> str:
        """See `Coder`."""
        return f"bitsandbytes {self.scheme.name}" + (", double quantization" if self.scheme.is_nested else "")

    def write(self, numbers: Numbers, write: Write) -> Outcome:
        """See `Coder`."""
        name, scheme = self.weight.name, self.scheme
        # fp4 has two codes for zero, of which the grid names one.
        levels = torch.zeros(16)
        levels[scheme.grid.code_tensor().long()] = scheme.grid.level_tensor()
        write(f"{name}.quant_map", 0, levels)
        try:
            offset, sums = self._write_nested(numbers, write) if scheme.is_nested else self._write_plain(numbers, write)
        except InvalidInput as error:
            if error.code == "scheme.not-finite":
                raise refusal("compress.not-finite", numbers, scheme.name) from None
            raise
        write(self._state_name, 0, torch.frombuffer(bytearray(self._state(offset)), dtype=torch.uint8))
        return Outcome(sums)

    @property
    def _blocks(self) -> int:
        return -(-self.weight.elements // self.scheme.partition.columns)

    @property
    def _state_name(self) -> str:
        return f"{self.weight.name}.quant_state.bitsandbytes__{self.scheme.name}"

    def _state(self, offset: float) -> bytes:
        """The JSON that readers look for; of one length whatever the offset is."""
        said: dict[str, Any] = {
            "quant_type": self.scheme.name,
            "blocksize": self.scheme.partition.columns,
            "dtype": self.dtype,
            "shape": list(self.weight.shape),
        }
        if self.scheme.is_nested:
            said |= {"nested_blocksize": NESTED_BLOCK, "nested_dtype": "float32", "nested_offset": 0}
        text = json.dumps(said)
        return text.replace('"nested_offset": 0', f'"nested_offset": {f"{offset:.17e}":>{_OFFSET_CHARACTERS}}').encode()

    def _bands(self, numbers: Numbers) -> Iterator[Band]:
        size, columns = self.scheme.partition.columns, numbers.shape[1]
        if columns % size == 0:
            return numbers.bands(1, size)
        return numbers.bands(unit_rows(self.scheme, columns))

    def _write_plain(self, numbers: Numbers, write: Write) -> tuple[float, PairSums]:
        total = NO_PAIRS
        for band in self._bands(numbers):
            found = quantize_fast(self.scheme, band.values, self.choices)
            assert found.scales is not None
            total += self._put(numbers, band, found, dequantize_fast(self.scheme, found), write)
            write(f"{self.weight.name}.absmax", self._first_block(numbers, band) * 4, found.scales)
        return 0.0, total

    def _put(self, numbers: Numbers, band: Band, found: QuantizedTensor, restored: Tensor, write: Write) -> PairSums:
        write(self.weight.name, (band.row * numbers.shape[1] + band.column) // 2, found.codes)
        return pair_sums(band.values, restored.to(getattr(torch, self.dtype)))

    def _first_block(self, numbers: Numbers, band: Band) -> int:
        return (band.row * numbers.shape[1] + band.column) // self.scheme.partition.columns

    def _write_nested(self, numbers: Numbers, write: Write) -> tuple[float, PairSums]:
        """Twice over the numbers: which scales are wanted, and, once eight bits for each are known, the codes."""
        plain = replace(self.scheme, is_nested=False)
        wanted, is_used = torch.ones(self._blocks), torch.zeros(self._blocks, dtype=torch.bool)
        for band in self._bands(numbers):
            first = self._first_block(numbers, band)
            scales = quantize_fast(plain, band.values, self.choices).scales
            assert scales is not None
            place = slice(first, first + scales.numel())
            wanted[place] = scales.view(-1)
            is_used[place] = plain.partition.blocks(band.values).nan_to_num(0.0).abs().amax(dim=1) > 0
        storable, absmax = NestedScales.fitted(wanted, is_used)
        write(f"{self.weight.name}.nested_absmax", 0, absmax)
        write(f"{self.weight.name}.nested_quant_map", 0, dynamic_map())
        total = NO_PAIRS
        for band in self._bands(numbers):
            blocks = plain.partition.blocks(band.values)
            first = self._first_block(numbers, band)
            place = slice(first, first + len(blocks))
            kept = storable.of_rows(place)
            if self.choices.scale is ScaleRule.MSE:
                scales = find_scales(blocks, plain.grid, kept, self.choices, plain.weights(band.values, self.choices))
            else:
                scales = kept.nearest(wanted[place])
            found = plain.with_scales(band.values, scales, plain.fitted_format(band.values), self.choices.seed)
            total += self._put(numbers, band, found, dequantize_fast(plain, found), write)
            write(f"{self.weight.name}.absmax", first, kept.stored(scales))
        return storable.offset, total

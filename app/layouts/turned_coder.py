"""GPTQ's and AWQ's codes: the matrix turned, so that a band of its rows is a stripe of every stored tensor."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from app.errors import InvalidInput
from app.layouts.refusals import refusal
from app.layouts.weights import Weight
from app.layouts.writing import Numbers, Outcome, Write
from app.metrics.error_sums import NO_PAIRS
from app.metrics.tensor_error import pair_sums
from app.schemes.affine import AffineScheme
from app.schemes.fast import dequantize_fast, quantize_fast
from app.schemes.grid_scheme import GridScheme
from app.schemes.scheme import Choices, QuantizedTensor
from app.weightfiles.file_layout import StoredTensor

BAND_ROWS = 256
"""So many rows at least: each is one column of the stored tensors, and every line of those is a write of its own."""


@dataclass(frozen=True, slots=True)
class TurnedCoder:
    """See `Coder`. The scheme has one scale a group of columns, or a row, and float16 scales."""

    weight: Weight
    scheme: GridScheme | AffineScheme
    choices: Choices
    codes: StoredTensor
    zeros: StoredTensor
    scales: StoredTensor
    pack_codes: Callable[[Tensor], Tensor]
    """From uint8 `[columns, rows]` to int32 words."""
    pack_zeros: Callable[[Tensor], Tensor]
    """From uint8 `[groups, rows]` to int32 words."""
    stored_as: str
    fixed: tuple[tuple[StoredTensor, Tensor], ...] = ()

    @property
    def stored(self) -> tuple[StoredTensor, ...]:
        """See `Coder`."""
        return (self.codes, self.zeros, self.scales, *(each for each, _ in self.fixed))

    def write(self, numbers: Numbers, write: Write) -> Outcome:
        """See `Coder`."""
        for tensor, values in self.fixed:
            write(tensor.name, 0, values)
        rows, total = numbers.shape[0], NO_PAIRS
        for band in numbers.bands(BAND_ROWS):
            try:
                found = quantize_fast(self.scheme, band.values, self.choices)
            except InvalidInput as error:
                if error.code == "scheme.not-finite":
                    raise refusal("compress.not-finite", numbers, self.scheme.name) from None
                raise
            total += pair_sums(band.values, dequantize_fast(self.scheme, found).to(torch.float16))
            for tensor, stripe in self._stripes(found):
                _write_stripe(tensor, stripe, band.row * tensor.shape[1] // rows, write)
        return Outcome(total)

    def _stripes(self, found: QuantizedTensor) -> tuple[tuple[StoredTensor, Tensor], ...]:
        columns = found.shape[1]
        codes = self.scheme.packing.unpack(found.codes.view(torch.uint8).view(found.shape[0], -1), columns)
        assert found.scales is not None
        return (
            (self.codes, self.pack_codes(codes.t().contiguous())),
            (self.zeros, self.pack_zeros(self._zero_points(found).t().contiguous())),
            (self.scales, found.scales.t()),
        )

    def _zero_points(self, found: QuantizedTensor) -> Tensor:
        """The code that stands for zero, of each row and group."""
        assert found.scales is not None
        if isinstance(self.scheme, GridScheme):
            return torch.full(found.scales.shape, self.scheme.code_offset, dtype=torch.uint8)
        assert found.zero_points is not None
        arranged = (found.scales.shape[0], found.scales.shape[1])
        return self.scheme.offset_layout.read(found.zero_points, arranged).to(torch.uint8)


def _write_stripe(tensor: StoredTensor, stripe: Tensor, first: int, write: Write) -> None:
    """Columns from `first` on: at once where they are all, else line by line."""
    stripe = stripe.contiguous()
    width = tensor.shape[1]
    if stripe.shape[1] == width:
        write(tensor.name, 0, stripe)
        return
    for line, values in enumerate(stripe):
        write(tensor.name, (line * width + first) * stripe.element_size(), values)

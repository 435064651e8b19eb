"""int8 as bitsandbytes stores it: integers, and 127 times the scale of each row."""

from dataclasses import dataclass

import torch

from app.errors import InvalidInput
from app.layouts.refusals import refusal
from app.layouts.weights import Weight
from app.layouts.writing import Numbers, Outcome, Write
from app.metrics.error_sums import NO_PAIRS
from app.metrics.tensor_error import pair_sums
from app.schemes.fast import quantize_fast
from app.schemes.grid_scheme import GridScheme
from app.schemes.scheme import Choices
from app.weightfiles.file_layout import StoredTensor

_WHOLE = 7.874015718698502e-3
"""1 / 127, as readers multiply by it in float32."""


@dataclass(frozen=True, slots=True)
class RowInt8Coder:
    """See `Coder`: integers and 127 times the scale of each row, as `Linear8bitLt` loads them."""

    weight: Weight
    scheme: GridScheme
    choices: Choices

    @property
    def stored(self) -> tuple[StoredTensor, ...]:
        """See `Coder`."""
        module = self.weight.name.removesuffix(".weight")
        return (
            StoredTensor.of(self.weight.name, "int8", self.weight.shape),
            StoredTensor.of(f"{module}.SCB", "float32", self.weight.shape[:1]),
            StoredTensor.of(f"{module}.weight_format", "uint8", ()),
        )

    @property
    def stored_as(self) -> str:
        """See `Coder`."""
        return "bitsandbytes int8"

    def write(self, numbers: Numbers, write: Write) -> Outcome:
        """See `Coder`."""
        codes_slot, scale_slot, format_slot = self.stored
        columns, total = numbers.shape[1], NO_PAIRS
        write(format_slot.name, 0, torch.zeros(1, dtype=torch.uint8))
        for band in numbers.bands():
            try:
                found = quantize_fast(self.scheme, band.values, self.choices)
            except InvalidInput as error:
                if error.code == "scheme.not-finite":
                    raise refusal("compress.not-finite", numbers, self.scheme.name) from None
                raise
            assert found.scales is not None
            codes = (found.codes.view(torch.uint8)[:, :columns] ^ self.scheme.code_offset).view(torch.int8).contiguous()
            absmax = found.scales.view(-1) * 127
            total += pair_sums(band.values, codes * absmax[:, None] * _WHOLE)
            write(codes_slot.name, band.row * columns, codes)
            write(scale_slot.name, band.row * 4, absmax)
        return Outcome(total)

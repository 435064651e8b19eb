"""A tensor that llama.cpp reads and no weight of the model holds: it is written along with one that is there."""

from dataclasses import dataclass

import torch

from app.layouts.writing import Coder, Numbers, Outcome, Write
from app.weightfiles.file_layout import StoredTensor

ROPE_FACTORS = "rope_freqs.weight"
BEARER = "output_norm.weight"
"""The GGUF name of the weight that it is written along with."""


@dataclass(frozen=True, slots=True)
class RopeFactorsCoder:
    """Another coder, and the factors by which pairs of a head turn slower than they would."""

    coder: Coder
    factors: tuple[float, ...]

    @property
    def stored(self) -> tuple[StoredTensor, ...]:
        """See `Coder`."""
        return (*self.coder.stored, StoredTensor.of(ROPE_FACTORS, "float32", (len(self.factors),)))

    @property
    def stored_as(self) -> str:
        """See `Coder`."""
        return self.coder.stored_as

    def write(self, numbers: Numbers, write: Write) -> Outcome:
        """See `Coder`."""
        write(ROPE_FACTORS, 0, torch.tensor(self.factors, dtype=torch.float32))
        return self.coder.write(numbers, write)

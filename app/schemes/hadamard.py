"""A random Hadamard rotation of the columns, for study: it spreads outliers over a block before a scheme sees them.

Around any scheme: `rotation.back(scheme.dequantize(scheme.quantize(rotation.forth(values), choices)))`. Lengths are
kept, so the squared error of the rotated matrix is that of the matrix. An entry with the option `rotation` may wrap a
scheme so; the rotation itself takes no storage but its seed and size.
"""

from dataclasses import dataclass
from math import sqrt

import torch
from torch import Tensor

from app.codec.stochastic import BITS, random_bits
from app.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Rotation:
    """Random signs of the columns, then a Walsh-Hadamard transform of each block of `size` columns, over sqrt(size)."""

    size: int
    """A power of two that divides the columns."""
    seed: int = 0

    @classmethod
    def of_columns(cls, columns: int, seed: int = 0, largest: int = 1024) -> "Rotation":
        """The largest blocks, up to `largest`, that columns divide into; of one column where their number is odd."""
        return cls(min(columns & -columns, largest), seed)

    def forth(self, values: Tensor) -> Tensor:
        """float32 `[rows, columns]`, rotated.

        Raises:
            InvalidInput: `scheme.rotation`, where the size is no power of two or does not divide the columns.
        """
        return self._transformed(values * self._signs(values))

    def back(self, rotated: Tensor) -> Tensor:
        """The inverse of `forth`, but for rounding."""
        return self._transformed(rotated) * self._signs(rotated)

    def _signs(self, values: Tensor) -> Tensor:
        bits = random_bits(self.seed, 0, values.shape[1], values.device)
        return torch.where(bits >> (BITS - 1) == 0, 1.0, -1.0)

    def _transformed(self, values: Tensor) -> Tensor:
        rows, columns = values.shape
        if self.size < 1 or self.size & (self.size - 1) or columns % self.size:
            raise InvalidInput("scheme.rotation", size=self.size, columns=columns)
        found, half = values.reshape(-1, self.size), 1
        while half < self.size:
            pairs = found.view(-1, 2, half)
            found = torch.stack((pairs[:, 0] + pairs[:, 1], pairs[:, 0] - pairs[:, 1]), dim=1)
            half *= 2
        return (found.reshape(rows, columns) * (1 / sqrt(self.size))).contiguous()

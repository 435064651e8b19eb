"""The numbers that a layout can store as a scale, and rounding to them."""

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from app.formats import FloatFormat, find_format

_DTYPES = {
    "float32": torch.float32,
    "float16": torch.float16,
    "bfloat16": torch.bfloat16,
    "float8_e4m3fn": torch.float8_e4m3fn,
    "float8_e8m0fnu": torch.float8_e8m0fnu,
}


@dataclass(frozen=True, slots=True)
class ScaleFormat:
    """A float format whose positive numbers, and zero where it has one, are the scales.

    Of E8M0 the numbers from 2^-126 on are used: 2^-127 is a subnormal float32.
    """

    name: str
    unit: float = 1.0
    """A second scale of the whole tensor, which every stored one is multiplied by; a normal float32."""

    @property
    def dtype(self) -> torch.dtype:
        """torch's dtype of stored scales."""
        return _DTYPES[self.name]

    @property
    def bits(self) -> int:
        """Of one scale."""
        return self._format.width

    @property
    def smallest(self) -> float:
        """The smallest positive number that is stored; a normal float32."""
        return max(float(self._format.min_positive), 2.0**-126)

    @property
    def largest(self) -> float:
        """The largest."""
        return float(self._format.max)

    @property
    def _format(self) -> FloatFormat:
        return _float_format(self.name)

    def nearest(self, scales: Tensor) -> Tensor:
        """The storable number nearest to each float32, times the unit: saturating at both ends, and never zero."""
        sizes = (scales.abs() / self.unit).clamp_(self.smallest, self.largest)
        if self.name == "float8_e8m0fnu":
            mantissas, exponents = torch.frexp(sizes)  # [0.5, 1): up from 0.75, the middle
            rounded = torch.ldexp(torch.ones_like(sizes), exponents - 1 + (mantissas > 0.75)).clamp_(max=self.largest)
        else:
            rounded = sizes if self.name == "float32" else sizes.to(self.dtype).to(torch.float32)
        rounded = rounded * self.unit
        return torch.where(scales < 0, -rounded, rounded)

    def neighbours(self, scales: Tensor) -> tuple[Tensor, Tensor]:
        """The storable numbers next to storable ones in magnitude, smaller and larger; the same one at the ends."""
        step = 2.0 ** -(self._format.mantissa_bits + 1)
        return self.nearest(scales * (1 - step * 1.5)), self.nearest(scales * (1 + step * 2.5))

    def stored(self, scales: Tensor) -> Tensor:
        """Scales that `nearest` gave, in the dtype of a file, without the unit."""
        return (scales / self.unit).to(self.dtype)


@lru_cache(maxsize=8)
def _float_format(name: str) -> FloatFormat:
    number_format = find_format(name)
    assert isinstance(number_format, FloatFormat), name
    return number_format

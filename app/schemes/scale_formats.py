"""The numbers that a layout can store as a scale, and rounding to them."""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Protocol

import torch
from torch import Tensor

from app.errors import InvalidInput
from app.formats import FloatFormat, find_format

_DTYPES = {
    "float32": torch.float32,
    "float16": torch.float16,
    "bfloat16": torch.bfloat16,
    "float8_e4m3fn": torch.float8_e4m3fn,
    "float8_e8m0fnu": torch.float8_e8m0fnu,
}
_LARGEST_FLOAT32 = torch.finfo(torch.float32).max


class StorableScales(Protocol):
    """What a search needs to know about the scales of some blocks."""

    @property
    def has_signs(self) -> bool:
        """Whether a negative scale can be stored."""
        ...

    def nearest(self, scales: Tensor) -> Tensor:
        """The storable number nearest to each, of the same sign where there are signs; never zero."""
        ...

    @property
    def least_halved(self) -> float:
        """From the double of this on, half of a storable number is storable."""
        ...

    @property
    def are_few(self) -> bool:
        """Whether a search can try every one that is in reach of a block."""
        ...

    @property
    def are_dense(self) -> bool:
        """Whether one is so near to every number that it makes no difference."""
        ...

    def shifted(self, scales: Tensor, places: int) -> Tensor:
        """The storable numbers so many places larger (or smaller) in magnitude than storable ones; or the last one."""
        ...

    def of_rows(self, rows: slice) -> "StorableScales":
        """The same for some of the blocks."""
        ...


@dataclass(frozen=True, slots=True)
class ScaleFormat:
    """A float format whose positive numbers are the scales, and with a sign the negative ones.

    Of E8M0 the numbers from 2^-126 on are used: 2^-127 is a subnormal float32.
    """

    name: str
    divisor: float = 1.0
    """A number of the whole tensor, a float32, by which every stored scale is divided in float32 (NVFP4's global)."""
    largest_level: float = 1.0
    """The largest magnitude that is multiplied by a scale: larger scales than keep the product finite are not used."""

    @property
    def dtype(self) -> torch.dtype:
        """torch's dtype of stored scales."""
        return _DTYPES[self.name]

    @property
    def bits(self) -> int:
        """Of one scale."""
        return self._format.width

    @property
    def has_signs(self) -> bool:
        """See `StorableScales`."""
        return self._format.signed

    @property
    def smallest(self) -> float:
        """The smallest positive number that is stored; a normal float32."""
        return max(float(self._format.min_positive), 2.0**-126)

    @property
    def largest(self) -> float:
        """The largest that is stored."""
        return _largest_stored(self)

    @property
    def _format(self) -> FloatFormat:
        return _float_format(self.name)

    def for_levels(self, largest_level: float) -> "ScaleFormat":
        """The same for levels up to that magnitude."""
        return replace(self, largest_level=largest_level)

    def nearest(self, scales: Tensor) -> Tensor:
        """The storable number nearest to each float32, as it multiplies: saturating at both ends, and never zero."""
        sizes = (scales.abs() * self.divisor).clamp_(self.smallest, self.largest)
        rounded = self._rounded(sizes).clamp_(max=self.largest) / self.divisor
        return torch.where(scales < 0, -rounded, rounded) if self.has_signs else rounded

    def _rounded(self, sizes: Tensor) -> Tensor:
        if self.name == "float8_e8m0fnu":
            words = sizes.view(torch.int32)
            up = (words & 0x7FFFFF) > 0x400000  # a tie goes down; powers of two are all that is left
            return ((words & 0x7F800000) + (up.to(torch.int32) << 23)).view(torch.float32)
        return sizes if self.name == "float32" else sizes.to(self.dtype).to(torch.float32)

    @property
    def least_halved(self) -> float:
        """See `StorableScales`."""
        return max(float(self._format.min_normal), 2.0**-126) / self.divisor

    @property
    def are_few(self) -> bool:
        """See `StorableScales`."""
        return self.bits <= 8

    @property
    def are_dense(self) -> bool:
        """See `StorableScales`."""
        return self._format.mantissa_bits >= 10

    def shifted(self, scales: Tensor, places: int) -> Tensor:
        """See `StorableScales`."""
        every = every_number(self.name)
        if every is None:
            assert abs(places) == 1, "what is further away is found by factors"
            return self.nearest(torch.nextafter(scales, scales * (torch.inf if places > 0 else 0.0)))
        every = every.to(scales.device)
        found = torch.searchsorted(every, self.stored(scales).to(torch.float32).abs()) + places
        return self.nearest(torch.copysign(every[found.clamp_(0, len(every) - 1)] / self.divisor, scales))

    def of_rows(self, rows: slice) -> "ScaleFormat":
        """See `StorableScales`."""
        del rows
        return self

    def stored(self, scales: Tensor) -> Tensor:
        """Scales that `nearest` gave, in the dtype of a file."""
        return (scales * self.divisor).to(self.dtype)


def parse_scale_format(name: str | None) -> ScaleFormat:
    """The formats that scales of integers and floats can have; float32 by default.

    Raises:
        InvalidInput: `scheme.scale-format`.
    """
    known = ("float32", "float16", "bfloat16")
    if name is not None and name not in known:
        raise InvalidInput("scheme.scale-format", name=name[:40], known=", ".join(known))
    return ScaleFormat(name or known[0])


@lru_cache(maxsize=8)
def _float_format(name: str) -> FloatFormat:
    number_format = find_format(name)
    assert isinstance(number_format, FloatFormat), name
    return number_format


@lru_cache(maxsize=8)
def every_number(name: str) -> Tensor | None:
    """All positive numbers of a format of at most 16 bits, ascending."""
    number_format, dtype = _float_format(name), _DTYPES[name]
    if number_format.width > 16:
        return None
    codes = torch.arange(number_format.has_zero, number_format.max_magnitude + 1)
    return codes.to(torch.uint8 if dtype.itemsize == 1 else torch.int16).view(dtype).to(torch.float32)


@lru_cache(maxsize=256)
def _largest_stored(scale_format: ScaleFormat) -> float:
    """The largest number of the format whose product with the largest level is a finite float32."""
    every = every_number(scale_format.name)
    if every is not None:
        is_finite = torch.isfinite(every / scale_format.divisor * scale_format.largest_level)
        return float(every[is_finite][-1])
    assert scale_format.divisor == 1, "a scale of 32 bits needs no second one"
    largest = torch.tensor(_LARGEST_FLOAT32) / max(scale_format.largest_level, 1.0)
    while not torch.isfinite(largest * scale_format.largest_level):
        largest = torch.nextafter(largest, torch.zeros_like(largest))
    return float(largest)

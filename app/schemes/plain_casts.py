"""Plain casts: every number rounded once to a format of at most 16 bits, with no scale."""

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from app.codec import Overflow, decode, encode, narrow_codes, overflows_of
from app.errors import InvalidInput
from app.formats import FloatFormat, Format, find_format
from app.schemes.entries import SchemeEntry, SchemeOptions
from app.schemes.packing import pack_bits, unpack_bits
from app.schemes.scheme import Choices, Elements, QuantizedTensor, Storage, check_values

WIDEST = 16
"""Bits of a code."""
_BYTE = 8
LISTED = ("float16", "bfloat16", "float8_e4m3fn", "float8_e5m2", "posit8", "posit16", "q7.8")
"""What lists show; `cast_entry` knows every other format by its name."""


@dataclass(frozen=True, slots=True)
class CastScheme:
    """One format. Finite numbers beyond the largest become infinite where the format has that, else the largest."""

    name: str
    number_format: Format

    def overflow(self) -> Overflow:
        """What beyond the largest number becomes."""
        number_format = self.number_format
        has_infinity = isinstance(number_format, FloatFormat) and number_format.has_infinity
        return overflows_of(number_format)[0] if has_infinity else Overflow.SATURATE

    def quantize(self, values: Tensor, choices: Choices) -> QuantizedTensor:
        """See `Scheme`."""
        check_values(values, choices)
        rounding = "nearest_even" if choices.seed is None else "stochastic"
        return self.packed(encode(values, self.number_format, rounding, self.overflow(), choices.seed))

    def packed(self, codes: Tensor) -> QuantizedTensor:
        """Codes as `app.codec` gives them, in whole bytes a row: little-endian, or a dense stream below 8 bits."""
        width, shape = self.number_format.width, (codes.shape[0], codes.shape[1])
        if width < _BYTE:
            return QuantizedTensor(shape, pack_bits(codes.view(torch.uint8), width, 1))
        return QuantizedTensor(shape, codes.contiguous().view(torch.uint8))

    def codes(self, stored: QuantizedTensor) -> Tensor:
        """The inverse of `packed`."""
        width = self.number_format.width
        if width < _BYTE:
            return narrow_codes(unpack_bits(stored.codes, width, stored.shape[1]).to(torch.int64), self.number_format)
        dtype = narrow_codes(torch.zeros(1, dtype=torch.int64), self.number_format).dtype
        return stored.codes.view(dtype)

    def dequantize(self, stored: QuantizedTensor) -> Tensor:
        """See `Scheme`."""
        return decode(self.codes(stored), self.number_format, torch.float32)

    def elements(self, stored: QuantizedTensor) -> Elements:
        """See `Scheme`."""
        codes = self.codes(stored).to(torch.int64) & ((1 << self.number_format.width) - 1)
        levels = self.dequantize(stored)
        return Elements(codes, levels, torch.ones_like(levels))

    def storage(self, shape: tuple[int, int]) -> Storage:
        """See `Scheme`."""
        rows, columns = shape
        width = self.number_format.width
        row_bits = -(-columns * width // _BYTE) * _BYTE if width < _BYTE else columns * -(-width // _BYTE) * _BYTE
        codes = rows * columns * width
        return Storage(rows * columns, codes, padding=rows * row_bits - codes)


def plain_cast(name: str, options: SchemeOptions) -> CastScheme:
    """The cast to the format of that name."""
    del options
    return CastScheme(name, find_format(name))


def cast_entry(name: str) -> SchemeEntry | None:
    """The entry of a plain cast to a format of at most 16 bits, by any of its names; None for other names."""
    try:
        number_format = find_format(name)
    except InvalidInput:
        return None
    if number_format.width > WIDEST:
        return None
    found = number_format.name
    return SchemeEntry(
        name=found,
        family="cast",
        element=found,
        layout="safetensors" if found in LISTED[:4] else "bitlens",
        options=frozenset({"seed"}),
        build=partial(plain_cast, found),
    )


ENTRIES = tuple(entry for name in LISTED if (entry := cast_entry(name)) is not None)

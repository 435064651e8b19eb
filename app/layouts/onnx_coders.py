"""How one weight is stored in an ONNX model: along its own rows, turned, or cast; codes in tensors without gaps."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from app.errors import InvalidInput
from app.formats import FloatFormat
from app.layouts.onnx_names import CodesTensor
from app.layouts.plain_writing import CastCoder
from app.layouts.refusals import refusal
from app.layouts.scheme_coder import SchemeCoder
from app.layouts.weights import Weight
from app.layouts.writing import Numbers, Outcome, Write
from app.metrics.error_sums import NO_PAIRS
from app.metrics.fast import pair_sums_fast
from app.schemes.affine import AffineScheme
from app.schemes.fast import dequantize_fast, quantize_fast
from app.schemes.scheme import QuantizedTensor
from app.weightfiles.file_layout import StoredTensor

HELD_BYTES = 32 << 20
"""Of a stored tensor that is put together in memory: many short writes cost more."""
BAND_ROWS = 4
"""Codes of so many rows of a turned matrix fill whole bytes."""


def pack_small(codes: Tensor, bits: int) -> Tensor:
    """uint8 `[rows, columns]` of 2, 4 or 8 bits to bytes, the first in the low bits; rows are filled up with zeros."""
    in_a_byte = 8 // bits
    if codes.shape[1] % in_a_byte:
        codes = torch.nn.functional.pad(codes, (0, -codes.shape[1] % in_a_byte))
    packed = codes[:, 0::in_a_byte].clone()
    for place in range(1, in_a_byte):
        packed |= codes[:, place::in_a_byte] << (place * bits)
    return packed


def unpack_small(packed: Tensor, bits: int, columns: int) -> Tensor:
    """The inverse of `pack_small`."""
    if bits == 8:
        return packed[:, :columns]
    places = [(packed >> place) & ((1 << bits) - 1) for place in range(0, 8, bits)]
    return torch.stack(places, dim=2).view(packed.shape[0], -1)[:, :columns]


@dataclass(frozen=True, slots=True)
class UnsignedZeroPoints:
    """See `OffsetLayout`: whole numbers from 0 on, a byte each; whoever writes them packs them."""

    width: int

    def stored(self, offsets: Tensor) -> Tensor:
        """See `OffsetLayout`."""
        return offsets.to(torch.uint8)

    def read(self, stored: Tensor, shape: tuple[int, int]) -> Tensor:
        """See `OffsetLayout`."""
        return stored.to(torch.float32).view(shape)

    def bits(self, shape: tuple[int, int]) -> tuple[int, int]:
        """See `OffsetLayout`."""
        return shape[0] * shape[1] * self.width, 0


class PackedWrites:
    """Writes codes of one tensor, given a byte each and in their order, without gaps between them."""

    def __init__(self, write: Write, tensor: str, bits: int) -> None:
        self._write = write
        self._tensor = tensor
        self._bits = bits
        self._rest = torch.empty(0, dtype=torch.uint8)
        """Codes since the last one that ended with a byte."""

    def __call__(self, name: str, offset: int, data: Tensor | memoryview) -> None:
        """See `Write`; `offset` counts codes of that tensor."""
        if name != self._tensor or self._bits == 8 or not isinstance(data, Tensor):
            self._write(name, offset, data)
            return
        in_a_byte = 8 // self._bits
        left = offset % in_a_byte
        codes = torch.cat([self._rest[len(self._rest) - left :], data.reshape(-1)])
        self._rest = codes[len(codes) - len(codes) % in_a_byte :].clone()
        self._write(name, (offset - left) // in_a_byte, pack_small(codes.view(1, -1), self._bits))


class PackedRowWrites:
    """The same where each row of `width` codes is filled up to whole bytes."""

    def __init__(self, write: Write, tensor: str, bits: int, width: int) -> None:
        self._write = write
        self._tensor = tensor
        self._bits = bits
        self._width = width

    def __call__(self, name: str, offset: int, data: Tensor | memoryview) -> None:
        """See `Write`; `offset` counts codes and begins a row."""
        if name != self._tensor or not isinstance(data, Tensor):
            self._write(name, offset, data)
            return
        packed = pack_small(data.reshape(-1, self._width), self._bits)
        self._write(name, offset // self._width * packed.shape[1], packed)


@dataclass(frozen=True, slots=True)
class MatrixCoder:
    """See `Coder`: a coder of a matrix that the weight's numbers are seen as."""

    coder: SchemeCoder
    seen_as: Callable[[Numbers], Numbers]
    packed: Callable[[Write], Write]

    @property
    def stored(self) -> tuple[StoredTensor, ...]:
        """See `Coder`."""
        return self.coder.stored

    @property
    def stored_as(self) -> str:
        """See `Coder`."""
        return self.coder.stored_as

    def write(self, numbers: Numbers, write: Write) -> Outcome:
        """See `Coder`."""
        return self.coder.write(self.seen_as(numbers), self.packed(write))


class _Stripes:
    """Columns of stored tensors, written in whole lines where a tensor fits into memory, else each by itself."""

    def __init__(self, write: Write) -> None:
        self._write = write
        self._whole: dict[str, Tensor] = {}

    def add(self, tensor: StoredTensor, numbers: Tensor, first: int, rows: int) -> None:
        """`numbers` `[some rows, columns]` of a turned matrix of so many `rows`, from its row `first` on."""
        stripe, bits = numbers.t().contiguous(), tensor.type.bits
        stripe = pack_small(stripe, bits) if bits < 8 else stripe.view(torch.uint8)
        line_bytes, begin = rows * bits // 8, first * bits // 8
        if tensor.bytes <= HELD_BYTES:
            if tensor.name not in self._whole:
                self._whole[tensor.name] = torch.empty(len(stripe), line_bytes, dtype=torch.uint8)
            self._whole[tensor.name][:, begin : begin + stripe.shape[1]] = stripe
            return
        for line, values in enumerate(stripe):
            self._write(tensor.name, line * line_bytes + begin, values)

    def finish(self) -> None:
        """Writes what is held."""
        for name, whole in self._whole.items():
            self._write(name, 0, whole)


@dataclass(frozen=True, slots=True)
class TurnedDequantizer:
    """See `Coder`: codes lie as the weight does, and what shares a scale lies down its columns."""

    coder: SchemeCoder
    """Of the turned matrix; its slots are shaped as they are stored."""

    @property
    def stored(self) -> tuple[StoredTensor, ...]:
        """See `Coder`."""
        return self.coder.stored

    @property
    def stored_as(self) -> str:
        """See `Coder`."""
        return self.coder.stored_as

    def write(self, numbers: Numbers, write: Write) -> Outcome:
        """See `Coder`."""
        coder, turned, total, stripes = self.coder, numbers.turned(), NO_PAIRS, _Stripes(write)
        for band in turned.bands(BAND_ROWS):
            try:
                found = quantize_fast(coder.scheme, band.values, coder.choices)
            except InvalidInput as error:
                if error.code == "scheme.not-finite":
                    raise refusal("compress.not-finite", numbers, coder.scheme.name) from None
                raise
            restored = dequantize_fast(coder.scheme, found, threads=coder.choices.threads)
            rounded = restored.to(coder.read_dtype).to(torch.float32)
            total += pair_sums_fast(band.values, rounded, coder.choices.threads)
            self._add_to(stripes, found, band.row, turned.shape[0])
        stripes.finish()
        return Outcome(total)

    def _add_to(self, stripes: _Stripes, found: QuantizedTensor, first: int, rows: int) -> None:
        coder, slots = self.coder, self.coder.slots
        bits = slots.codes.type.bits
        codes = unpack_small(found.codes.view(torch.uint8).view(found.shape[0], -1), bits, found.shape[1])
        assert found.scales is not None
        stripes.add(slots.codes, codes, first, rows)
        stripes.add(slots.scales, found.scales, first, rows)
        if slots.zero_points is not None and isinstance(coder.scheme, AffineScheme):
            assert found.zero_points is not None
            stripes.add(slots.zero_points, found.zero_points, first, rows)


@dataclass(frozen=True, slots=True)
class WidenedCast:
    """See `Coder`: each number rounded once, under another name, from which the model's own graph casts it back."""

    weight: Weight
    target: FloatFormat
    slot: CodesTensor

    @property
    def stored(self) -> tuple[StoredTensor, ...]:
        """See `Coder`."""
        return (self.slot,)

    @property
    def stored_as(self) -> str:
        """See `Coder`."""
        return self.target.name

    def write(self, numbers: Numbers, write: Write) -> Outcome:
        """See `Coder`."""
        return CastCoder(replace(self.weight, name=self.slot.name), self.target).write(numbers, write)

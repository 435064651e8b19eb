"""How one weight is stored in a GGUF file: in blocks of a scheme, as plain numbers, byte for byte, or not at all."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from app.codec import torch_dtype
from app.errors import InvalidInput
from app.formats import FloatFormat, find_format
from app.layouts.gguf_rows import RowOrder
from app.layouts.plain_writing import is_plain_run
from app.layouts.refusals import refusal
from app.layouts.weights import Weight
from app.layouts.writing import Band, Numbers, Outcome, Write
from app.metrics.blocks import blocks
from app.metrics.error_sums import NO_PAIRS, ErrorSums
from app.schemes.casts import CastCounts, cast_block
from app.schemes.fast_measured import quantize_measured
from app.schemes.gguf_affine import GgufAffineScheme
from app.schemes.gguf_blocks import GgufBlockScheme
from app.schemes.gguf_nvfp4 import TENSOR_SCALE, GgufNvfp4Scheme
from app.schemes.k_quants import SuperBlockScheme
from app.schemes.scale_formats import ScaleFormat
from app.schemes.scheme import Choices, QuantizedTensor
from app.weightfiles.file_layout import StoredTensor

GgufScheme = GgufBlockScheme | GgufAffineScheme | SuperBlockScheme
_SEEDS = 1 << 31
_SEED_STEP = 0x9E3779B1


@dataclass(frozen=True, slots=True)
class ExpertSlice(StoredTensor):
    """A slice of a tensor that holds all experts of a layer, by a name of its own; the session joins them."""

    whole: str
    """The name of the tensor in the file."""
    index: int
    count: int


@dataclass(frozen=True, slots=True)
class NothingCoder:
    """A weight that is not stored."""

    stored: tuple[StoredTensor, ...] = ()
    stored_as: str = ""

    def write(self, numbers: Numbers, write: Write) -> Outcome:
        """See `Coder`."""
        del numbers, write
        return Outcome(None)


@dataclass(frozen=True, slots=True)
class BytesCoder:
    """A tensor of a GGUF file, byte for byte, with the tensors that belong to it."""

    weight: Weight

    @property
    def stored(self) -> tuple[StoredTensor, ...]:
        """See `Coder`."""
        return tuple(StoredTensor(part.name, part.type, part.shape) for part in self.weight.parts)

    @property
    def stored_as(self) -> str:
        """See `Coder`."""
        return self.weight.parts[0].type.format

    def write(self, numbers: Numbers, write: Write) -> Outcome:
        """See `Coder`."""
        for index, part in enumerate(self.weight.parts):
            for offset, data in numbers.byte_chunks(index):
                write(part.name, offset, data)
        return Outcome(None)


@dataclass(frozen=True, slots=True)
class PlainCoder:
    """The numbers of a weight in a plain type: their bytes where it is their own, else each rounded once to it."""

    weight: Weight
    slot: StoredTensor
    order: RowOrder

    @property
    def stored(self) -> tuple[StoredTensor, ...]:
        """See `Coder`."""
        return (self.slot,)

    @property
    def stored_as(self) -> str:
        """See `Coder`."""
        return self.slot.format

    def write(self, numbers: Numbers, write: Write) -> Outcome:
        """See `Coder`."""
        if self.weight.format == self.slot.format:
            for first, data in self._own_bytes(numbers):
                self._put(first, data, write)
            return Outcome(None)
        target = find_format(self.slot.format)
        if isinstance(target, FloatFormat) and not holds_all(self.weight.format, self.slot.format):
            return self._cast(numbers, write, target)
        for first, chunk in numbers.chunks():
            self._put(first, bytes_of(chunk.to(torch_dtype(target))), write)
        return Outcome(None)

    def _own_bytes(self, numbers: Numbers) -> Iterator[tuple[int, memoryview]]:
        if is_plain_run(self.weight):
            for offset, data in numbers.byte_chunks():
                yield offset // self._item, data
        else:
            for first, chunk in numbers.chunks():
                yield first, bytes_of(chunk)

    def _cast(self, numbers: Numbers, write: Write, target: FloatFormat) -> Outcome:
        sums, counts = ErrorSums(), CastCounts()
        for first, chunk in numbers.chunks():
            out = torch.empty(chunk.numel(), dtype=torch_dtype(target))
            end = 0
            for block in blocks(chunk):
                begin, end = end, end + block.numel()
                out[begin:end] = cast_block(block, target, counts)
                sums.add(block, out[begin:end])
            self._put(first, bytes_of(out), write)
        return Outcome(sums.sums(), counts.saturated, counts.overflowed)

    def _put(self, first: int, data: memoryview, write: Write) -> None:
        item = self._item
        for offset, length, place in self.order.runs(first, len(data) // item):
            write(self.slot.name, place * item, data[offset * item : (offset + length) * item])

    @property
    def _item(self) -> int:
        return self.slot.type.bits // 8


@dataclass(frozen=True, slots=True)
class BlockCoder:
    """A matrix in the blocks of a scheme."""

    weight: Weight
    slot: StoredTensor
    order: RowOrder
    scheme: GgufScheme
    choices: Choices
    scale_slot: StoredTensor | None = None
    """Of the whole tensor's scale, for NVFP4."""

    @property
    def stored(self) -> tuple[StoredTensor, ...]:
        """See `Coder`."""
        return (self.slot,) if self.scale_slot is None else (self.slot, self.scale_slot)

    @property
    def stored_as(self) -> str:
        """See `Coder`."""
        return self.slot.format

    def write(self, numbers: Numbers, write: Write) -> Outcome:
        """See `Coder`."""
        try:
            return self._write(numbers, write)
        except InvalidInput as error:
            if error.code == "scheme.not-finite":
                raise refusal("compress.not-finite", numbers, self.scheme.name) from None
            raise

    def _write(self, numbers: Numbers, write: Write) -> Outcome:
        scheme = self.scheme
        if self.scale_slot is not None:
            assert isinstance(scheme, GgufNvfp4Scheme)
            scheme = _fitted(scheme, numbers)
            write(self.scale_slot.name, 0, torch.tensor([1 / scheme.whole.divisor], dtype=torch.float32))
        total = NO_PAIRS
        last: QuantizedTensor | None = None
        for band in numbers.bands(max(self.order.head_rows, 1), self.slot.type.block_elements):
            out = last if last is not None and last.shape == tuple(band.values.shape) else None
            choices = replace(self.choices, seed=self._seed(band))
            last, sums = quantize_measured(scheme, band.values, choices, out)
            total += sums
            self._put(band, last, write)
        return Outcome(total)

    def _put(self, band: Band, found: QuantizedTensor, write: Write) -> None:
        rows = found.codes.view(torch.uint8).view(len(band.values), -1)
        block = self.slot.type
        row_bytes = block.bits_of(self.order.columns) // 8
        column = block.bits_of(band.column) // 8
        if len(rows) == 1:
            write(self.slot.name, self.order.stored_row(band.row) * row_bytes + column, bytes_of(rows))
        else:
            write(self.slot.name, band.row * row_bytes, bytes_of(self.order.reordered(rows)))

    def _seed(self, band: Band) -> int | None:
        """Bands have random numbers of their own."""
        seed = self.choices.seed
        return None if seed is None else (seed + (band.row * 8191 + band.column) * _SEED_STEP) % _SEEDS


@dataclass(frozen=True, slots=True)
class _FittedNvfp4(GgufNvfp4Scheme):
    """NVFP4 of a part of a tensor: the scale of the whole is known."""

    whole: ScaleFormat = field(kw_only=True)

    def fitted_format(self, values: Tensor) -> ScaleFormat:
        """See `GgufBlockScheme`."""
        del values
        return self.whole


def _fitted(scheme: GgufNvfp4Scheme, numbers: Numbers) -> _FittedNvfp4:
    largest = torch.zeros(1)
    for band in numbers.bands(1, scheme.layout.elements):
        largest = torch.maximum(largest, band.values.abs().amax())
    whole = scheme.fitted_format(largest.view(1, 1))
    return _FittedNvfp4(scheme.name, scheme.layout, scheme.grid, scheme.owner_scale, scheme.unused_levels, whole=whole)


def scale_name(name: str) -> str:
    """Of the tensor that holds NVFP4's scale of the whole: beside `x.weight` it is `x.scale`."""
    return f"{name.removesuffix('.weight')}.{TENSOR_SCALE}"


def bytes_of(tensor: Tensor) -> memoryview:
    """The bytes of a tensor on the CPU."""
    return tensor.contiguous().view(-1).view(torch.uint8).numpy().data


def holds_all(source: str, target: str) -> bool:
    """Whether every number of one format is one of another, both names of the format table."""
    return target in _HELD.get(source, frozenset())


_FLOATS = frozenset({"float16", "bfloat16", "float32", "float64"})
_HELD = {
    "float16": frozenset({"float32", "float64"}),
    "bfloat16": frozenset({"float32", "float64"}),
    "float32": frozenset({"float64"}),
    "float8_e4m3fn": _FLOATS,
    "float8_e5m2": _FLOATS,
    "float8_e4m3fnuz": _FLOATS,
    "float8_e5m2fnuz": _FLOATS,
    "float8_e8m0fnu": frozenset({"bfloat16", "float32", "float64"}),
    "bool": frozenset({"int8"}),
    "uint8": frozenset({"int16"}),
    "uint16": frozenset({"int32"}),
    "uint32": frozenset({"int64"}),
}

"""A weight by a scheme of one scale a block, band by band: codes, scales and zero points in tensors of their own."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import gcd

import torch
from torch import Tensor

from app.errors import InvalidInput
from app.layouts.refusals import refusal
from app.layouts.weights import Weight
from app.layouts.whole_scales import fixed
from app.layouts.writing import Band, Numbers, Outcome, Write
from app.metrics.error_sums import NO_PAIRS, PairSums
from app.metrics.fast import pair_sums_fast
from app.schemes.affine import AffineScheme
from app.schemes.affine_offsets import PackedZeroPoints
from app.schemes.fast import dequantize_fast, quantize_fast
from app.schemes.fast_measured import quantize_measured
from app.schemes.grid_scheme import GridScheme
from app.schemes.microscaling import NvidiaScheme
from app.schemes.partitions import Granularity, Partition
from app.schemes.scheme import Choices, QuantizedTensor, ScaleRule, Scheme
from app.weightfiles.file_layout import StoredTensor

ROW_ELEMENTS = 1 << 22
"""The longest row that is coded at once."""
BAND_ELEMENTS = 1 << 24
"""The most elements that rows which cannot be coded apart may have."""
_ZERO_POINT_ROWS = 32
_SEEDS = 1 << 31
_SEED_STEP = 0x9E3779B1


@dataclass(frozen=True, slots=True)
class Slots:
    """The stored tensors of one weight."""

    codes: StoredTensor
    scales: StoredTensor
    zero_points: StoredTensor | None = None
    global_scale: StoredTensor | None = None
    fixed: tuple[tuple[StoredTensor, Tensor], ...] = ()
    """Tensors that are known beforehand, such as the shape."""

    def all(self) -> tuple[StoredTensor, ...]:
        """In the order in which they are stored."""
        found = (self.codes, self.scales, self.zero_points, self.global_scale)
        return (*(each for each in found if each is not None), *(each for each, _ in self.fixed))


@dataclass(frozen=True, slots=True)
class SchemeCoder:
    """See `Coder`."""

    weight: Weight
    scheme: GridScheme | AffineScheme
    choices: Choices
    slots: Slots
    stored_as: str
    read_dtype: torch.dtype = torch.float32
    """What the layout's owner multiplies in: errors are those of the numbers that it gives."""
    restored: Callable[[Scheme, QuantizedTensor], Tensor] | None = None
    """The numbers that the owner gives, where one product in `read_dtype` is not all that it does."""

    @property
    def stored(self) -> tuple[StoredTensor, ...]:
        """See `Coder`."""
        return self.slots.all()

    def write(self, numbers: Numbers, write: Write) -> Outcome:
        """See `Coder`."""
        for tensor, values in self.slots.fixed:
            write(tensor.name, 0, values)
        try:
            sums = _Run(self, numbers, write).sums()
        except InvalidInput as error:
            if error.code == "scheme.not-finite":
                raise refusal("compress.not-finite", numbers, self.scheme.name) from None
            raise
        return Outcome(sums)


def unit_rows(scheme: GridScheme | AffineScheme) -> int:
    """How many rows have to be coded together."""
    if isinstance(scheme, AffineScheme) and isinstance(scheme.offset_layout, PackedZeroPoints):
        return _ZERO_POINT_ROWS
    return scheme.partition.rows if scheme.partition.granularity is Granularity.BLOCK else 1


def unit_columns(scheme: GridScheme | AffineScheme) -> int | None:
    """How many columns of a row have to be coded together; None for all."""
    match scheme.partition.granularity:
        case Granularity.TENSOR:
            return 32
        case Granularity.GROUP if unit_rows(scheme) == 1:
            size = scheme.partition.columns
            return size * 32 // gcd(size, 32)
        case _:
            return None


def fits_memory(scheme: GridScheme | AffineScheme, columns: int) -> bool:
    """Whether rows of that length can be coded in bounded memory."""
    if unit_columns(scheme) is not None:
        return True
    return columns <= ROW_ELEMENTS and unit_rows(scheme) * columns <= BAND_ELEMENTS


class _Run:
    """One weight being coded."""

    def __init__(self, coder: SchemeCoder, numbers: Numbers, write: Write) -> None:
        self._coder = coder
        self._scheme = coder.scheme
        self._numbers = numbers
        self._put = write
        self._last: QuantizedTensor | None = None

    def sums(self) -> PairSums:
        """Writes everything."""
        scheme = self._scheme
        if scheme.partition.granularity is Granularity.BLOCK and isinstance(scheme, GridScheme):
            return self._in_rectangles(scheme)
        self._scheme = fixed(scheme, self._numbers, self._coder.choices)
        if isinstance(self._scheme, NvidiaScheme):
            slot, divisor = self._coder.slots.global_scale, self._scheme.global_scale
            assert slot is not None
            assert divisor is not None
            self._put(slot.name, 0, torch.tensor([divisor]))
        rule = ScaleRule.ABSMAX if scheme.partition.granularity is Granularity.TENSOR else None
        total = NO_PAIRS
        for band in self._numbers.bands(unit_rows(scheme), unit_columns(scheme)):
            found, sums = self._measured(self._scheme, band, rule)
            total += sums
            self._write_codes(band, found.codes)
            self._write_blocks(band, found)
        return total

    def _in_rectangles(self, scheme: GridScheme) -> PairSums:
        """Each rectangle as a row of its own, filled up with zeros, which cost no error."""
        height, width = scheme.partition.rows, scheme.partition.columns
        rowwise = replace(scheme, partition=Partition(Granularity.CHANNEL))
        total = NO_PAIRS
        for band in self._numbers.bands(height):
            rows, columns = band.values.shape
            blocks = _rectangles(band.values, height, width)
            found, sums = self._measured(rowwise, replace(band, values=blocks))
            total += replace(sums, elements=rows * columns, count=sums.count - blocks.numel() + rows * columns)
            codes = _from_rectangles(found.codes, (rows, columns), height, width)
            self._write_codes(band, codes)
            assert found.scales is not None
            self._write_scales(band.row // height * -(-columns // width), found.scales)
        return total

    def _measured(
        self, scheme: GridScheme | AffineScheme, band: Band, rule: ScaleRule | None = None
    ) -> tuple[QuantizedTensor, PairSums]:
        choices = replace(self._coder.choices, seed=self._seed(band), scale=rule or self._coder.choices.scale)
        out = self._last if self._last is not None and self._last.shape == tuple(band.values.shape) else None
        if self._coder.read_dtype is torch.float32 and self._coder.restored is None:
            found, sums = quantize_measured(scheme, band.values, choices, out)
        else:
            found = quantize_fast(scheme, band.values, choices, out)
            sums = pair_sums_fast(band.values, self._restored(scheme, found), choices.threads)
        self._last = found
        return found, sums

    def _restored(self, scheme: GridScheme | AffineScheme, found: QuantizedTensor) -> Tensor:
        """float32: the numbers that the owner gives."""
        if self._coder.restored is not None:
            return self._coder.restored(scheme, found).to(torch.float32)
        restored = dequantize_fast(scheme, found, threads=self._coder.choices.threads)
        dtype = self._coder.read_dtype
        return restored if dtype is torch.float32 else restored.to(dtype).to(torch.float32)

    def _seed(self, band: Band) -> int | None:
        """Bands have random numbers of their own."""
        seed = self._coder.choices.seed
        return None if seed is None else (seed + (band.row * 8191 + band.column) * _SEED_STEP) % _SEEDS

    def _write_codes(self, band: Band, codes: Tensor) -> None:
        columns = self._numbers.shape[1]
        packing = self._scheme.packing
        place = band.row * packing.row_bits(columns) // 8 + packing.row_bits(band.column) // 8
        self._put(self._coder.slots.codes.name, place, codes)

    def _write_scales(self, first: int, scales: Tensor) -> None:
        self._put(self._coder.slots.scales.name, first * scales.element_size(), scales)

    def _write_blocks(self, band: Band, found: QuantizedTensor) -> None:
        partition = self._scheme.partition
        across = partition.scale_shape(self._numbers.shape)[1]
        is_whole = partition.granularity is Granularity.TENSOR
        assert found.scales is not None
        first = 0 if is_whole else band.row * across + band.column // max(partition.columns, 1)
        self._write_scales(first, found.scales)
        slot = self._coder.slots.zero_points
        if slot is not None and isinstance(self._scheme, AffineScheme):
            assert found.zero_points is not None
            if isinstance(self._scheme.offset_layout, PackedZeroPoints):
                first = band.row // _ZERO_POINT_ROWS * self._scheme.pairs.bits * across
            self._put(slot.name, first * found.zero_points.element_size(), found.zero_points)


def _rectangles(values: Tensor, height: int, width: int) -> Tensor:
    rows, columns = values.shape
    missing = -rows % height, -columns % width
    if any(missing):
        values = torch.nn.functional.pad(values, (0, missing[1], 0, missing[0]))
    blocks = values.view(values.shape[0] // height, height, -1, width).transpose(1, 2)
    return blocks.reshape(-1, height * width)


def _from_rectangles(codes: Tensor, shape: tuple[int, int], height: int, width: int) -> Tensor:
    rows, columns = shape
    across = -(-columns // width)
    tall = codes.view(-1, across, height, width).transpose(1, 2).reshape(-1, across * width)
    return tall[:rows, :columns].contiguous()

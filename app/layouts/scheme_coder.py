"""A weight by a scheme of one scale a block, band by band: codes, scales and zero points in tensors of their own."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import gcd

import torch
from torch import Tensor

from app.errors import InvalidInput
from app.layouts.refusals import refusal
from app.layouts.weights import Weight
from app.layouts.whole_scales import OnlyScale, ends_of, whole_pair, whole_scale
from app.layouts.writing import Band, Numbers, Outcome, Write
from app.metrics.error_sums import NO_PAIRS, PairSums
from app.metrics.tensor_error import pair_sums
from app.schemes.affine import AffineScheme
from app.schemes.affine_offsets import PackedZeroPoints
from app.schemes.fast import dequantize_fast, quantize_fast
from app.schemes.fast_measured import quantize_measured
from app.schemes.grid_scheme import GridScheme
from app.schemes.microscaling import NvidiaScheme
from app.schemes.partitions import Granularity, Partition
from app.schemes.scale_formats import ScaleFormat
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
        if scheme.partition.granularity is Granularity.TENSOR:
            return self._with_one_scale()
        if scheme.partition.granularity is Granularity.BLOCK and isinstance(scheme, GridScheme):
            return self._in_rectangles(scheme)
        if isinstance(scheme, NvidiaScheme):
            self._scheme = self._with_global_scale(scheme)
        total = NO_PAIRS
        for band in self._numbers.bands(unit_rows(scheme), unit_columns(scheme)):
            found, sums = self._measured(self._scheme, band)
            total += sums
            self._write_codes(band, found.codes)
            self._write_blocks(band, found)
        return total

    def _with_one_scale(self) -> PairSums:
        scheme, choices = self._scheme, self._coder.choices
        total = NO_PAIRS
        if isinstance(scheme, AffineScheme):
            pair = whole_pair(scheme, self._numbers, choices)
            for band in self._numbers.bands(1, 32):
                found = scheme.with_pairs(band.values, pair, self._seed(band))
                total += self._sums(scheme, band.values, found)
                self._write_codes(band, found.codes)
            self._write_scales(0, scheme.scale_format.stored(pair[0]))
            assert self._coder.slots.zero_points is not None
            self._put(self._coder.slots.zero_points.name, 0, scheme.offset_layout.stored(pair[1].view(1, 1)))
            return total
        scales = whole_scale(scheme, self._numbers, choices)
        fixed = replace(
            scheme,
            partition=Partition(Granularity.GROUP, 128),
            scale_format=OnlyScale("float32", only=float(scales)),
        )
        for band in self._numbers.bands(1, 128):
            found, sums = self._measured(fixed, band, ScaleRule.ABSMAX)
            total += sums
            self._write_codes(band, found.codes)
        self._write_scales(0, scheme.scale_format.stored(scales))
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

    def _with_global_scale(self, scheme: NvidiaScheme) -> NvidiaScheme:
        low, high = ends_of(self._numbers)
        fitted = scheme.fitted_format(torch.tensor([[max(-low, high)]]))
        slot = self._coder.slots.global_scale
        assert slot is not None
        self._put(slot.name, 0, torch.tensor([fitted.divisor]))
        return _FittedNvidiaScheme(scheme.name, scheme.grid, scheme.partition, fitted, scheme.packing, rule=scheme.rule)

    def _measured(
        self, scheme: GridScheme | AffineScheme, band: Band, rule: ScaleRule | None = None
    ) -> tuple[QuantizedTensor, PairSums]:
        choices = replace(self._coder.choices, seed=self._seed(band), scale=rule or self._coder.choices.scale)
        out = self._last if self._last is not None and self._last.shape == tuple(band.values.shape) else None
        if self._coder.read_dtype is torch.float32 and self._coder.restored is None:
            found, sums = quantize_measured(scheme, band.values, choices, out)
        else:
            found = quantize_fast(scheme, band.values, choices, out)
            sums = self._sums(scheme, band.values, found)
        self._last = found
        return found, sums

    def _sums(self, scheme: Scheme, values: Tensor, found: QuantizedTensor) -> PairSums:
        if self._coder.restored is not None:
            return pair_sums(values, self._coder.restored(scheme, found))
        return pair_sums(values, dequantize_fast(scheme, found).to(self._coder.read_dtype))

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
        assert found.scales is not None
        self._write_scales(band.row * across + band.column // max(partition.columns, 1), found.scales)
        slot = self._coder.slots.zero_points
        if slot is not None and isinstance(self._scheme, AffineScheme):
            assert found.zero_points is not None
            first = band.row * across + band.column // max(partition.columns, 1)
            if isinstance(self._scheme.offset_layout, PackedZeroPoints):
                first = band.row // _ZERO_POINT_ROWS * self._scheme.pairs.bits * across
            self._put(slot.name, first * found.zero_points.element_size(), found.zero_points)


@dataclass(frozen=True, slots=True)
class _FittedNvidiaScheme(NvidiaScheme):
    """NVFP4 of a part of a tensor: the global scale is the whole one's."""

    def fitted_format(self, values: Tensor) -> ScaleFormat:
        """See `GridScheme`."""
        del values
        return self.scale_format


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

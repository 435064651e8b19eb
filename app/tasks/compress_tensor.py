"""Compressing one tensor: read in chunks, quantised in blocks that stay in the caches, written where it belongs."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from app.codec import torch_dtype
from app.errors import WeightFileError
from app.formats import FloatFormat, find_format
from app.metrics.blocks import BLOCK_ELEMENTS, blocks
from app.metrics.error_sums import ErrorFigures, ErrorSums
from app.schemes.casts import CastCounts, cast_block
from app.schemes.int8 import (
    LARGEST,
    absmax_scales,
    dequantize_block,
    packed_columns,
    quantize_block,
    scale_dtype,
    work_dtype,
)
from app.schemes.matrix_blocks import Piece, bands, packed_range
from app.tasks.file_plan import TensorPlan
from app.tasks.progress import Advance
from app.weightfiles.file_header import TensorEntry
from app.weightfiles.strict_json import shown
from app.weightfiles.tensor_reader import TensorReader

Write = Callable[[str, int, Tensor | memoryview], None]
"""Writes bytes of a stored tensor: its name, the offset in its bytes, and the data."""


def copy_tensor(plan: TensorPlan, reader: TensorReader, write: Write, advance: Advance) -> None:
    """A kept tensor, byte for byte."""
    for offset, data in reader.byte_chunks(plan.entry):
        write(plan.entry.name, offset, data)
        advance(len(data))


def cast_tensor(
    plan: TensorPlan, reader: TensorReader, write: Write, advance: Advance
) -> tuple[ErrorFigures, CastCounts]:
    """A plain cast.

    Raises:
        WeightFileError: `compress.infinity`, infinities in a format that has none.
    """
    (stored,) = plan.stored
    target = find_format(stored.format)
    assert isinstance(target, FloatFormat)
    dtype = torch_dtype(target)
    out = torch.empty(min(reader.chunk_elements(plan.entry), plan.entry.elements), dtype=dtype)
    sums, counts = ErrorSums(), CastCounts()
    for first, chunk in reader.chunks(plan.entry):
        end = 0
        for block in blocks(chunk):
            begin, end = end, end + block.numel()
            out[begin:end] = cast_block(block, target, counts)
            sums.add(block, out[begin:end])
        if counts.infinities and not target.has_infinity:
            raise _refusal("compress.infinity", plan.entry, reader, scheme=target.name)
        write(stored.name, first * dtype.itemsize, out[:end])
        advance(chunk.nbytes)
    return sums.figures(), counts


class Int8Tensor:
    """int8 of one matrix: scales first, then codes, band by band."""

    def __init__(self, plan: TensorPlan, reader: TensorReader, write: Write, advance: Advance) -> None:
        self._packed, self._scale, self._shape = plan.stored
        self._entry = plan.entry
        self._reader = reader
        self._write = write
        self._advance = advance
        self._rows, self._columns = plan.entry.shape
        source_dtype = torch_dtype(find_format(plan.entry.type.format))
        self._dtype = scale_dtype(source_dtype)
        self._work = torch.empty(BLOCK_ELEMENTS, dtype=work_dtype(source_dtype))
        self._restored = torch.empty(BLOCK_ELEMENTS, dtype=torch.float32)
        self._codes = torch.empty(0, dtype=torch.uint8)
        self._sums = ErrorSums()

    def run(self, granularity: str) -> ErrorFigures:
        """Writes codes, scales and shape.

        Raises:
            WeightFileError: `compress.not-finite`, `compress.range`.
        """
        if granularity == "tensor":
            self._run_with_one_scale()
        else:
            self._run_with_row_scales()
        self._write(self._shape.name, 0, torch.tensor(self._entry.shape, dtype=torch.int64))
        return self._sums.figures()

    def _run_with_row_scales(self) -> None:
        for pieces in self._bands():
            values = self._read(pieces[0])
            magnitudes = _row_magnitudes(values)
            for piece in pieces[1:]:
                magnitudes = torch.maximum(magnitudes, _row_magnitudes(self._read(piece)))
            scales = self._scales(magnitudes)
            self._write(self._scale.name, pieces[0].row * self._dtype.itemsize, scales)
            if len(pieces) == 1:
                self._store(pieces[0], values, scales)
            else:
                # A row longer than a chunk is read a second time.
                for piece in pieces:
                    self._store(piece, self._read(piece), scales)

    def _run_with_one_scale(self) -> None:
        magnitude = torch.zeros(1, dtype=self._work.dtype)
        for _, chunk in self._reader.chunks(self._entry):
            low, high = torch.aminmax(chunk)
            magnitude = torch.maximum(magnitude, torch.maximum(-low, high).to(magnitude.dtype))
        scales = self._scales(magnitude)
        self._write(self._scale.name, 0, scales)
        for pieces in self._bands():
            for piece in pieces:
                self._store(piece, self._read(piece), scales)

    def _bands(self) -> Iterator[tuple[Piece, ...]]:
        return bands(self._rows, self._columns, self._reader.chunk_elements(self._entry))

    def _read(self, piece: Piece) -> Tensor:
        first = piece.row * self._columns + piece.column
        return self._reader.elements(self._entry, first, piece.elements).view(piece.rows, piece.columns)

    def _scales(self, magnitudes: Tensor) -> Tensor:
        if not bool(torch.isfinite(magnitudes).all()):
            raise _refusal("compress.not-finite", self._entry, self._reader, scheme="int8")
        scales = absmax_scales(magnitudes, self._dtype)
        # Only float64 reaches beyond what scales of float32 can hold.
        if bool((scales.to(torch.float64) * (LARGEST + 0.5) < magnitudes).any()):
            raise WeightFileError("compress.range", tensor=shown(self._entry.name), scheme="int8")
        return scales

    def _store(self, piece: Piece, values: Tensor, scales: Tensor) -> None:
        row_bytes = packed_columns(piece.columns)
        if self._codes.numel() < piece.rows * row_bytes:
            self._codes = torch.empty(piece.rows * row_bytes, dtype=torch.uint8)
        codes = self._codes[: piece.rows * row_bytes].view(piece.rows, row_bytes)
        codes[:, piece.columns :] = 0
        for parts in bands(piece.rows, piece.columns, BLOCK_ELEMENTS):
            for part in parts:
                rows, columns = slice(part.row, part.row_end), slice(part.column, part.column_end)
                self._store_block(
                    values[rows, columns], scales if scales.dim() == 1 else scales[rows], codes[rows, columns]
                )
        self._write(self._packed.name, packed_range(piece, self._columns)[0], codes)
        self._advance(values.nbytes)

    def _store_block(self, values: Tensor, scales: Tensor, codes: Tensor) -> None:
        work = self._work[: values.numel()].view(values.shape).copy_(values)
        quantize_block(work, scales.to(work.dtype), codes)
        restored = dequantize_block(codes, scales, self._restored[: values.numel()].view(values.shape))
        self._sums.add(values, restored)


def _row_magnitudes(values: Tensor) -> Tensor:
    low, high = torch.aminmax(values, dim=1, keepdim=True)
    return torch.maximum(-low, high)


def _refusal(code: str, entry: TensorEntry, reader: TensorReader, scheme: str) -> WeightFileError:
    """The refusal with the counts of the whole tensor."""
    nans = infinities = 0
    for _, chunk in reader.chunks(entry):
        for block in blocks(chunk):
            wide = block.to(torch.float32) if block.element_size() == 1 else block
            nans += int(torch.isnan(wide).sum())
            infinities += int(torch.isinf(wide).sum())
    return WeightFileError(code, tensor=shown(entry.name), nans=nans, infinities=infinities, scheme=scheme)

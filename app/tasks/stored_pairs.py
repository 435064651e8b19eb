"""The error of one tensor: its original elements against what the compressed file's elements stand for."""

import torch

from app.errors import WeightFileError
from app.metrics.blocks import BLOCK_ELEMENTS
from app.metrics.error_sums import NO_ERROR, ErrorFigures, ErrorSums
from app.schemes.int8 import WORD_BYTES, dequantize_block, packed_columns
from app.schemes.matrix_blocks import Piece, bands, packed_range
from app.tasks.progress import Advance
from app.weightfiles.file_header import TensorEntry
from app.weightfiles.strict_json import shown
from app.weightfiles.tensor_reader import CHUNK_BYTES, TensorReader

_MOST_ELEMENTS = CHUNK_BYTES // WORD_BYTES
"""So many that their codes fit into a chunk even where each is a row, and so a word, of its own."""


def plain_error(
    original: TensorEntry, before: TensorReader, stored: TensorEntry, after: TensorReader, advance: Advance
) -> ErrorFigures:
    """A tensor that was copied or cast.

    Raises:
        WeightFileError: `compare.shape`; `compare.unreadable`, different bytes of a format that is not read.
    """
    if original.shape != stored.shape:
        raise WeightFileError("compare.shape", tensor=shown(original.name))
    if original.type is stored.type and _same_bytes(original, before, stored, after):
        return NO_ERROR
    if not (original.type.is_readable and stored.type.is_readable):
        raise WeightFileError("compare.unreadable", tensor=shown(original.name))
    sums = ErrorSums()
    step = min(before.chunk_elements(original), after.chunk_elements(stored))
    for first in range(0, original.elements, step or 1):
        count = min(step, original.elements - first)
        values = before.elements(original, first, count)
        sums.add(values, after.elements(stored, first, count))
        advance(count * values.element_size())
    return sums.figures()


def _same_bytes(original: TensorEntry, before: TensorReader, stored: TensorEntry, after: TensorReader) -> bool:
    step = min(before.chunk_bytes, after.chunk_bytes)
    for first in range(0, original.bytes, step or 1):
        count = min(step, original.bytes - first)
        if before.bytes(original, first, count) != after.bytes(stored, first, count):
            return False
    return True


class PackedPair:
    """A matrix and its packed int8 codes, scales and shape."""

    def __init__(
        self,
        original: TensorEntry,
        before: TensorReader,
        stored: tuple[TensorEntry, TensorEntry, TensorEntry],
        after: TensorReader,
    ) -> None:
        """Checks that the four fit together.

        Raises:
            WeightFileError: `compare.packed`.
        """
        self._original = original
        self._before = before
        self._packed, self._scale, shape = stored
        self._after = after
        if not self._fits(shape):
            raise WeightFileError("compare.packed", tensor=shown(original.name))
        self._rows, self._columns = original.shape

    def _fits(self, shape: TensorEntry) -> bool:
        if len(self._original.shape) != 2 or not self._original.elements or not self._original.type.is_readable:
            return False
        rows, columns = self._original.shape
        words = (rows, packed_columns(columns) // WORD_BYTES)
        return (
            (self._packed.type.format, self._packed.shape) == ("int32", words)
            and self._scale.type.format in {"float32", "float16", "bfloat16"}
            and self._scale.shape in {(1,), (rows, 1)}
            and (shape.type.format, shape.shape) == ("int64", (2,))
            and self._after.elements(shape, 0, 2).tolist() == [rows, columns]
        )

    def error(self, advance: Advance) -> ErrorFigures:
        """The figures, read back from the codes."""
        sums = ErrorSums()
        for pieces in bands(
            self._rows, self._columns, min(self._before.chunk_elements(self._original), _MOST_ELEMENTS)
        ):
            for piece in pieces:
                self._add(piece, sums)
                advance(piece.elements * self._original.type.bits // 8)
        return sums.figures()

    def _add(self, piece: Piece, sums: ErrorSums) -> None:
        # The scales first: the next read overwrites them.
        by_row = len(self._scale.shape) == 2
        scales = self._after.elements(self._scale, piece.row if by_row else 0, piece.rows if by_row else 1).clone()
        first, count = packed_range(piece, self._columns)
        stored = torch.frombuffer(self._after.bytes(self._packed, first, count), dtype=torch.uint8)
        codes = stored.view(piece.rows, -1)[:, : piece.columns]
        values = self._before.elements(self._original, piece.row * self._columns + piece.column, piece.elements).view(
            piece.rows, piece.columns
        )
        restored = torch.empty(min(BLOCK_ELEMENTS, piece.elements), dtype=torch.float32)
        for parts in bands(piece.rows, piece.columns, BLOCK_ELEMENTS):
            for part in parts:
                rows, columns = slice(part.row, part.row_end), slice(part.column, part.column_end)
                out = restored[: part.elements].view(part.rows, part.columns)
                row_scales = scales.view(-1, 1)[rows] if by_row else scales
                sums.add(values[rows, columns], dequantize_block(codes[rows, columns], row_scales, out))

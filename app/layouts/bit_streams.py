"""Codes of 1 to 8 bits out of dense little-endian streams: element i has the bits from i * bits on of its row."""

from dataclasses import dataclass

import torch
from torch import Tensor

from app.layouts.rectangles import read_rectangle
from app.schemes.matrix_blocks import Piece
from app.weightfiles.file_header import TensorEntry
from app.weightfiles.tensor_reader import TensorReader

RUN = 32
"""So many codes fill whole words of 32 bits, whatever their width."""


def unpack_stream(stream: Tensor, bits: int) -> Tensor:
    """uint8 `[rows, bytes]` to the codes uint8 `[rows, bytes * 8 / bits]`; eight codes must end with a byte.

    Eight codes take `bits` bytes; each lies in at most two of them.
    """
    if bits == 8:
        return stream
    groups = stream.view(stream.shape[0], -1, bits)
    out = torch.empty(*groups.shape[:2], 8, dtype=torch.uint8)
    mask = (1 << bits) - 1
    for place in range(8):
        byte, shift = divmod(place * bits, 8)
        code = groups[:, :, byte] >> shift
        if shift + bits > 8:
            code = code | (groups[:, :, byte + 1] << (8 - shift))
        torch.bitwise_and(code, mask, out=out[:, :, place])
    return out.view(stream.shape[0], -1)


def as_bytes(words: Tensor) -> Tensor:
    """uint8 `[rows, bytes]` of `[rows, words]`, little-endian as in the file."""
    # A copy: a dimension of 1 may have any stride, and `contiguous` would leave it.
    return words.clone(memory_format=torch.contiguous_format).view(torch.uint8)


def stream_words(codes: int, bits: int, word_bits: int = 32) -> int:
    """How many words a row of codes takes."""
    return -(-codes * bits // word_bits)


@dataclass(frozen=True, slots=True)
class PackedRows:
    """Codes packed along the rows of a stored tensor; of any element type."""

    entry: TensorEntry
    width: int
    """Words of a stored row."""
    bits: int

    def part(self, reader: TensorReader, part: Piece) -> Tensor:
        """uint8 `[rows, columns]`."""
        first, end, skipped = self._words(part.column, part.column_end)
        words = read_rectangle(reader, self.entry, self.width, Piece(part.row, part.row_end, first, end))
        return _cut(as_bytes(words), self.bits, skipped, part.columns)

    def _words(self, column: int, column_end: int) -> tuple[int, int, int]:
        return _word_range(column, column_end, self.bits, self.entry.type.bits, self.width)


@dataclass(frozen=True, slots=True)
class PackedColumns:
    """Codes of a matrix packed along its columns, one stored column of words for each of its rows."""

    entry: TensorEntry
    height: int
    """Words of a stored column."""
    width: int
    """Stored columns: the rows of the matrix."""
    bits: int

    def part(self, reader: TensorReader, part: Piece) -> Tensor:
        """uint8 `[rows, columns]` of the matrix that is stored turned round."""
        first, end, skipped = _word_range(part.column, part.column_end, self.bits, 32, self.height)
        words = read_rectangle(reader, self.entry, self.width, Piece(first, end, part.row, part.row_end))
        return _cut(as_bytes(words.t()), self.bits, skipped, part.columns)


def _word_range(column: int, column_end: int, bits: int, word_bits: int, width: int) -> tuple[int, int, int]:
    """First and last word of whole runs around the columns, and how many codes of the first run are skipped."""
    run = max(RUN, word_bits)
    first = column // run * run
    end = -(-column_end // run) * run
    return first * bits // word_bits, min(end * bits // word_bits, width), column - first


def _cut(stream: Tensor, bits: int, skipped: int, columns: int) -> Tensor:
    missing = -stream.shape[1] % bits
    if missing:
        stream = torch.nn.functional.pad(stream, (0, missing))
    return unpack_stream(stream, bits)[:, skipped : skipped + columns]

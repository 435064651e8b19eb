"""Cutting a matrix into pieces that lie in one run in memory: bands of whole rows, or parts of a long row."""

from collections.abc import Iterator
from dataclasses import dataclass

from app.schemes.int8 import WORD_BYTES, packed_columns


@dataclass(frozen=True, slots=True)
class Piece:
    """Rows `row` to `row_end`, columns `column` to `column_end`: whole rows, or a part of one row."""

    row: int
    row_end: int
    column: int
    column_end: int

    @property
    def rows(self) -> int:
        return self.row_end - self.row

    @property
    def columns(self) -> int:
        return self.column_end - self.column

    @property
    def elements(self) -> int:
        return self.rows * self.columns


def bands(rows: int, columns: int, most: int) -> Iterator[tuple[Piece, ...]]:
    """The matrix in bands, each of pieces of at most `most` elements; several pieces only where a row is longer.

    Pieces begin at whole words of packed codes, so that each can be stored on its own.
    """
    if columns <= most:
        step = max(most // columns, 1)
        for row in range(0, rows, step):
            yield (Piece(row, min(row + step, rows), 0, columns),)
        return
    step = most // WORD_BYTES * WORD_BYTES
    for row in range(rows):
        yield tuple(Piece(row, row + 1, begin, min(begin + step, columns)) for begin in range(0, columns, step))


def packed_range(piece: Piece, columns: int) -> tuple[int, int]:
    """Where a piece of a matrix of `columns` columns lies among its packed codes: first byte and byte count."""
    row_bytes = packed_columns(columns)
    first = piece.row * row_bytes + piece.column
    if piece.columns == columns:
        return first, piece.rows * row_bytes
    return first, packed_columns(piece.columns)

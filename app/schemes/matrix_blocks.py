"""A part of a matrix: some of its rows, and some of their columns."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Piece:
    """Rows `row` to `row_end`, columns `column` to `column_end`."""

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

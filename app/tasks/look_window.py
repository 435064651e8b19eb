"""Which part of a tensor is looked at: the tensor as a matrix, a window of it, and the cells that it is drawn in."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import prod
from typing import Any

MOST_CELLS = 256
"""Across and down."""
MOST_NUMBERS = 16
"""Across and down: a window so small is shown as numbers too."""
VALUES = "values"
_LINE = 256
"""Elements in a line of a tensor of one dimension."""


@dataclass(frozen=True, slots=True)
class MatrixShape:
    """The outermost dimension down, all others across; a tensor of one dimension is written in lines."""

    rows: int
    columns: int

    @classmethod
    def of(cls, shape: Sequence[int]) -> "MatrixShape":
        """The last line of a tensor of one dimension may be short."""
        if len(shape) > 1:
            return cls(shape[0], prod(shape[1:]))
        length = shape[0] if shape else 1
        columns = min(length, _LINE)
        return cls(-(-length // columns) if columns else 0, columns)


@dataclass(frozen=True, slots=True)
class LookWindow:
    """Rows `top` to `top + rows`, columns likewise; `plane` is `values`, or a bit counted from the least one."""

    top: int
    left: int
    rows: int
    columns: int
    plane: str = VALUES

    @classmethod
    def within(cls, matrix: MatrixShape, asked: Mapping[str, int], plane: str) -> "LookWindow":
        """What was asked for, moved and cut until it lies in the matrix; what was not asked for is all."""
        rows = min(max(asked.get("rows", matrix.rows), 1), matrix.rows)
        columns = min(max(asked.get("columns", matrix.columns), 1), matrix.columns)
        top = min(max(asked.get("top", 0), 0), matrix.rows - rows)
        left = min(max(asked.get("left", 0), 0), matrix.columns - columns)
        return cls(top, left, rows, columns, plane)

    @property
    def cell(self) -> tuple[int, int]:
        """Rows and columns that one cell of the picture stands for."""
        return max(-(-self.rows // MOST_CELLS), 1), max(-(-self.columns // MOST_CELLS), 1)

    @property
    def cells(self) -> tuple[int, int]:
        """How many cells there are, down and across."""
        down, across = self.cell
        return -(-self.rows // down), -(-self.columns // across)

    @property
    def has_numbers(self) -> bool:
        """Whether it is small enough to be written out."""
        return self.rows <= MOST_NUMBERS and self.columns <= MOST_NUMBERS

    def to_json(self) -> dict[str, Any]:
        """For a job's arguments."""
        return asdict(self)

"""Where rows of a model's tensor lie in a GGUF file: some change their order, some are not stored.

In the Llama architecture a head's rows r and r + half of queries and keys become neighbours: transformers rotates the
halves of a head, llama.cpp pairs of neighbours. Row h * size + j * half + i goes to h * size + 2 * i + j.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class RowOrder:
    """The order of one tensor's rows."""

    columns: int
    head_rows: int = 0
    """Where rows change their order: how many make one attention head."""
    first_row: int = 0
    """Rows before this one are not stored."""

    @property
    def is_plain(self) -> bool:
        """Whether rows keep their order."""
        return self.head_rows == 0

    def stored_row(self, row: int) -> int:
        """Where a row of the model lies in the file; negative for one that is not stored."""
        if self.is_plain:
            return row - self.first_row
        head, inside = divmod(row, self.head_rows)
        second, pair = divmod(inside, self.head_rows // 2)
        return head * self.head_rows + 2 * pair + second

    def reordered(self, rows: Tensor) -> Tensor:
        """Rows of whole heads, `[rows, ...]`, in the order of the file."""
        if self.is_plain:
            return rows
        return _exchanged(rows, 2, self.head_rows // 2)

    def restored(self, rows: Tensor) -> Tensor:
        """The inverse of `reordered`."""
        if self.is_plain:
            return rows
        return _exchanged(rows, self.head_rows // 2, 2)

    def runs(self, first: int, count: int) -> Iterator[tuple[int, int, int]]:
        """Elements `first` to `first + count` of the model as runs that stay together: offset, length, place in file.

        Offsets count from `first`; places are elements. What is not stored is left out.
        """
        if self.is_plain:
            skipped = max(self.first_row * self.columns - first, 0)
            if skipped < count:
                yield skipped, count - skipped, first + skipped - self.first_row * self.columns
            return
        offset = 0
        while offset < count:
            row, column = divmod(first + offset, self.columns)
            length = min(self.columns - column, count - offset)
            yield offset, length, self.stored_row(row) * self.columns + column
            offset += length


def _exchanged(rows: Tensor, outer: int, inner: int) -> Tensor:
    shape = rows.shape
    return rows.reshape(-1, outer, inner, *shape[1:]).transpose(1, 2).reshape(shape).contiguous()


def order_of(shape: tuple[int, ...], head_rows: int, first_row: int) -> RowOrder:
    """Of a tensor; a vector such as a bias has rows of one number."""
    is_vector = len(shape) < 2
    columns = 1 if is_vector and (head_rows or first_row) else (shape[-1] if shape else 1)
    return RowOrder(max(columns, 1), head_rows, first_row)


def same_numbers(values: Tensor, dtype: torch.dtype) -> Tensor:
    """The values in a dtype that holds all of them."""
    return values if values.dtype == dtype else values.to(dtype)

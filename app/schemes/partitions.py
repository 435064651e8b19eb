"""How a matrix is cut into blocks that share a scale: the whole, rows, columns, groups within rows, or rectangles."""

from dataclasses import dataclass
from enum import StrEnum

import torch
from torch import Tensor

from app.errors import InvalidInput


class Granularity(StrEnum):
    """What shares a scale."""

    TENSOR = "tensor"
    CHANNEL = "channel"
    """A row."""
    COLUMN = "column"
    GROUP = "group"
    """So many neighbours within a row."""
    FLAT = "flat"
    """So many neighbours of the matrix read row by row, across the ends of rows."""
    BLOCK = "block"
    """A rectangle of rows and columns."""


@dataclass(frozen=True, slots=True)
class Partition:
    """A granularity and its sizes. Blocks at the ends may be smaller: they are counted, never moved elsewhere."""

    granularity: Granularity
    columns: int = 0
    """Of a group or rectangle; the length of a flat block."""
    rows: int = 0
    """Of a rectangle."""

    def __str__(self) -> str:
        """As options are written: `group=128`, `block=128x128`."""
        match self.granularity:
            case Granularity.GROUP:
                return f"group={self.columns}"
            case Granularity.FLAT:
                return f"block={self.columns}"
            case Granularity.BLOCK:
                return f"block={self.rows}x{self.columns}"
            case _:
                return str(self.granularity)

    def scale_shape(self, shape: tuple[int, int]) -> tuple[int, int]:
        """How the blocks of a matrix are arranged, in rows and columns."""
        rows, columns = shape
        match self.granularity:
            case Granularity.TENSOR:
                return 1, 1
            case Granularity.CHANNEL:
                return rows, 1
            case Granularity.COLUMN:
                return 1, columns
            case Granularity.GROUP:
                return rows, -(-columns // self.columns)
            case Granularity.FLAT:
                return 1, -(-rows * columns // self.columns)
            case Granularity.BLOCK:
                return -(-rows // self.rows), -(-columns // self.columns)

    def _sizes(self, shape: tuple[int, int]) -> tuple[int, int]:
        """Rows and columns of a block, no more than the matrix has: filling up costs no more than the matrix does."""
        rows, columns = shape
        across = rows * columns if self.granularity is Granularity.FLAT else columns
        return min(self.rows, rows), min(self.columns, across)

    def blocks(self, values: Tensor) -> Tensor:
        """The matrix as `[blocks, elements of a block]`, blocks row by row; where one is not full, NaN fills it.

        Blocks larger than the matrix are as large as it.
        """
        rows, columns = values.shape
        height, width = self._sizes((rows, columns))
        match self.granularity:
            case Granularity.TENSOR:
                return values.reshape(1, -1)
            case Granularity.CHANNEL:
                return values
            case Granularity.COLUMN:
                return values.t().contiguous()
            case Granularity.FLAT:
                return _filled(values.reshape(1, -1), width).view(-1, width)
            case Granularity.GROUP:
                return _filled(values, width).reshape(-1, width)
            case Granularity.BLOCK:
                down = -(-rows // height)
                tall = torch.full((down * height, columns), torch.nan, dtype=values.dtype, device=values.device)
                tall[:rows] = values
                wide = _filled(tall, width).view(down, height, -1, width)
                return wide.transpose(1, 2).reshape(-1, height * width)

    def matrix(self, blocks: Tensor, shape: tuple[int, int]) -> Tensor:
        """The inverse of `blocks`."""
        rows, columns = shape
        match self.granularity:
            case Granularity.COLUMN:
                return blocks.t().contiguous()
            case Granularity.FLAT:
                return blocks.reshape(-1)[: rows * columns].view(rows, columns)
            case Granularity.GROUP:
                return blocks.view(rows, -1)[:, :columns].contiguous()
            case Granularity.BLOCK:
                (height, width), (down, across) = self._sizes(shape), self.scale_shape(shape)
                wide = blocks.view(down, across, height, width).transpose(1, 2)
                return wide.reshape(down * height, across * width)[:rows, :columns].contiguous()
            case _:
                return blocks.reshape(rows, columns)

    def spread(self, scales: Tensor, shape: tuple[int, int]) -> Tensor:
        """The scales (as many as there are blocks, in their order) at every element: `[rows, columns]`."""
        rows, columns = shape
        height, width = self._sizes(shape)
        arranged = scales.reshape(self.scale_shape(shape))
        match self.granularity:
            case Granularity.GROUP:
                return arranged.repeat_interleave(width, 1)[:, :columns].contiguous()
            case Granularity.FLAT:
                return arranged.view(-1).repeat_interleave(width)[: rows * columns].view(rows, columns)
            case Granularity.BLOCK:
                tall = arranged.repeat_interleave(height, 0)[:rows]
                return tall.repeat_interleave(width, 1)[:, :columns].contiguous()
            case _:
                return arranged.expand(rows, columns).contiguous()


def parse_partition(text: str) -> Partition:
    """`tensor`, `channel`, `column`, `group=128`, `block=64` (flat) or `block=128x128`.

    Raises:
        InvalidInput: `scheme.granularity`, with the text.
    """
    name, _, size = text.partition("=")
    plain = {"tensor": Granularity.TENSOR, "channel": Granularity.CHANNEL, "column": Granularity.COLUMN}
    if name in plain and not size:
        return Partition(plain[name])
    sizes = [int(part) if part.isascii() and part.isdigit() and len(part) < 8 else 0 for part in size.split("x")]
    if all(sizes) and name == "group" and len(sizes) == 1:
        return Partition(Granularity.GROUP, sizes[0])
    if all(sizes) and name == "block" and len(sizes) <= 2:
        flat = len(sizes) == 1
        return Partition(Granularity.FLAT, sizes[0]) if flat else Partition(Granularity.BLOCK, sizes[1], sizes[0])
    raise InvalidInput("scheme.granularity", granularity=text[:40])


def _filled(values: Tensor, size: int) -> Tensor:
    """Columns up to a multiple of the size."""
    missing = -values.shape[1] % size
    if not missing:
        return values
    return torch.nn.functional.pad(values, (0, missing), value=torch.nan)

"""How a stored scale's shape cuts a weight into blocks: one for all, rows, groups of a row, or tiles."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from app.layouts.rectangles import matrix_of
from app.layouts.scale_grids import Grid, as_it_is, block_of, stored_grid
from app.weightfiles.file_header import TensorEntry


@dataclass(frozen=True, slots=True)
class Blocks:
    """A grid of numbers over a weight as a matrix."""

    rows: int
    columns: int
    block: tuple[int, int]
    shape: tuple[int, int]
    """Of the weight as a matrix."""

    @property
    def text(self) -> str:
        """In the words of schemes: `tensor`, `channel`, `group=128`, `block=128x128`."""
        if (self.rows, self.columns) == (1, 1) and self.shape[0] > 1:
            return "tensor"
        if self.block[0] == 1:
            return "channel" if self.columns == 1 else f"group={self.block[1]}"
        return f"block={self.block[0]}x{self.block[1]}"

    def grid(self, entry: TensorEntry, convert: Callable[[Tensor], Tensor] = as_it_is) -> Grid:
        """The numbers of a stored tensor of that shape."""
        return stored_grid(entry, self.rows, self.columns, self.block, convert)


def blocks_of(
    weight: tuple[int, ...], scale: tuple[int, ...], hints: tuple[tuple[int, ...], tuple[int, ...]] = ((), ())
) -> Blocks | None:
    """How the scale's numbers lie over the weight; None if they do not. `hints` are block heights and widths."""
    rows, columns = matrix_of(weight)
    if all(dimension == 1 for dimension in scale):
        return Blocks(1, 1, (max(rows, 1), max(columns, 1)), (rows, columns))
    if len(weight) < 2:
        return None
    if scale == weight[:-1]:
        scale = (*scale, 1)
    if len(scale) != len(weight) or scale[:-2] != weight[:-2]:
        return None
    height = block_of(weight[-2], scale[-2], hints[0])
    width = block_of(columns, scale[-1], hints[1])
    if height is None or width is None or (len(weight) > 2 and weight[-2] % height):
        return None
    return Blocks(*matrix_of(scale), (height, width), (rows, columns))

"""What is shown of a quantized matrix beyond what a scheme gives: element codes, a scale a block, ends of levels."""

import torch
from torch import Tensor

from app.formats import CodebookFormat, FloatFormat, IntegerFormat, find_format
from app.schemes.entries import SchemeEntry
from app.schemes.grid_scheme import GridScheme
from app.schemes.grids import Grid, format_grid, integer_grid
from app.schemes.scheme import Elements, Scheme

_WIDEST_GRID = 8
_RUNS = (256, 128, 64, 32, 16, 8)


def element_grid(entry: SchemeEntry) -> Grid | None:
    """The numbers of the element format, where it is one of at most 8 bits."""
    if not entry.element:
        return None
    number_format = find_format(entry.element)
    if number_format.width > _WIDEST_GRID:
        return None
    match number_format:
        case IntegerFormat() if number_format.min < 0:
            return integer_grid(number_format.width)
        case FloatFormat() | CodebookFormat():
            return format_grid(entry.element)
        case _:
            return None


def element_codes(elements: Elements, entry: SchemeEntry) -> Tensor | None:
    """int64: the code of each level in the element format; None where a level is none of its numbers.

    The layout's own codes may differ: compressed-tensors stores integers with an offset, for one.
    """
    grid = element_grid(entry)
    if grid is None:
        return elements.codes if entry.element else None
    levels = grid.level_tensor()
    places = torch.searchsorted(levels, elements.levels.contiguous()).clamp_(max=len(levels) - 1)
    if not torch.equal(levels[places], elements.levels):
        return None
    return torch.tensor(grid.codes, dtype=torch.int64)[places]


def level_ends(scheme: Scheme, entry: SchemeEntry) -> tuple[float, float] | None:
    """The smallest and the largest level that a code can stand for."""
    grid = scheme.grid if isinstance(scheme, GridScheme) else element_grid(entry)
    return None if grid is None else (grid.smallest, grid.largest)


def block_scales(scheme: Scheme, elements: Elements) -> Tensor:
    """The scales, each once, `[rows of blocks, columns of blocks]`."""
    scales = elements.scales
    partition = getattr(scheme, "partition", None)
    if partition is not None:
        shape = (scales.shape[0], scales.shape[1])
        return partition.blocks(scales)[:, 0].reshape(partition.scale_shape(shape))  # type: ignore[no-any-return]
    for run in _RUNS:
        if scales.shape[1] % run == 0 and bool((scales.view(-1, run) == scales.view(-1, run)[:, :1]).all()):
            return scales[:, ::run]
    return scales

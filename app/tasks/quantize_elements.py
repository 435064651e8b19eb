"""What is shown of a quantized matrix beyond what a scheme gives: element codes, a scale a block, ends of levels."""

import torch
from torch import Tensor

from app.formats import CodebookFormat, FloatFormat, IntegerFormat, find_format
from app.schemes.affine import AffineScheme
from app.schemes.entries import SchemeEntry
from app.schemes.grid_scheme import GridScheme
from app.schemes.grids import Grid, format_grid, integer_grid
from app.schemes.partitions import Partition
from app.schemes.plain_casts import CastScheme
from app.schemes.scheme import Elements, QuantizedTensor, Scheme

_WIDEST_GRID = 8
_RUNS = (256, 128, 64, 32, 16, 8)


def element_name(scheme: Scheme, entry: SchemeEntry) -> str:
    """The format of a code; integers from 0 on where a zero point or a minimum goes with them. Empty: none."""
    return f"uint{scheme.pairs.bits}" if isinstance(scheme, AffineScheme) else entry.element


def element_codes(scheme: Scheme, elements: Elements, name: str) -> Tensor | None:
    """int64: the code of each number in the element format; None where there is none, or a level is not in it.

    The layout's own codes may differ: compressed-tensors stores symmetric integers with an offset, for one.
    """
    if not name:
        return None
    grid = _element_grid(name)
    if grid is None or isinstance(scheme, AffineScheme | CastScheme):
        return elements.codes
    levels = grid.level_tensor()
    places = torch.searchsorted(levels, elements.levels.contiguous()).clamp_(max=len(levels) - 1)
    if not torch.equal(levels[places], elements.levels):
        return None
    return torch.tensor(grid.codes, dtype=torch.int64)[places]


def _element_grid(name: str) -> Grid | None:
    """The numbers of a format of at most 8 bits whose codes are not counted from 0 on."""
    number_format = find_format(name)
    if number_format.width > _WIDEST_GRID:
        return None
    match number_format:
        case IntegerFormat() if number_format.min < 0:
            return integer_grid(number_format.width)
        case FloatFormat() | CodebookFormat():
            return format_grid(name)
        case _:
            return None


def ends(scheme: Scheme, stored: QuantizedTensor, elements: Elements) -> tuple[Tensor, Tensor] | None:
    """The smallest and the largest number that the block of each number can hold; None where that is not known."""
    if isinstance(scheme, AffineScheme):
        _, offsets = scheme.read_pair(stored)
        spread = scheme.partition.spread(offsets, stored.shape)
        last = float((1 << scheme.pairs.bits) - 1)
        found = [scheme.pairs.decode(torch.full_like(spread, code), elements.scales, spread) for code in (0.0, last)]
    elif isinstance(scheme, GridScheme):
        found = [elements.scales * end for end in (scheme.grid.smallest, scheme.grid.largest)]
    elif isinstance(scheme, CastScheme):
        number_format = scheme.number_format
        found = [torch.full_like(elements.levels, float(end)) for end in (number_format.min, number_format.max)]
    else:
        return None
    return torch.minimum(*found), torch.maximum(*found)


def block_scales(scheme: Scheme, elements: Elements) -> Tensor:
    """The scales, each once, `[rows of blocks, columns of blocks]`."""
    return _each_once(scheme, elements.scales)


def block_offsets(scheme: Scheme, stored: QuantizedTensor, elements: Elements) -> Tensor | None:
    """Zero points, biases or minima, each once, arranged as the scales; None where nothing goes with the codes."""
    if isinstance(scheme, AffineScheme):
        return scheme.read_pair(stored)[1]
    return None if elements.offsets is None else _each_once(scheme, elements.offsets)


def _each_once(scheme: Scheme, spread: Tensor) -> Tensor:
    partition = getattr(scheme, "partition", None)
    if isinstance(partition, Partition):
        shape = (spread.shape[0], spread.shape[1])
        return partition.blocks(spread)[:, 0].reshape(partition.scale_shape(shape))
    for run in _RUNS:
        if spread.shape[1] % run == 0 and bool((spread.reshape(-1, run) == spread.reshape(-1, run)[:, :1]).all()):
            return spread[:, ::run]
    return spread

"""How the scales of DequantizeLinear lie over a tensor: one, one for each index of an axis, or blocks along it."""

from dataclasses import dataclass
from math import prod


@dataclass(frozen=True, slots=True)
class ScaleView:
    """A tensor as a matrix in which the scales of an axis are a grid: for blocks of rows, or of columns."""

    rows: int
    columns: int
    grid: tuple[int, int]
    """Rows and columns of the scales as a matrix."""
    block: tuple[int, int]
    text: str
    cycle: int = 0
    """Where it is not 0, so many rows have a scale each, again and again."""


def view_of(shape: tuple[int, ...], scale: tuple[int, ...], axis: int, size: int) -> ScaleView | None:
    """How scales of that shape lie over a tensor; None if they do not."""
    last = shape[-1] if shape else 1
    if prod(scale) == 1 and len(scale) < 2 and not size:
        rows = prod(shape[:-1])
        return ScaleView(rows, last, (1, 1), (max(rows, 1), max(last, 1)), "tensor")
    axis += len(shape) if axis < 0 else 0
    if not 0 <= axis < len(shape) or not prod(shape):
        return None
    outer, along, inner = prod(shape[:axis]), shape[axis], prod(shape[axis + 1 :])
    if size > 0:
        return _blocked_view(shape, scale, axis, size)
    if scale != (along,):
        return None
    text = "channel" if axis == 0 or outer == 1 else "column"
    if inner == 1 and axis == len(shape) - 1:
        return ScaleView(outer, along, (1, along), (outer, 1), text)
    return ScaleView(outer * along, inner, (outer * along, 1), (1, inner), text, 0 if outer == 1 else along)


def _blocked_view(shape: tuple[int, ...], scale: tuple[int, ...], axis: int, size: int) -> ScaleView | None:
    outer, along, inner = prod(shape[:axis]), shape[axis], prod(shape[axis + 1 :])
    blocks = -(-along // size)
    if scale != (*shape[:axis], blocks, *shape[axis + 1 :]):
        return None
    if axis == len(shape) - 1:
        return ScaleView(outer, along, (outer, blocks), (1, size), f"group={size}")
    if outer > 1 and along % size:
        return None
    return ScaleView(outer * along, inner, (outer * blocks, inner), (size, 1), f"group={size}")

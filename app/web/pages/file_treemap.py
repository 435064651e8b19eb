"""The tensors of a branch drawn to scale: a squarified treemap (Bruls, Huizing and van Wijk, 2000) of few marks."""

import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from app.tasks.file_tree import Branch

MOST_MARKS = 320
SIZES = {"narrow": (358, 400), "wide": (1120, 300)}
_SMALLEST_AREA = 30.0
"""Square units below which a rectangle is left out: it could be neither seen nor hit."""
_CUT_AREA = 2400.0
"""Rectangles larger than this are cut into what is below them."""
_LINE_HEIGHT, _CHARACTER_WIDTH = 16, 7.9


@dataclass(frozen=True, slots=True)
class Rectangle:
    """x, y, width and height."""

    x: float
    y: float
    width: float
    height: float

    @property
    def area(self) -> float:
        return self.width * self.height


@dataclass(frozen=True, slots=True)
class MapMark:
    """One tensor or one branch; `label` is empty where it does not fit."""

    branch: Branch
    at: Rectangle
    label: str
    second: str
    """Below the label, where there is room for it."""


@dataclass(frozen=True, slots=True)
class TreeMap:
    """All of them in one size."""

    size: str
    width: int
    height: int
    marks: tuple[MapMark, ...]
    left_out: int
    """Tensors too small to be drawn."""


def tree_map(root: Branch, size: str, shown: Callable[[Branch], tuple[str, str]]) -> TreeMap:
    """The map of what is below a branch; `shown` says what a branch is called, and what it stands in."""
    width, height = SIZES[size]
    whole = Rectangle(0, 0, width, height)
    final: list[tuple[Branch, Rectangle]] = []
    left_out, count = 0, 0
    # The largest rectangle is cut first, until there are enough of them.
    waiting: list[tuple[float, int, Branch, Rectangle]] = [(-whole.area, 0, root, whole)]
    while waiting:
        _, _, branch, place = heapq.heappop(waiting)
        room = MOST_MARKS - len(final) - len(waiting)
        # A single part takes all of the place: it says more than what it stands in.
        has_room = place.area > _CUT_AREA and len(branch.below) <= room
        is_cut = branch is root or has_room or len(branch.below) == 1
        if branch.place is not None or not is_cut:
            final.append((branch, place))
            continue
        drawn = heapq.nlargest(max(room, 1), branch.children, key=lambda child: child.bytes)
        left_out += branch.tensors - sum(child.tensors for child in drawn)
        for child, at in squarify([child for child in drawn if child.bytes], place, branch.bytes):
            if at.area < _SMALLEST_AREA:
                left_out += child.tensors
                continue
            count += 1
            heapq.heappush(waiting, (-at.area, count, child, at))
    final.sort(key=lambda each: (each[1].y, each[1].x))
    return TreeMap(size, width, height, tuple(_mark(branch, at, *shown(branch)) for branch, at in final), left_out)


def _mark(branch: Branch, at: Rectangle, name: str, around: str) -> MapMark:
    has_two_lines = at.height >= 2 * _LINE_HEIGHT + 6
    return MapMark(branch, _rounded(at), _label(name, at), _label(around, at) if has_two_lines else "")


def squarify(branches: Sequence[Branch], place: Rectangle, whole: int) -> Iterator[tuple[Branch, Rectangle]]:
    """Rectangles as large as their bytes, the largest first and as square as can be; `whole` bytes fill the place."""
    ordered = sorted(branches, key=lambda branch: -branch.bytes)
    left = float(whole)
    start = 0
    while start < len(ordered) and place.area > 0:
        side = min(place.width, place.height)
        scale = place.area / left
        end, total = start + 1, ordered[start].bytes * scale
        worst = _worst(ordered[start].bytes * scale, total, ordered[start].bytes * scale, side)
        while end < len(ordered):
            larger = total + ordered[end].bytes * scale
            ratio = _worst(ordered[start].bytes * scale, larger, ordered[end].bytes * scale, side)
            if ratio > worst:
                break
            total, worst, end = larger, ratio, end + 1
        row = ordered[start:end]
        yield from _laid(row, place, total, scale)
        place = _rest(place, total)
        left -= sum(branch.bytes for branch in row)
        start = end


def _worst(largest: float, total: float, smallest: float, side: float) -> float:
    """The worst ratio of sides in a row of that total along that side."""
    return max(side * side * largest / (total * total), total * total / (side * side * smallest))


def _laid(row: Sequence[Branch], place: Rectangle, total: float, scale: float) -> Iterator[tuple[Branch, Rectangle]]:
    is_column = place.width >= place.height
    depth = total / (place.height if is_column else place.width)
    at = place.y if is_column else place.x
    for branch in row:
        length = branch.bytes * scale / depth if depth else 0.0
        if is_column:
            yield branch, Rectangle(place.x, at, depth, length)
        else:
            yield branch, Rectangle(at, place.y, length, depth)
        at += length


def _rest(place: Rectangle, total: float) -> Rectangle:
    if place.width >= place.height:
        depth = total / place.height
        return Rectangle(place.x + depth, place.y, max(place.width - depth, 0.0), place.height)
    depth = total / place.width
    return Rectangle(place.x, place.y + depth, place.width, max(place.height - depth, 0.0))


def _rounded(at: Rectangle) -> Rectangle:
    return Rectangle(round(at.x, 1), round(at.y, 1), round(at.width, 1), round(at.height, 1))


def _label(name: str, at: Rectangle) -> str:
    room = int((at.width - 8) / _CHARACTER_WIDTH)
    if at.height < _LINE_HEIGHT + 4 or room < 3:
        return ""
    return name if len(name) <= room else f"{name[: room - 1]}…"

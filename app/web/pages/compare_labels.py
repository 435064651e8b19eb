"""Where the names of lines stand on a chart: beside their own line, off the others and off each other."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

CHARACTER_WIDTH = 7.9
LINE_HEIGHT = 15
ABOVE, BELOW = -6, 16
PLACES = 22
LONGEST = 18
MOST_COST = 400


@dataclass(frozen=True, slots=True)
class Curve:
    """A line by its points, x never falling; no points where nothing of it is seen."""

    name: str
    points: tuple[tuple[float, float], ...]

    def y_at(self, x: float) -> float | None:
        """The height of the line there; None outside."""
        place = bisect_right(self.points, x, key=lambda point: point[0])
        if place == 0 or (place == len(self.points) and x > self.points[-1][0]):
            return None
        (x0, y0), (x1, y1) = self.points[place - 1], self.points[min(place, len(self.points) - 1)]
        return y0 if x1 == x0 else y0 + (y1 - y0) * (x - x0) / (x1 - x0)


@dataclass(frozen=True, slots=True)
class Label:
    """A name centred at x on the base line y."""

    text: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class _Box:
    left: float
    right: float
    top: float
    bottom: float

    def overlap(self, other: "_Box") -> float:
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return width * height if width > 0 and height > 0 else 0


def shortened(name: str) -> str:
    """Long names, such as codebooks spelled out, cut for the chart; the tables have them in full."""
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"


def place_labels(curves: list[Curve], left: float, right: float, top: float, bottom: float) -> list[Label | None]:
    """One label a line, the narrowest line first: it has the fewest places to choose from.

    Where every place is taken there is none; the key under the chart names the line all the same.
    """
    frame, taken = _Box(left, right, top, bottom), list[_Box]()
    found: dict[int, Label] = {}
    order = sorted(range(len(curves)), key=lambda index: _extent(curves[index]))
    for index in order:
        curve = curves[index]
        if not curve.points:
            continue
        others = [each for other, each in enumerate(curves) if other != index and each.points]
        cost, box, label = min(
            ((_cost(box, label, curve, others, taken), box, label) for box, label in _places(curve, frame)),
            key=lambda each: each[0],
        )
        if cost < MOST_COST:
            found[index] = label
            taken.append(box)
    return [found.get(index) for index in range(len(curves))]


def _extent(curve: Curve) -> float:
    return curve.points[-1][0] - curve.points[0][0] if curve.points else 0


def _places(curve: Curve, frame: _Box) -> Iterator[tuple[_Box, Label]]:
    half = len(curve.name) * CHARACTER_WIDTH / 2
    start, extent = curve.points[0][0], _extent(curve)
    for place in range(PLACES):
        at = start + extent * (place + 0.5) / PLACES
        height = curve.y_at(at)
        assert height is not None
        x = min(max(at, frame.left + half), frame.right - half)
        for shift in (ABOVE, BELOW):
            y = min(max(height + shift, frame.top + LINE_HEIGHT), frame.bottom - 3)
            yield _Box(x - half, x + half, y - LINE_HEIGHT + 3, y + 3), Label(curve.name, round(x, 1), round(y, 1))


def _cost(box: _Box, label: Label, curve: Curve, others: list[Curve], taken: list[_Box]) -> float:
    """Overlaps weigh most, then lines through the name, then standing where two lines run as one."""
    cost = sum(20 * box.overlap(each) for each in taken)
    middle = (box.left + box.right) / 2
    samples = [box.left + (box.right - box.left) * step / 4 for step in range(5)]
    own = curve.y_at(middle)
    for each in (curve, *others):
        heights = [each.y_at(x) for x in samples]
        cost += sum(40 for height in heights if height is not None and box.top < height < box.bottom)
    for each in others:
        height = each.y_at(middle)
        if own is None or (height is not None and abs(height - own) < 2):
            cost += 60
    if own is not None:
        cost += abs(label.y - own) / 4
        cost += 1 if label.y > own else 0
    centre = (curve.points[0][0] + curve.points[-1][0]) / 2
    return cost + abs(middle - centre) / 50

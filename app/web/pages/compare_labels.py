"""Where the names of lines stand on a chart: beside their own line, off the others and off each other."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

CHARACTER_WIDTH = 7.9
LINE_HEIGHT = 15
ABOVE, BELOW = -6, 16
PLACES = 16
LONGEST = 18
MOST_COST = 400
COLUMN = 8


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

    def profile(self, left: float, right: float) -> list[float | None]:
        """The heights at every COLUMN pixels."""
        return [self.y_at(left + COLUMN * column) for column in range(int((right - left) // COLUMN) + 1)]


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
    profiles = [each.profile(left, right) for each in curves]
    found: dict[int, Label] = {}
    order = sorted(range(len(curves)), key=lambda index: _extent(curves[index]))
    for index in order:
        curve = curves[index]
        if not curve.points:
            continue
        others = profiles[:index] + profiles[index + 1 :]
        cost, box, label = min(
            (
                (_clash(box, others, taken, left) + _distance(box, label, curve), box, label)
                for box, label in _places(curve, frame)
            ),
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


def _clash(box: _Box, others: list[list[float | None]], taken: list[_Box], left: float) -> float:
    """Names over names weigh most, then lines through the name."""
    cost = sum(20 * box.overlap(each) for each in taken)
    first, last = int((box.left - left) // COLUMN), int((box.right - left) // COLUMN)
    for profile in others:
        for height in profile[first : last + 1 : 2]:
            if height is not None and box.top < height < box.bottom:
                cost += 30
    return cost


def _distance(box: _Box, label: Label, curve: Curve) -> float:
    """How far a name stands from the middle of its own line, and whether that line runs through it."""
    own = curve.y_at(label.x)
    cost = abs(label.x - (curve.points[0][0] + curve.points[-1][0]) / 2) / 50
    if own is None:
        return cost + 20
    crossings = [curve.y_at(x) for x in (box.left, box.right)]
    cost += sum(40 for height in crossings if height is not None and box.top < height < box.bottom)
    return cost + abs(label.y - own) / 4 + (1 if label.y > own else 0)

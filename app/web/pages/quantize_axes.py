"""What the two charts of the Quantize page share: their sizes, places for names beside points, and ticks."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

CHARACTER_WIDTH = 7.9
LINE_HEIGHT = 15
SIZES = {"narrow": (352, 300), "wide": (536, 320)}
"""Width and height of the two sizes of each chart; the page shows the one that fits."""
LEFT, RIGHT, TOP, BOTTOM = 44, 14, 26, 44
"""Room around the drawing: for figures at the left and below, and for the names of the axes."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A line of the grid and its figure."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Plane:
    """From figures to places on the canvas; both axes grow to the right and upwards."""

    width: int
    height: int
    x_low: float
    x_high: float
    y_low: float
    y_high: float
    room: int = 0
    """At the right, for names."""

    @property
    def right(self) -> int:
        return self.width - RIGHT - self.room

    @property
    def bottom(self) -> int:
        return self.height - BOTTOM

    def x(self, value: float) -> float:
        share = (value - self.x_low) / (self.x_high - self.x_low)
        return round(LEFT + min(max(share, 0), 1) * (self.right - LEFT), 1)

    def y(self, value: float) -> float:
        share = (value - self.y_low) / (self.y_high - self.y_low)
        return round(self.bottom - min(max(share, 0), 1) * (self.bottom - TOP), 1)


@dataclass(frozen=True, slots=True)
class PointName:
    """A name beside a point, its anchor `start` or `end`."""

    text: str
    x: float
    y: float
    anchor: str


def place_names(points: list[tuple[float, float, str]], plane: Plane) -> list[PointName]:
    """A name for each point, to the right where there is room, moved up or down until no two overlap."""
    placed: dict[int, PointName] = {}
    for index in sorted(range(len(points)), key=lambda each: points[each][1]):
        x, y, text = points[index]
        room = len(text) * CHARACTER_WIDTH + 12
        anchor = "start" if x + room <= plane.right + plane.room + RIGHT else "end"
        name = PointName(text, x + 10 if anchor == "start" else x - 10, y + 4, anchor)
        for shift in _shifts():
            moved = PointName(text, name.x, min(max(y + 4 + shift, TOP + 10), plane.bottom - 4), anchor)
            if not any(_overlap(moved, other) for other in placed.values()):
                name = moved
                break
        placed[index] = name
    return [placed[index] for index in range(len(points))]


def _shifts() -> Iterator[float]:
    yield 0.0
    for step in range(1, 24):
        yield step * 4.0
        yield step * -4.0


def _overlap(one: PointName, other: PointName) -> bool:
    (low, high), (other_low, other_high) = _extent(one), _extent(other)
    return low < other_high and other_low < high and abs(one.y - other.y) < LINE_HEIGHT


def _extent(name: PointName) -> tuple[float, float]:
    room = len(name.text) * CHARACTER_WIDTH
    return (name.x, name.x + room) if name.anchor == "start" else (name.x - room, name.x)


def steps(low: float, high: float, most: int) -> list[float]:
    """Round figures between two, at most so many and one."""
    raw = (high - low) / most
    power = 10 ** math.floor(math.log10(raw))
    step = next(each * power for each in (1, 2, 5, 10) if each * power >= raw * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    return [index * step for index in range(first, math.floor(high / step + 1e-9) + 1)]

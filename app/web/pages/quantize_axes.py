"""What the two charts of the Quantize page share: their sizes, places for names beside points, and ticks."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

CHARACTER_WIDTH = 7.9
LINE_HEIGHT = 15
SIZES = {"narrow": (352, 300), "wide": (536, 320)}
"""Width and height of the two sizes of each chart; the page shows the one that fits."""
LEFT, RIGHT, TOP, BOTTOM = 52, 14, 26, 44
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
    """A name beside a point, its anchor `start` or `end`; where it had to move away, a line leads from the point."""

    text: str
    x: float
    y: float
    anchor: str
    leader: tuple[float, float, float, float] | None = None

    @property
    def extent(self) -> tuple[float, float]:
        """From left to right."""
        room = len(self.text) * CHARACTER_WIDTH
        return (self.x, self.x + room) if self.anchor == "start" else (self.x - room, self.x)


def place_names(points: list[tuple[float, float, str]], plane: Plane) -> list[PointName]:
    """A name for each point, to the right where there is room, moved until it covers no other name and no point."""
    placed: dict[int, PointName] = {}
    for index in sorted(range(len(points)), key=lambda each: points[each][1]):
        x, y, text = points[index]
        places = list(_places(x, y, text, plane))
        free = (each for each in places if not _is_taken(each, points, placed, index))
        placed[index] = next(free, places[0])
    return [placed[index] for index in range(len(points))]


def _places(x: float, y: float, text: str, plane: Plane) -> Iterator[PointName]:
    has_room = x + 12 + len(text) * CHARACTER_WIDTH <= plane.right + plane.room + RIGHT
    sides = (("start", 10), ("end", -10)) if has_room else (("end", -10), ("start", 10))
    for shift in _shifts():
        top = min(max(y + shift, TOP + 6), plane.bottom - 8)
        for anchor, gap in sides if not plane.room else sides[:1]:
            leader = (x, y, x + gap * 0.8, top) if abs(top - y) > 9 and not plane.room else None
            yield PointName(text, round(x + gap, 1), round(top + 4, 1), anchor, leader)


def _shifts() -> Iterator[float]:
    yield 0.0
    for step in range(1, 24):
        yield step * 4.0
        yield step * -4.0


def _is_taken(name: PointName, points: list[tuple[float, float, str]], placed: dict[int, PointName], own: int) -> bool:
    low, high = name.extent
    if low < LEFT:
        return True
    for other in placed.values():
        other_low, other_high = other.extent
        if low < other_high and other_low < high and abs(name.y - other.y) < LINE_HEIGHT:
            return True
    return any(
        index != own and low - 6 < x < high + 6 and abs(name.y - 4 - y) < LINE_HEIGHT - 3
        for index, (x, y, _) in enumerate(points)
    )


def cut(name: str, room: int) -> str:
    """A name of at most so many characters."""
    return name if len(name) <= room else f"{name[: room - 1]}…"


def steps(low: float, high: float, most: int) -> list[float]:
    """Round figures between two, at most so many and one."""
    raw = (high - low) / most
    power = 10 ** math.floor(math.log10(raw))
    step = next(each * power for each in (1, 2, 5, 10) if each * power >= raw * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    return [index * step for index in range(first, math.floor(high / step + 1e-9) + 1)]

"""Pictures of the Quantize page that stretch with their column: the heat map of errors, and the weights over levels.

They hold no letters, so that they may be stretched; what is written about them stands in the page.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from app.schemes.grid_scheme import GridScheme
from app.tasks.quantize_charts import LevelHistogram, level_histogram
from app.tasks.quantize_values import Quantized
from app.web.pages.quantize_cells import MOST_SHADE, Window, shade_of
from app.web.typography import approximately

MOST_MARKS = 64
"""Of a heat map across and down; larger matrices are drawn in blocks."""
WIDTH, BARS = 512, 64
MOST_STICKS = 64
MOST_TICKS = 256
BINS = 64


@dataclass(frozen=True, slots=True)
class HeatMap:
    """Errors as a picture of `width` by `height` squares; `paths` holds one path for each shade from 1 on."""

    width: int
    height: int
    paths: tuple[str, ...]
    block: tuple[int, int]
    """Rows and columns of the matrix behind a square."""
    frame: tuple[float, float, float, float] | None
    """x, y, width and height of what the tables show; None where that is all."""


def heat_map(errors: Tensor, window: Window) -> HeatMap:
    """The largest error of each block of the matrix as one square; the largest of all has the strongest shade."""
    largest = largest_finite(errors)
    rows, columns = errors.shape
    block = (-(-rows // MOST_MARKS), -(-columns // MOST_MARKS))
    filled = torch.nn.functional.pad(errors.abs(), (0, -columns % block[1], 0, -rows % block[0]))
    height, width = filled.shape[0] // block[0], filled.shape[1] // block[1]
    squares = filled.view(height, block[0], width, block[1]).amax(dim=(1, 3)).tolist()
    paths: list[list[str]] = [[] for _ in range(MOST_SHADE)]
    for row, line in enumerate(squares):
        for shade, start, length in _runs([shade_of(error, largest) for error in line]):
            if shade:
                paths[shade - 1].append(f"M{start} {row}h{length}v1h-{length}z")
    is_all = (window.top, window.left, window.bottom, window.right) == (0, 0, rows, columns)
    x, y = window.left / block[1], window.top / block[0]
    frame = (x, y, window.right / block[1] - x, window.bottom / block[0] - y)
    return HeatMap(width, height, tuple(map("".join, paths)), block, None if is_all else frame)


def largest_finite(errors: Tensor) -> float:
    """The largest magnitude that is no infinity; 0 where there is none."""
    return float(errors.abs().nan_to_num(0.0, posinf=0.0).max())


def _runs(shades: list[int]) -> Iterator[tuple[int, int, int]]:
    start = 0
    for place in range(1, len(shades) + 1):
        if place == len(shades) or shades[place] != shades[start]:
            yield shades[start], start, place - start
            start = place


@dataclass(frozen=True, slots=True)
class LevelPicture:
    """Weights above, levels below one line, both in units of levels."""

    low: str
    high: str
    bars: str
    """The histogram of many weights; empty where each is a stick of its own."""
    sticks: tuple[float, ...]
    levels: tuple[float, ...]
    """Where levels stand that the grid has."""
    used: tuple[tuple[float, float], ...]
    """Where levels stand that are used, and how long each is drawn by its count."""
    used_count: int
    level_count: int
    """Of the grid; 0 where it is not known."""
    rows: tuple[tuple[str, int], ...]
    """Levels and counts, for the table."""
    width: int = WIDTH
    height: int = BARS


def level_picture(quantized: Quantized) -> LevelPicture:
    """Where the weights fall between the levels, and how many are stored as each."""
    histogram = level_histogram(quantized.values, quantized, BINS)
    scheme = quantized.scheme
    grid = scheme.grid.levels if isinstance(scheme, GridScheme) else ()
    low, high = min([histogram.low, *grid[:1]]), max([histogram.high, *grid[-1:]])
    margin = (high - low) / 40
    place = _Place(low - margin, high + margin)
    is_few = quantized.values.numel() <= MOST_STICKS
    most = max(histogram.level_counts)
    return LevelPicture(
        low=approximately(f"{low:.9g}", 4),
        high=approximately(f"{high:.9g}", 4),
        bars="" if is_few else _bars(histogram, place),
        sticks=tuple(place.x(value) for value in _scaled(quantized)) if is_few else (),
        levels=tuple(map(place.x, grid)) if len(grid) <= MOST_TICKS else (),
        used=tuple(
            (place.x(level), round(4 + 28 * count / most, 1))
            for level, count in zip(histogram.levels[:MOST_TICKS], histogram.level_counts, strict=False)
        ),
        used_count=len(histogram.levels),
        level_count=len(grid),
        rows=tuple(
            (approximately(f"{level:.9g}", 5), count)
            for level, count in zip(histogram.levels[:MOST_TICKS], histogram.level_counts, strict=False)
        ),
    )


@dataclass(frozen=True, slots=True)
class _Place:
    low: float
    high: float

    def x(self, level: float) -> float:
        return round((level - self.low) / (self.high - self.low) * WIDTH, 1)


def _bars(histogram: LevelHistogram, place: _Place) -> str:
    start, end = place.x(histogram.low), place.x(histogram.high)
    step, top = (end - start) / len(histogram.counts), max(histogram.counts)
    path = [f"M{start:.4g} {BARS}"]
    for index, count in enumerate(histogram.counts):
        bar = max(count / top * BARS, 0.75) if count else 0
        path.append(f"V{BARS - bar:.4g}H{start + (index + 1) * step:.6g}")
    return "".join([*path, f"V{BARS}Z"])


def _scaled(quantized: Quantized) -> list[float]:
    values, elements = quantized.values, quantized.elements
    shifted = values if elements.offsets is None else values - elements.offsets
    scales = elements.scales.to(torch.float64)
    found: list[float] = torch.where(scales == 0, 0.0, shifted.to(torch.float64) / scales).flatten().tolist()
    return found

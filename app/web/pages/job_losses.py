"""What each tensor of a job lost, sorted: one step for each tensor, or for a few of them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.web.pages.file_branches import visible
from app.web.pages.quantize_axes import Plane, Tick, steps
from app.web.pages.tensor_charts import ChartFrame

SIZES = {"narrow": (352, 200), "wide": (1120, 220)}
MOST_STEPS = 560


@dataclass(frozen=True, slots=True)
class LossChart:
    """SQNR over the rank of the tensor, in one size."""

    frame: ChartFrame
    path: str


@dataclass(frozen=True, slots=True)
class Losses:
    """The tensors in the order of their SQNR."""

    charts: tuple[LossChart, ...]
    tensors: int
    together: int
    """Tensors behind a step, of which the worst is drawn."""
    worst_name: str
    median: str


def losses_of(rows: Sequence[Mapping[str, Any]]) -> Losses | None:
    """The chart of compressed rows of a report; None where fewer than three can be measured."""
    found = sorted((float(row["sqnr_db"]), str(row["name"])) for row in rows if row["sqnr_db"] is not None)
    if len(found) < 3:
        return None
    finite = [decibels for decibels, _ in found if math.isfinite(decibels)]
    if not finite:
        return None
    low, high = min(0.0, finite[0]), max(finite[-1] * 1.05, 1.0)
    shown = [min(max(decibels, low), high) for decibels, _ in found]
    together = -(-len(shown) // MOST_STEPS)
    worst = shown[::together]  # sorted: the first of each step is its worst
    median = found[len(found) // 2][0]
    return Losses(
        charts=tuple(_chart(worst, len(shown), together, (low, high), size) for size in SIZES),
        tensors=len(found),
        together=together,
        worst_name=visible(found[0][1]),
        median=f"{median:.1f}".replace("-", "−") if math.isfinite(median) else "∞",
    )


def _chart(worst: Sequence[float], count: int, together: int, ends: tuple[float, float], size: str) -> LossChart:
    width, height = SIZES[size]
    plane = Plane(width, height, 0, count, *ends)
    base = plane.y(max(ends[0], 0.0))
    path = [f"M{plane.x(0)} {base}"]
    for place, decibels in enumerate(worst):
        path.append(f"V{plane.y(decibels)}H{plane.x(min((place + 1) * together, count))}")
    y_ticks = tuple(Tick(plane.y(value), f"{value:g}".replace("-", "−")) for value in steps(*ends, 4))
    x_ticks = tuple(Tick(plane.x(value), f"{value:g}") for value in steps(0, count, 6) if value == int(value))
    left = round(plane.x(0))
    frame = ChartFrame(size, width, height, left, plane.right, plane.bottom, x_ticks, y_ticks)
    return LossChart(frame, "".join([*path, f"V{base}Z"]))

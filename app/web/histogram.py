"""Histograms as SVG paths, and the sentence that says the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.web.quantities import number_text, share_text


@dataclass(frozen=True, slots=True)
class Bin:
    """One bar, for the data table."""

    low: str
    high: str
    count: int
    share: str


@dataclass(frozen=True, slots=True)
class Histogram:
    """A shape to draw, in its own coordinates, with its figures."""

    path: str
    width: int
    height: int
    low: str
    high: str
    zero_at: float | None
    """Where the value 0 lies across the width, if it does."""
    peak_low: str
    peak_high: str
    peak_share: str
    bin_count: int
    bins: tuple[Bin, ...]
    """Empty where no table is asked for."""


def histogram_of(
    document: Mapping[str, Any] | None, *, width: int, height: int, has_table: bool = True
) -> Histogram | None:
    """The picture of a tensor's `histogram`; None where there is none."""
    if document is None:
        return None
    low, high, counts = float(document["low"]), float(document["high"]), document["counts"]
    total = sum(counts)
    if not total:
        return None
    # Halving first keeps the width of the full range of a float64 finite.
    edges = [low * (1 - index / len(counts)) + high * (index / len(counts)) for index in range(len(counts) + 1)]

    def bin_at(index: int) -> Bin:
        count = counts[index]
        return Bin(number_text(edges[index]), number_text(edges[index + 1]), count, share_text(count, total))

    peak = bin_at(max(range(len(counts)), key=counts.__getitem__))
    half_range = high / 2 - low / 2
    zero_at = (-low / 2) / half_range * width if low < 0 < high else None
    return Histogram(
        path=bars_path(counts, width, height),
        width=width,
        height=height,
        low=number_text(low),
        high=number_text(high),
        zero_at=round(zero_at, 2) if zero_at is not None else None,
        peak_low=peak.low,
        peak_high=peak.high,
        peak_share=peak.share,
        bin_count=len(counts),
        bins=tuple(map(bin_at, range(len(counts)))) if has_table else (),
    )


def bars_path(counts: Sequence[int], width: int, height: int) -> str:
    """One path of touching bars, the highest as high as the picture; a bar that holds anything can be seen."""
    step, top = width / len(counts), max(counts)
    path = [f"M0 {height}"]
    for index, count in enumerate(counts):
        bar = max(count / top * height, 0.75) if count else 0
        path.append(f"V{height - bar:.4g}H{(index + 1) * step:.6g}")
    return "".join([*path, f"V{height}Z"])

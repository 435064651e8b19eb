"""Pictures of a quantized matrix as data: error against the clipping point, and where values fall on the grid."""

from dataclasses import dataclass

import torch
from torch import Tensor

from app.schemes.registry import find_entry, find_scheme
from app.tasks.quantize_clips import ClipPoint, clip_points, clips_of
from app.tasks.quantize_request import SchemeChoice
from app.tasks.quantize_values import Quantized, quantize_one

CURVE_POINTS = 120
FIRST_CLIP, LAST_CLIP = 0.1, 1.6
MOST_BINS = 256


@dataclass(frozen=True, slots=True)
class ClipCurve:
    """Error against the clipping point, each number at its nearest level at every point."""

    points: tuple[ClipPoint, ...]
    chosen_clip: float | None
    """The multiple that the scheme's own scales stand for: of one scale that itself, of many their middle one."""
    chosen_mse: float | None
    chosen_sqnr_db: float | None
    """Each block has its own scale there: the error may be below every point of the curve."""

    @property
    def best(self) -> ClipPoint | None:
        """The point with the least error."""
        return min((each for each in self.points if each.mse is not None), key=lambda each: each.mse or 0, default=None)


def clip_curve(
    values: Tensor,
    choice: SchemeChoice,
    points: int = CURVE_POINTS,
    chosen: Quantized | None = None,
    last: float = LAST_CLIP,
) -> ClipCurve | None:
    """The error at `points` clipping points from a tenth to `last` times the largest magnitude of each block.

    `chosen` is the scheme's own work where that is at hand. None for schemes that have no scale to move: plain casts,
    and layouts whose scales depend on each other.

    Raises:
        InvalidInput: what the scheme refuses.
    """
    scheme = find_scheme(choice.name, choice.options)
    moved = clips_of(scheme, values) if has_scale_rule(choice) else None
    if moved is None:
        return None
    chosen = chosen or quantize_one(values, choice)
    return ClipCurve(
        points=clip_points(values, scheme, _clips(points, last)),
        chosen_clip=_middle(moved.chosen(chosen.stored)),
        chosen_mse=chosen.error.figures.mse,
        chosen_sqnr_db=chosen.error.figures.sqnr_db,
    )


def clip_at(values: Tensor, choice: SchemeChoice, clip: float) -> ClipPoint | None:
    """One point of the curve: what a slider is at."""
    scheme = find_scheme(choice.name, choice.options)
    if not has_scale_rule(choice) or clips_of(scheme, values) is None:
        return None
    return clip_points(values, scheme, [clip])[0]


def has_scale_rule(choice: SchemeChoice) -> bool:
    """Whether there is a choice of scales at all; MX has rules of its own."""
    return not find_entry(choice.name).options.isdisjoint({"scale", "mx_scale"})


def _clips(points: int, last: float) -> list[float]:
    step = (last - FIRST_CLIP) / (points - 1)
    return [FIRST_CLIP + index * step for index in range(points)]


def _middle(multiples: Tensor) -> float | None:
    known = multiples[~multiples.isnan()]
    return float(known.median()) if known.numel() else None


@dataclass(frozen=True, slots=True)
class LevelHistogram:
    """How the scaled values (value - offset over scale) lie over the levels of the grid."""

    low: float
    high: float
    """The ends of the bins, in units of levels."""
    counts: tuple[int, ...]
    """Values in bins of equal width from `low` to `high`."""
    levels: tuple[float, ...]
    """The levels that are used, ascending; infinities, of casts that overflow, are left out."""
    level_counts: tuple[int, ...]
    """How many numbers were stored as each."""


def level_histogram(values: Tensor, quantized: Quantized, bins: int = 128) -> LevelHistogram:
    """Where each weight falls between the levels, and how often each level is used; `bins` at most 256."""
    elements = quantized.elements
    shifted = values if elements.offsets is None else values - elements.offsets
    scaled = torch.where(elements.scales == 0, 0.0, shifted.to(torch.float64) / elements.scales.to(torch.float64))
    scaled = scaled.nan_to_num(0.0, posinf=0.0, neginf=0.0)
    levels, counts = torch.unique(elements.levels[torch.isfinite(elements.levels)], return_counts=True)
    low, high = (float(end) for end in torch.aminmax(torch.cat((scaled.view(-1), levels.to(torch.float64)))))
    if low == high:
        low, high = low - 1, high + 1
    histogram = torch.histc(scaled, min(bins, MOST_BINS), low, high)
    return LevelHistogram(
        low, high, tuple(map(int, histogram.tolist())), tuple(levels.tolist()), tuple(counts.tolist())
    )

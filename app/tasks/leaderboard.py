"""The leaderboard: every scheme on one matrix, ranked by its error and by its distance to the rate-distortion bound."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache

import torch
from torch import Tensor

from app.errors import AppError
from app.metrics.error_sums import ErrorFigures, ErrorSums
from app.metrics.theory import DECIBELS_A_BIT
from app.schemes.entries import SchemeEntry, SchemeOptions
from app.schemes.registry import ENTRIES, find_scheme
from app.schemes.scheme import Choices, QuantizedTensor, Scheme
from app.tasks.quantize_request import Distribution, DrawnMatrix, SchemeChoice
from app.tasks.quantize_samples import draw
from app.tasks.quantize_values import choices_of

Quantize = Callable[[Scheme, Tensor, Choices], QuantizedTensor]
Progress = Callable[[int, int, SchemeChoice], None]
_MOST_GRANULARITIES = 3
_SHORT_SCALES = "bfloat16"
_DRAWN_SHAPE = (4, 256)


@dataclass(frozen=True, slots=True)
class Standing:
    """One scheme on the matrix: its figures, or why it does not take it."""

    choice: SchemeChoice
    entry: SchemeEntry
    bits_per_weight: Fraction | None = None
    figures: ErrorFigures | None = None
    refusal: AppError | None = None

    @property
    def gap_db(self) -> float | None:
        """6.0206 dB for each real bit, less the SQNR: how far below the bound of a Gaussian."""
        if self.figures is None or self.figures.sqnr_db is None or self.bits_per_weight is None:
            return None
        return DECIBELS_A_BIT * float(self.bits_per_weight) - self.figures.sqnr_db


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """The schemes that took the matrix, the smallest gap first, and those that did not."""

    shape: tuple[int, int]
    ranked: tuple[Standing, ...]
    refused: tuple[Standing, ...]

    def by_sqnr(self) -> tuple[Standing, ...]:
        """The largest SQNR first; of equal ones the one with fewer bits."""
        return tuple(sorted(self.ranked, key=lambda each: (-_sqnr(each), each.bits_per_weight)))


def rank_schemes(
    values: Tensor,
    contenders: tuple[SchemeChoice, ...] | None = None,
    quantize: Quantize | None = None,
    progress: Progress | None = None,
) -> Leaderboard:
    """Every scheme on float32 `[rows, columns]`; `progress` hears of each before it begins.

    `quantize` stands in for the scheme's own method: `app.schemes.fast.quantize_fast` where numba may be loaded.
    """
    chosen = contenders or all_contenders()
    standings = []
    for done, choice in enumerate(chosen):
        if progress is not None:
            progress(done, len(chosen), choice)
        standings.append(_standing(values, choice, quantize or _plainly))
    took = [each for each in standings if each.refusal is None]
    refused = [each for each in standings if each.refusal is not None]
    took.sort(key=lambda each: (torch.inf if each.gap_db is None else each.gap_db, -_sqnr(each)))
    return Leaderboard((values.shape[0], values.shape[1]), tuple(took), tuple(refused))


@lru_cache(maxsize=len(Distribution))
def drawn_leaderboard(distribution: Distribution) -> Leaderboard:
    """Every scheme on 1,024 numbers of a distribution, once a process: seconds of work, and always the same."""
    return rank_schemes(draw(DrawnMatrix(distribution, *_DRAWN_SHAPE)))


def all_contenders() -> tuple[SchemeChoice, ...]:
    """Every scheme of the table with its usual granularities, and once with each option that changes its bytes."""
    return tuple(choice for entry in ENTRIES.values() for choice in _contenders(entry))


def _contenders(entry: SchemeEntry) -> Iterator[SchemeChoice]:
    plain = SchemeChoice(entry.name)
    yield plain
    for granularity in entry.granularities[1:_MOST_GRANULARITIES]:
        yield replace(plain, options=SchemeOptions(granularity=granularity))
    if "symmetric" in entry.options:
        yield replace(plain, options=SchemeOptions(symmetric=False))
    if "scale_format" in entry.options:
        yield replace(plain, options=SchemeOptions(scale_format=_SHORT_SCALES))
    if "double_quant" in entry.options:
        yield replace(plain, options=SchemeOptions(double_quant=True))
    if "signed_scales" in entry.options:
        yield replace(plain, signed_scales=True)


def _plainly(scheme: Scheme, values: Tensor, choices: Choices) -> QuantizedTensor:
    return scheme.quantize(values, choices)


def _standing(values: Tensor, choice: SchemeChoice, quantize: Quantize) -> Standing:
    entry = ENTRIES[choice.name]
    try:
        scheme = find_scheme(choice.name, choice.options)
        stored = quantize(scheme, values, choices_of(choice))
        sums = ErrorSums()
        sums.add(values, scheme.dequantize(stored).contiguous())
        return Standing(choice, entry, scheme.storage(stored.shape).bits_per_weight, sums.figures())
    except AppError as error:
        return Standing(choice, entry, refusal=error)


def _sqnr(standing: Standing) -> float:
    """To sort by: an error that is not known is told last."""
    known = standing.figures.sqnr_db if standing.figures else None
    return -torch.inf if known is None else known

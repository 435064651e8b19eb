"""All figures of one tensor, chunk by chunk: statistics, histograms, channels, outliers and the entropy of its bits.

Numbers of up to 16 bits are read once: their counted codes tell all but the channels. Longer ones are read once more,
for a histogram needs the range first.
"""

from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any

from torch import Tensor

from app.formats import find_format
from app.metrics.binades import BinadePass, Binades, binades_of, needs_pass
from app.metrics.bit_positions import BitPositions, bit_positions
from app.metrics.channel_ranges import MOST_BINS, ChannelPass
from app.metrics.code_counts import CodeCountPass, CodeCounts
from app.metrics.counted_statistics import CountedNumbers
from app.metrics.fast_histogram import histogram_and_outside
from app.metrics.statistics import Histogram, Statistics, StatisticsPass

Chunks = Callable[[], Iterable[tuple[int, Tensor]]]
"""The tensor from its beginning: the first element's index and contiguous elements of a real dtype."""

OUTLIER_SIGMAS = 6
FIGURES = ("min", "max", "mean", "std", "zeros", "nans", "infinities", "histogram")
"""What the row of a table needs; the others are `DETAILS`."""
DETAILS = ("binades", "channels", "outliers", "largest", "bits")
UNKNOWN: dict[str, Any] = dict.fromkeys((*FIGURES, *DETAILS))
"""Of a tensor that cannot be read as numbers."""
_MOST_BINS_OF_ALL = 100_000


def channel_bins(tensors: int) -> int:
    """How many bins of channels each of so many tensors may have, so that a document stays bounded."""
    return max(16, min(MOST_BINS, _MOST_BINS_OF_ALL // max(tensors, 1)))


def tensor_figures(chunks: Chunks, shape: tuple[int, ...], number_format: str, most_bins: int) -> dict[str, Any]:
    """The figures as JSON has them; `number_format` is that of the elements, at most `most_bins` bins of channels."""
    look = _Look(shape, most_bins)
    for first, chunk in chunks():
        look.add(first, chunk)
    return look.figures(chunks, number_format)


class _Look:
    """The first reading."""

    def __init__(self, shape: tuple[int, ...], most_bins: int) -> None:
        self._shape = shape
        self._most_bins = most_bins
        self._codes: CodeCountPass | None = None
        self._channels: ChannelPass | None = None
        self._statistics = StatisticsPass()
        self._binades = BinadePass()

    def add(self, first: int, chunk: Tensor) -> None:
        if self._codes is None or self._channels is None:
            self._dtype = chunk.dtype
            self._codes = CodeCountPass(chunk.dtype)
            self._channels = ChannelPass(self._shape, chunk.dtype, self._most_bins)
        self._codes.add(chunk)
        self._channels.add(first, chunk)
        if chunk.dtype.itemsize > 2:
            self._statistics.add(chunk)
        if needs_pass(chunk.dtype):
            self._binades.add(chunk)

    def figures(self, chunks: Chunks, number_format: str) -> dict[str, Any]:
        if self._codes is None or self._channels is None:
            return {**UNKNOWN, **asdict(self._statistics.statistics())}
        counts = self._codes.counts()
        statistics, histogram, outliers = self._numbers(counts, chunks)
        is_told = not needs_pass(self._dtype)
        binades = binades_of(counts, self._dtype, statistics.zeros) if is_told else self._binades.binades()
        ranges = self._channels.ranges()
        return {
            **asdict(statistics),
            "histogram": None if histogram is None else _histogram_document(histogram),
            "binades": _binades_document(binades),
            "channels": {
                "channels": ranges.channels,
                "per_bin": ranges.per_bin,
                "min": list(ranges.low),
                "max": list(ranges.high),
            },
            "outliers": outliers,
            "largest": [asdict(extreme) for extreme in self._channels.largest()],
            "bits": _bits_document(bit_positions(counts, find_format(number_format).field_widths)),
        }

    def _numbers(
        self, counts: CodeCounts, chunks: Chunks
    ) -> tuple[Statistics, Histogram | None, dict[str, Any] | None]:
        if self._dtype.itemsize <= 2:
            numbers = CountedNumbers(counts.pieces[0], self._dtype)
            statistics = numbers.statistics()
            limits = _outlier_limits(statistics)
            outside = numbers.outside(*limits) if limits else 0
            return statistics, numbers.histogram(), _outliers_document(limits, outside)
        statistics = self._statistics.statistics()
        if statistics.min is None or statistics.max is None:
            return statistics, None, None
        limits = _outlier_limits(statistics)
        low, high = limits or (float(statistics.min), float(statistics.max))
        values = (chunk for _, chunk in chunks())
        histogram, outside = histogram_and_outside(values, statistics.min, statistics.max, low, high)
        return statistics, histogram, _outliers_document(limits, outside)


def _outlier_limits(statistics: Statistics) -> tuple[float, float] | None:
    if statistics.mean is None or statistics.std is None:
        return None
    reach = OUTLIER_SIGMAS * statistics.std
    return statistics.mean - reach, statistics.mean + reach


def _outliers_document(limits: tuple[float, float] | None, count: int) -> dict[str, Any] | None:
    if limits is None:
        return None
    return {"sigmas": OUTLIER_SIGMAS, "below": limits[0], "above": limits[1], "count": count}


def _histogram_document(histogram: Histogram) -> dict[str, Any]:
    return {"low": histogram.low, "high": histogram.high, "counts": list(histogram.counts)}


def _binades_document(binades: Binades) -> dict[str, Any]:
    return {
        "lowest": binades.lowest,
        "counts": list(binades.counts),
        "zeros": binades.zeros,
        "subnormals": binades.below,
    }


def _bits_document(bits: BitPositions) -> dict[str, Any]:
    return {
        "count": bits.count,
        "ones": list(bits.ones),
        "entropies": [round(entropy, 9) for entropy in bits.entropies],
        "fields": [asdict(field) for field in bits.fields],
        "entropy": bits.entropy,
        "headroom": bits.headroom,
    }

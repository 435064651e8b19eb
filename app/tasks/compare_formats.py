"""Chosen formats against each other: range, precision at each magnitude, numbers in common."""

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from app.formats import FloatFormat, Format
from app.tasks.compare_grids import numbers_of
from app.tasks.compare_precision import PrecisionSegment, precision_of, smallest_positive
from app.tasks.compare_shared import SharedNumbers, count_numbers, count_shared, shared_numbers
from app.tasks.logarithm import log2

MOST_IN_MATRIX = 6


@dataclass(frozen=True, slots=True)
class FormatRange:
    """What one format reaches, and how finely."""

    format: Format
    numbers: int
    """Different finite ones."""
    min_positive: Fraction | None
    """None where no number is positive."""
    min_normal: Fraction | None
    """Of floats with subnormals: where full precision begins."""
    max: Fraction
    reach: tuple[float, float] | None
    """Smallest and largest positive number as powers of two, for their places on a chart."""
    precision: tuple[PrecisionSegment, ...]

    @property
    def most_bits(self) -> float | None:
        """Significant bits where there are most; of integers and fixed point, at the largest number."""
        return max((max(each.low_bits, each.high_bits) for each in self.precision), default=None)


@dataclass(frozen=True, slots=True)
class FormatComparison:
    """All that is known of formats beside each other, without any one number."""

    ranges: tuple[FormatRange, ...]
    pairs: tuple[SharedNumbers, ...]
    """The first format with each of the others."""
    matrix: tuple[tuple[int, ...], ...]
    """How many numbers the formats of row and column share, of the first six; the diagonal counts each format's own."""


def compare_formats(formats: tuple[Format, ...]) -> FormatComparison:
    """The formats, in the order given, each beside the first and the first six beside each other."""
    few = formats[:MOST_IN_MATRIX]
    return FormatComparison(
        ranges=tuple(map(range_of, formats)),
        pairs=tuple(_pair(formats[0], other) for other in formats[1:]),
        matrix=tuple(tuple(count_shared(row, column) for column in few) for row in few),
    )


@lru_cache(maxsize=128)
def range_of(number_format: Format) -> FormatRange:
    """The range and the precision of one format."""
    has_subnormals = isinstance(number_format, FloatFormat) and number_format.min_subnormal is not None
    smallest, largest = smallest_positive(numbers_of(number_format)), Fraction(number_format.max)
    return FormatRange(
        format=number_format,
        numbers=count_numbers(number_format),
        min_positive=smallest,
        min_normal=_min_normal(number_format) if has_subnormals else None,
        max=largest,
        reach=None if smallest is None else (log2(smallest), log2(largest)),
        precision=precision_of(number_format),
    )


def _min_normal(number_format: Format) -> Fraction | None:
    assert isinstance(number_format, FloatFormat)
    found = number_format.min_normal
    return found if found <= number_format.max else None


@lru_cache(maxsize=512)
def _pair(first: Format, second: Format) -> SharedNumbers:
    return shared_numbers(first, second)

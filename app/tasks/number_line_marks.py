"""The numbers of several formats in one interval: counted exactly, drawn one by one where they stand apart."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from app.errors import InvalidInput
from app.exact import Finite, Number, encode, from_fraction, parse
from app.formats import CodebookFormat, Format
from app.formats.bits import REACH, floor_log2, power_of_two
from app.tasks.format_list import find_formats
from app.tasks.number_line_ordinals import locator_of
from app.tasks.number_line_scale import Interval, Scale

COLUMNS = 480
"""Columns of a lane: numbers that share one merge, so a lane never has more marks than this."""
NEAR_ZERO = 3
"""Ordinals from zero within which gaps need not grow: a missing zero or missing subnormals end there."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One number of a format, and where it is drawn."""

    code: int
    number: Fraction
    at: float


@dataclass(frozen=True, slots=True)
class Landing:
    """Where the chosen number is stored in a format: `mark` is None where that is no finite number."""

    code: int | None
    number: Fraction | None
    at: float | None
    """None outside the view."""


@dataclass(frozen=True, slots=True)
class Lane:
    """One format's numbers in the interval."""

    format: Format
    count: int
    """Different numbers in view: the two codes of zero count once."""
    first: Mark | None
    last: Mark | None
    smallest_gap: Fraction | None
    largest_gap: Fraction | None
    counts: tuple[int, ...]
    """Numbers in each column, from the low end; a column holds its upper edge, the first one both."""
    marks: tuple[Mark, ...]
    """The numbers that have a column for themselves."""
    landing: Landing | None

    @property
    def densest(self) -> int:
        return max(self.counts, default=0)


@dataclass(frozen=True, slots=True)
class NumberLine:
    """Lanes over one interval, and the chosen number, if there is one."""

    interval: Interval
    chosen: Fraction | None
    lanes: tuple[Lane, ...]


def draw_number_line(
    formats: str, low: str, high: str, scale: str = Scale.LINEAR, value: str = "", columns: int = COLUMNS
) -> NumberLine:
    """The numbers of the named formats from `low` to `high`, and where `value` lands in each.

    Raises:
        InvalidInput: `number-line.*` for ends that make no interval, or what is said of a name or a number.
    """
    found = find_formats(formats)
    interval = read_interval(low, high, scale, found)
    chosen = read_number(value) if value.strip() else None
    edges = interval.edges(columns)
    lanes = tuple(_lane(each, interval, edges, chosen) for each in found)
    return NumberLine(interval, chosen, lanes)


def read_interval(low: str, high: str, scale: str, formats: Sequence[Format]) -> Interval:
    """The interval that two texts and the name of a scale make.

    Raises:
        InvalidInput: `number-line.scale`, `number-line.order`, or what `read_number` says.
    """
    if scale not in set(Scale):
        raise InvalidInput("number-line.scale", scale=scale[:40])
    start, end = read_number(low), read_number(high)
    if start >= end:
        raise InvalidInput("number-line.order", low=low[:40], high=high[:40])
    return Interval(start, end, Scale(scale), _linear_part(formats))


def read_number(text: str) -> Fraction:
    """A finite number that some format could hold.

    Raises:
        InvalidInput: `number-line.finite`, `number-line.far`, or what the grammar says.
    """
    number: Number = parse(text)
    if not isinstance(number, Finite):
        raise InvalidInput("number-line.finite", value=text[:40])
    if not number.is_expandable or (not number.is_zero and max(map(abs, number.log2_bounds())) > REACH + 1):
        raise InvalidInput("number-line.far", value=text[:40], reach=REACH)
    return number.fraction()


def numbers_of(lane: Lane) -> tuple[Mark, ...]:
    """Every number of a lane in order; only for lanes whose count is small. Their positions are not worked out."""
    if lane.first is None or lane.last is None:
        return ()
    start, end = (_ordinal(lane.format, mark.code) for mark in (lane.first, lane.last))
    return tuple(_mark(lane.format, ordinal, None) for ordinal in range(start, end + 1))


def _ordinal(number_format: Format, code: int) -> int:
    ordinal = number_format.ordinal_of(code)
    assert ordinal is not None, "only finite numbers are marked"
    return ordinal


def _linear_part(formats: Sequence[Format]) -> Fraction:
    """A power of two: where the format in the middle of them has its smallest positive number.

    Of the smallest of all, one format with many octaves would leave no room for the others.
    """
    smallest = sorted(number for number in map(_smallest_positive, formats) if number is not None)
    unit = smallest[(len(smallest) - 1) // 2] if smallest else Fraction(1)
    return power_of_two(floor_log2(*unit.as_integer_ratio()))


def _smallest_positive(number_format: Format) -> Fraction | None:
    if isinstance(number_format, CodebookFormat):
        return min((value for value in number_format.values if value > 0), default=None)
    for ordinal in (0, 1):
        if ordinal <= number_format.last_ordinal:
            number = _number(number_format, ordinal)
            if number > 0:
                return number
    return None


def _number(number_format: Format, ordinal: int) -> Fraction:
    number = number_format.value_of(number_format.code_at(ordinal))
    assert number is not None, "ordinals are finite numbers"
    return number


def _mark(number_format: Format, ordinal: int, interval: Interval | None) -> Mark:
    number = _number(number_format, ordinal)
    at = 0.0 if interval is None else interval.share_of(number)
    return Mark(number_format.code_at(ordinal), number, at)


def _lane(number_format: Format, interval: Interval, edges: Sequence[tuple[int, int]], chosen: Fraction | None) -> Lane:
    locate = locator_of(number_format)
    before, starts_on_it = locate(interval.low.numerator, interval.low.denominator)
    start, end = before + (not starts_on_it), locate(interval.high.numerator, interval.high.denominator)[0]
    landing = None if chosen is None else _landing(number_format, interval, chosen)
    if end < start:
        return Lane(number_format, 0, None, None, None, None, (0,) * (len(edges) - 1), (), landing)
    uppers = [locate(*edge)[0] for edge in edges[1:]]
    lowers = [start - 1, *uppers[:-1]]
    counts = tuple(upper - lower for lower, upper in zip(lowers, uppers, strict=True))
    marks = tuple(_mark(number_format, upper, interval) for upper, n in zip(uppers, counts, strict=True) if n == 1)
    gaps = _gaps(number_format, start, end)
    return Lane(
        format=number_format,
        count=end - start + 1,
        first=_mark(number_format, start, interval),
        last=_mark(number_format, end, interval),
        smallest_gap=min(gaps, default=None),
        largest_gap=max(gaps, default=None),
        counts=counts,
        marks=marks,
        landing=landing,
    )


def _gaps(number_format: Format, start: int, end: int) -> list[Fraction]:
    """Distances of neighbours, the smallest and the largest among them.

    But for codebooks, distances grow with the distance from zero, and what is irregular stands within a few numbers
    of it: only these and both ends are looked at.
    """
    if isinstance(number_format, CodebookFormat):
        lowers = set(range(start, end))
    else:
        near_zero = range(max(start, -NEAR_ZERO), min(end, NEAR_ZERO))
        lowers = {start, end - 1, *near_zero} if end > start else set()
    return [_number(number_format, each + 1) - _number(number_format, each) for each in lowers]


def _landing(number_format: Format, interval: Interval, chosen: Fraction) -> Landing:
    try:
        code = encode(from_fraction(chosen), number_format).code
    except InvalidInput:
        return Landing(None, None, None)
    number = number_format.value_of(code)
    is_in_view = number is not None and interval.low <= number <= interval.high
    return Landing(code, number, interval.share_of(number) if number is not None and is_in_view else None)


def whole_range(number_format: Format) -> tuple[Fraction, Fraction]:
    """The smallest and the largest number of a format."""
    return Fraction(number_format.min), Fraction(number_format.max)

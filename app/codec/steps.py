"""Where the code of a float32 changes, in formats without a rule for their numbers: codebooks and bool.

Places are float32s in order as signed integers: the bits of positive ones, -1 - magnitude of negative ones, so that -0
is -1. In every mode but the stochastic one, each code has whole stretches of places.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from app.codec.tables import word_above, word_from
from app.formats import BooleanFormat, CodebookFormat

_BUCKETS = 1 << 16
_END = 0x7FFFFFFF
_FIRST = -1 - 0x7F800000
"""The place of minus infinity."""
_MINUS_ZERO = -1


@dataclass(frozen=True, slots=True)
class Steps:
    """Code `codes[i]` holds from place `places[i - 1]` up to below `places[i]`; the last of `places` is no float32."""

    starts: NDArray[np.uint16]
    """For each value of a place's upper 16 bits (+ 32768) where to begin to look."""
    places: NDArray[np.int32]
    codes: NDArray[np.uint16]


@lru_cache(maxsize=32)
def steps_of(number_format: CodebookFormat | BooleanFormat, rounding: str) -> Steps:
    """The steps of a format in a mode that is not stochastic."""
    if isinstance(number_format, BooleanFormat):
        return _table([(_FIRST, 1), (_MINUS_ZERO, 0), (1, 1)])
    steps = sorted(_codebook_steps(number_format, rounding))
    if number_format.negative_zero is not None:
        zero, minus_zero = number_format.values.index(Fraction(0)), number_format.negative_zero
        steps = [(place, minus_zero if code == zero and place < 0 else code) for place, code in steps]
    return _table(steps)


@lru_cache(maxsize=32)
def values_of(number_format: CodebookFormat) -> Steps:
    """The steps of the values themselves: `codes` counts those that a number is not below."""
    ordered = [number_format.values[code] for code in number_format.codes_in_order]
    return _table([(_FIRST, 0), *((_from(value), index) for index, value in enumerate(ordered, start=1))])


def _table(steps: list[tuple[int, int]]) -> Steps:
    """From (place, code) in order; a later one at the same place replaces the earlier."""
    found = dict(steps)
    places, codes = list(found), list(found.values())
    changes = [0, *(index for index in range(1, len(places)) if codes[index] != codes[index - 1])]
    ends = np.array([*(places[index] for index in changes[1:]), _END], dtype=np.int64)
    first_places = (np.arange(_BUCKETS, dtype=np.int64) - _BUCKETS // 2) << 16
    starts = np.searchsorted(ends, first_places, side="right").astype(np.uint16)
    return Steps(starts, ends.astype(np.int32), np.array([codes[index] for index in changes], dtype=np.uint16))


def _codebook_steps(number_format: CodebookFormat, rounding: str) -> Iterator[tuple[int, int]]:
    order = number_format.codes_in_order
    values = [number_format.values[code] for code in order]
    yield _FIRST, order[0]
    for index, (low, high) in enumerate(pairwise(values)):
        start, end = _from(low), _from(high)
        breaks = {_above(low), _from((low + high) / 2), _above((low + high) / 2), _MINUS_ZERO, 0, 1}
        for place in sorted(each for each in breaks if _above(low) <= each < end):
            yield place, order[index + _goes_high(_value_at(place), place < 0, (low, high), index, rounding)]
        if start < _above(low):
            yield start, order[index]
    yield _from(values[-1]), order[-1]
    if Fraction(0) in values:
        yield 0, order[values.index(Fraction(0))]


def _goes_high(value: Fraction, is_negative: bool, ends: tuple[Fraction, Fraction], index: int, rounding: str) -> bool:  # noqa: FBT001
    """Whether a number between two values goes to the larger one; the larger magnitude is decided on, as everywhere."""
    low, high = ends
    share = (value - low) / (high - low)
    if is_negative:
        share, index = 1 - share, index + 1
    if rounding == "toward_zero" and low < 0 < high:
        return not is_negative  # there is no zero between: a number keeps its sign
    half = Fraction(1, 2)
    grows = {
        "nearest_even": share > half or (share == half and index % 2 == 1),
        "nearest_away": share >= half,
        "toward_zero": False,
        "toward_positive": not is_negative,
        "toward_negative": is_negative,
        "to_odd": index % 2 == 0,
    }[rounding]
    return grows != is_negative


def _from(value: Fraction) -> int:
    """The first place of a number at or above the value."""
    return word_from(value) if value > 0 else -word_above(-value)


def _above(value: Fraction) -> int:
    """The first place of a number above the value."""
    return word_above(value) if value >= 0 else -word_from(-value)


def _value_at(place: int) -> Fraction:
    magnitude = place if place >= 0 else -1 - place
    field, fraction = magnitude >> 23, magnitude & 0x7FFFFF
    value = Fraction(fraction + ((field > 0) << 23)) * Fraction(2) ** (max(field, 1) - 150)
    return value if place >= 0 else -value

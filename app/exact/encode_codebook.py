"""Numbers into codebooks: the nearest value of the list, ties by its rank, its place in the order of values."""

from bisect import bisect_right
from fractions import Fraction
from functools import lru_cache
from math import lcm

from app.errors import InvalidInput
from app.exact.encoding import Encoding, Outcome
from app.exact.number import Finite, Infinity, NaN, Number
from app.exact.rounding import Overflow, Rounding, Tail, rounds_up, tail_of
from app.formats import CodebookFormat

_SMALL = 64
"""Numbers above 2^-64 are short enough to be compared as they are."""


def encode_codebook(number: Number, number_format: CodebookFormat, rounding: Rounding, overflow: Overflow) -> Encoding:
    """The code of the number; beyond both ends the last value stands for it, and nearest-even takes an even rank.

    Modes work on magnitudes, as for every format. Between a negative and a positive value with no zero among them,
    toward zero keeps the sign. A negative number that becomes zero is minus zero where the codebook has one.

    Raises:
        InvalidInput: `number.no-nan`.
    """
    if isinstance(number, NaN):
        raise InvalidInput("number.no-nan", format=number_format.name)
    order, values = _in_order(number_format)
    rank, outcome = _rank(number, values, rounding)
    code = order[rank]
    if number.negative and values[rank] == 0 and number_format.negative_zero is not None:
        code = number_format.negative_zero
    return Encoding(number_format, number, code, rounding, overflow, outcome)


@lru_cache(maxsize=16)
def _in_order(number_format: CodebookFormat) -> tuple[tuple[int, ...], tuple[Fraction, ...]]:
    """Codes and values by rank."""
    order = number_format.codes_in_order
    return order, tuple(number_format.values[code] for code in order)


def _rank(number: Finite | Infinity, values: tuple[Fraction, ...], rounding: Rounding) -> tuple[int, Outcome]:
    last = len(values) - 1
    reach = max(abs(values[0]), abs(values[-1])).numerator.bit_length() + 1
    if isinstance(number, Infinity) or (not number.is_zero and number.log2_bounds()[0] > reach):
        return 0 if number.negative else last, Outcome.OVERFLOW
    value = _in_reach(number, values)
    rank = bisect_right(values, value) - 1
    if rank < 0 or (rank == last and value > values[-1]):
        return max(rank, 0), Outcome.OVERFLOW
    if values[rank] == value:
        return rank, Outcome.EXACT
    rank += _goes_up(value, values, rank, rounding, negative=number.negative)
    return rank, Outcome.ROUNDED if values[rank] or number.is_zero else Outcome.UNDERFLOW


def _in_reach(number: Finite, values: tuple[Fraction, ...]) -> Fraction:
    """The number, or where it is too small to be told from others of its size, one of them."""
    if number.is_zero or number.log2_bounds()[1] > -_SMALL:
        return number.fraction()
    unit = lcm(*(value.denominator for value in values))
    # Every value and every midpoint is a multiple of half a unit.
    if number.log2_bounds()[1] < -unit.bit_length() - 2:
        return Fraction(-1 if number.negative else 1, unit << 3)
    return number.fraction()


def _goes_up(value: Fraction, values: tuple[Fraction, ...], rank: int, rounding: Rounding, *, negative: bool) -> bool:
    """Whether the larger of the two neighbours is taken."""
    low, high = values[rank], values[rank + 1]
    if low < 0 < high and rounding is Rounding.TOWARD_ZERO:
        return not negative
    share = (value - low) / (high - low)
    tail = tail_of(share.numerator, share.denominator)
    if not negative:
        return rounds_up(rounding, tail, is_odd=bool(rank & 1), negative=False)
    return not rounds_up(rounding, Tail(4 - tail), is_odd=not rank & 1, negative=True)

"""Numbers into codebooks: the nearest value of the list, ties by its place in the order of values."""

from bisect import bisect_right
from fractions import Fraction

from app.errors import InvalidInput
from app.exact.encoding import Encoding, Outcome
from app.exact.number import Finite, Infinity, NaN, Number
from app.exact.rounding import Overflow, Rounding, Tail, rounds_up, tail_of
from app.formats import CodebookFormat


def encode_codebook(number: Number, number_format: CodebookFormat, rounding: Rounding, overflow: Overflow) -> Encoding:
    """The code of the number; beyond both ends the last value stands for it."""
    if isinstance(number, NaN):
        raise InvalidInput("number.no-nan", format=number_format.name)
    code, outcome = _code(number, number_format, rounding)
    return Encoding(number_format, number, code, rounding, overflow, outcome)


def _code(number: Finite | Infinity, number_format: CodebookFormat, rounding: Rounding) -> tuple[int, Outcome]:
    order = number_format.codes_in_order
    if isinstance(number, Infinity) or (not number.is_zero and number.log2_bounds()[0] > _reach(number_format)):
        return order[0 if number.negative else -1], Outcome.OVERFLOW
    tiny = not number.is_zero and not number.is_expandable
    value = Fraction(-1 if number.negative else 1, 1 << 4 * 2200) if tiny else number.fraction()
    values = [number_format.values[code] for code in order]
    place = bisect_right(values, value) - 1
    if place < 0 or (place == len(values) - 1 and value > values[-1]):
        return order[max(place, 0)], Outcome.OVERFLOW
    if values[place] == value:
        if value == 0 and number.negative and number_format.negative_zero is not None:
            return number_format.negative_zero, Outcome.EXACT
        return order[place], Outcome.EXACT
    return order[place + _goes_up(value, values, place, rounding)], Outcome.ROUNDED


def _reach(number_format: CodebookFormat) -> int:
    largest = max(abs(number_format.min), abs(number_format.max))
    return largest.numerator.bit_length() + 1


def _goes_up(value: Fraction, values: list[Fraction], place: int, rounding: Rounding) -> bool:
    """Whether the larger of the two neighbours is taken; rounding is decided on magnitudes, as for every format."""
    low, high = values[place], values[place + 1]
    share = (value - low) / (high - low)
    if value > 0:
        tail = tail_of(share.numerator, share.denominator)
        return rounds_up(rounding, tail, is_odd=bool(place & 1), negative=False)
    tail = Tail(4 - tail_of(share.numerator, share.denominator)) if share else Tail.NOTHING
    return not rounds_up(rounding, tail, is_odd=not place & 1, negative=True)

"""Numbers into posits and takums: the endless bit string of a number is cut, and rounded as an integer.

A nonzero number never becomes 0 or NaR (Posit Standard 2022, 4.1): beyond both ends the last code stands for it.
"""

from fractions import Fraction

from app.exact.encoding import Encoding, Outcome
from app.exact.number import Finite, Infinity, NaN, Number
from app.exact.rounding import Overflow, Rounding, Tail, rounds_up
from app.formats import PositFormat, TakumFormat

TaperedFormat = PositFormat | TakumFormat


def encode_tapered(number: Number, number_format: TaperedFormat, rounding: Rounding, overflow: Overflow) -> Encoding:
    """The code of the number; NaN is NaR, and so is infinity unless it saturates."""
    code, outcome = _encode(number, number_format, rounding, overflow)
    return Encoding(number_format, number, code, rounding, overflow, outcome)


def _encode(
    number: Number, number_format: TaperedFormat, rounding: Rounding, overflow: Overflow
) -> tuple[int, Outcome]:
    last = number_format.last_ordinal
    if isinstance(number, NaN):
        return number_format.nar_code, Outcome.SPECIAL
    if isinstance(number, Infinity):
        if overflow is Overflow.IEEE:
            return number_format.nar_code, Outcome.SPECIAL
        return number_format.code_at(-last if number.negative else last), Outcome.SPECIAL
    if number.is_zero:
        return 0, Outcome.EXACT
    ordinal, outcome = _magnitude(number, number_format, rounding)
    return number_format.code_at(-ordinal if number.negative else ordinal), outcome


def _magnitude(number: Finite, number_format: TaperedFormat, rounding: Rounding) -> tuple[int, Outcome]:
    last = number_format.last_ordinal
    low, high = number.log2_bounds()
    if low > number_format.parts(last).exponent + 1:
        return last, Outcome.OVERFLOW
    if high < number_format.parts(1).exponent:
        return 1, Outcome.UNDERFLOW
    value = abs(number.fraction())
    below = _below(value, number_format)
    if below >= last:
        exact = value == number_format.max
        return last, Outcome.EXACT if exact else Outcome.OVERFLOW
    if below == 0:
        return 1, Outcome.UNDERFLOW
    tail = _tail(value, below, number_format)
    up = rounds_up(rounding, tail, is_odd=bool(below & 1), negative=number.negative)
    return below + up, Outcome.EXACT if tail is Tail.NOTHING else Outcome.ROUNDED


def _below(value: Fraction, number_format: TaperedFormat) -> int:
    """The largest code at or below a positive number, by halving: codes are in the order of their numbers."""
    low, high = 0, number_format.last_ordinal + 1
    while high - low > 1:
        middle = (low + high) // 2
        if number_format.parts(middle).value <= value:
            low = middle
        else:
            high = middle
    return low


def _tail(value: Fraction, below: int, number_format: TaperedFormat) -> Tail:
    """Where the number lies between two codes: half is the code between them that one more bit would give."""
    if number_format.parts(below).value == value:
        return Tail.NOTHING
    half = longer(number_format).parts(2 * below + 1).value
    if value == half:
        return Tail.HALF
    return Tail.BELOW_HALF if value < half else Tail.ABOVE_HALF


def longer(number_format: TaperedFormat) -> TaperedFormat:
    """The same format with one more bit."""
    if isinstance(number_format, PositFormat):
        return PositFormat(
            name=number_format.name,
            width=number_format.width + 1,
            exponent_size=number_format.exponent_size,
            origin=number_format.origin,
        )
    return TakumFormat(name=number_format.name, width=number_format.width + 1, origin=number_format.origin)

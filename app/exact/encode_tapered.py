"""Numbers into posits and takums: the endless bit string of a number is cut, and rounded as an integer.

A nonzero number never becomes 0 or NaR (Posit Standard 2022, 4.1): beyond both ends the last code stands for it, in
every mode, so that a directed one can there only take the side that exists.
"""

from functools import lru_cache

from app.exact.encoding import Encoding, Outcome
from app.exact.number import Finite, Infinity, NaN, Number
from app.exact.rounding import Overflow, Rounding, Tail, rounds_up, tail_of
from app.formats import PositFormat, TakumFormat
from app.formats.bits import floor_log2

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
    lowest, highest = _exponent_range(number_format)
    low, high = number.log2_bounds()
    if low > highest:
        return last, Outcome.OVERFLOW
    if high <= lowest:
        return 1, Outcome.UNDERFLOW
    numerator, denominator = number.ratio()
    exponent = floor_log2(numerator, denominator)
    if exponent > highest:
        return last, Outcome.OVERFLOW
    if exponent < lowest:
        return 1, Outcome.UNDERFLOW
    below, tail = _cut(numerator, denominator, exponent, number_format)
    if below == 0:
        return 1, Outcome.UNDERFLOW
    if tail is Tail.NOTHING:
        return below, Outcome.EXACT
    if below == last:
        return last, Outcome.OVERFLOW
    return below + rounds_up(rounding, tail, is_odd=bool(below & 1), negative=number.negative), Outcome.ROUNDED


@lru_cache(maxsize=64)
def _exponent_range(number_format: TaperedFormat) -> tuple[int, int]:
    """The exponents of the smallest and the largest positive number."""
    return number_format.parts(1).exponent, number_format.parts(number_format.last_ordinal).exponent


def _cut(numerator: int, denominator: int, exponent: int, number_format: TaperedFormat) -> tuple[int, Tail]:
    """The code below a positive ratio from [2^exponent, 2^(exponent + 1)), and how its bit string goes on.

    The string is that of the exponent, then the fraction without end: prefix.fff... as a binary number, which is moved
    until the bits of the code stand before the point.
    """
    prefix, length = _exponent_bits(exponent, number_format)
    if exponent >= 0:
        denominator <<= exponent
    else:
        numerator <<= -exponent
    string = prefix * denominator + (numerator - denominator)
    kept_bits = number_format.width - 1
    if kept_bits >= length:
        string <<= kept_bits - length
    else:
        denominator <<= length - kept_bits
    below, remainder = divmod(string, denominator)
    return below, tail_of(remainder, denominator)


def _exponent_bits(exponent: int, number_format: TaperedFormat) -> tuple[int, int]:
    """The bits between sign and fraction as a binary number, and how many they are."""
    if isinstance(number_format, PositFormat):
        size = number_format.exponent_size
        run, rest = exponent >> size, exponent & ((1 << size) - 1)
        # run + 1 ones and a zero, or -run zeros and a one (Posit Standard 2022, 3.4).
        regime, length = ((2 << (run + 1)) - 2, run + 2) if run >= 0 else (1, 1 - run)
        return regime << size | rest, length + size
    if exponent >= 0:
        bits = (exponent + 1).bit_length() - 1
        return (8 | bits) << bits | (exponent + 1 - (1 << bits)), 4 + bits
    bits = (-exponent).bit_length() - 1
    return (7 - bits) << bits | (exponent + (2 << bits) - 1), 4 + bits

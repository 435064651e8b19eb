"""Numbers into integers, fixed point and bool."""

from dataclasses import replace

from app.errors import InvalidInput
from app.exact.encoding import Cut, Encoding, Outcome
from app.exact.number import Finite, Infinity, NaN, Number
from app.exact.rounding import Overflow, Rounding, Tail, rounds_up, tail_of
from app.formats import BooleanFormat, FixedPointFormat, IntegerFormat
from app.formats.bits import code_mask

WholeFormat = IntegerFormat | FixedPointFormat
"""Formats whose ordinals are whole numbers of a unit: 1, or 2^-fraction_bits."""


def encode_whole(number: Number, number_format: WholeFormat, rounding: Rounding, overflow: Overflow) -> Encoding:
    """The number rounded to whole units, then kept in range by saturating or wrapping.

    The range comes after the rounding: -0.4 is 0 in an unsigned format. Minus zero, and what rounds to it, keeps its
    sign in sign-magnitude and one's complement; ties go to the even number, whatever its code there.

    Raises:
        InvalidInput: `number.no-nan`, `number.infinity-wrap`.
    """
    if isinstance(number, NaN):
        raise InvalidInput("number.no-nan", format=number_format.name)
    if isinstance(number, Infinity):
        if overflow is Overflow.WRAP:
            raise InvalidInput("number.infinity-wrap", format=number_format.name)
        code = _limit(number_format, negative=number.negative)
        return Encoding(number_format, number, code, rounding, overflow, Outcome.OVERFLOW)
    units = _in_units(number, number_format)
    low, high = units.log2_bounds()
    if low > number_format.width + 1 and not units.is_zero:
        code = _limit(number_format, negative=number.negative)
        if overflow is Overflow.WRAP:
            code = _residue(units, number_format, rounding)
        return Encoding(number_format, number, code, rounding, overflow, Outcome.OVERFLOW)
    if high < -2 and not units.is_zero:
        up = rounds_up(rounding, Tail.BELOW_HALF, is_odd=False, negative=number.negative)
        whole, cut = int(up), Cut(high, 0, 0, 0, 0, 1, Tail.BELOW_HALF, up)
    else:
        whole, cut = _cut(*units.ratio(), rounding, negative=number.negative)
    cut = replace(cut, quantum=-_fraction_bits(number_format))
    return _in_range(number, number_format, whole, cut, (rounding, overflow))


def encode_bool(number: Number, number_format: BooleanFormat, rounding: Rounding, overflow: Overflow) -> Encoding:
    """0 for zero, 1 for every other number, infinities included."""
    if isinstance(number, NaN):
        raise InvalidInput("number.no-nan", format=number_format.name)
    is_zero = isinstance(number, Finite) and number.is_zero
    is_one = isinstance(number, Finite) and number.is_expandable and number.fraction() == 1
    outcome = Outcome.EXACT if is_zero or is_one else Outcome.ROUNDED
    return Encoding(number_format, number, int(not is_zero), rounding, overflow, outcome)


def _fraction_bits(number_format: WholeFormat) -> int:
    return number_format.fraction_bits if isinstance(number_format, FixedPointFormat) else 0


def _in_units(number: Finite, number_format: WholeFormat) -> Finite:
    bits = _fraction_bits(number_format)
    return replace(number, exponent2=number.exponent2 + bits) if bits else number


def _in_range(
    number: Finite, number_format: WholeFormat, whole: int, cut: Cut, modes: tuple[Rounding, Overflow]
) -> Encoding:
    value = -whole if number.negative else whole
    outcome = Outcome.EXACT if cut.tail is Tail.NOTHING else Outcome.ROUNDED if whole else Outcome.UNDERFLOW
    if number_format.first_ordinal <= value <= number_format.last_ordinal:
        code = number_format.code_at(value)
        if value == 0 and number.negative and isinstance(number_format, IntegerFormat):
            code = number_format.negative_zero or 0
    else:
        outcome = Outcome.OVERFLOW
        code = value & code_mask(number_format)
        if modes[1] is Overflow.SATURATE:
            code = _limit(number_format, negative=number.negative)
    return Encoding(number_format, number, code, *modes, outcome, cut)


def _limit(number_format: WholeFormat, *, negative: bool) -> int:
    return number_format.code_at(number_format.first_ordinal if negative else number_format.last_ordinal)


def _cut(numerator: int, denominator: int, rounding: Rounding, *, negative: bool) -> tuple[int, Cut]:
    kept, remainder = divmod(numerator, denominator)
    tail = tail_of(remainder, denominator)
    up = rounds_up(rounding, tail, is_odd=bool(kept & 1), negative=negative)
    quarters, beyond = divmod(remainder << 2, denominator)
    exponent = kept.bit_length() - 1
    return kept + up, Cut(exponent, 0, kept, quarters >> 1, quarters & 1, int(beyond != 0), tail, up)


def _residue(units: Finite, number_format: WholeFormat, rounding: Rounding) -> int:
    """The rounded number modulo 2^width, by modular powers where it is too long to be written out."""
    if units.is_expandable:
        whole = _cut(*units.ratio(), rounding, negative=units.negative)[0]
    else:
        # x = n/d * 5^a * 2^b: with both powers >= 0, modulo d * 2^width keeps quotient and remainder by d.
        fives, twos = units.exponent10, units.exponent10 + units.exponent2
        denominator = units.denominator * 5 ** max(-fives, 0) << max(-twos, 0)
        modulus = denominator << number_format.width
        product = units.numerator * pow(5, max(fives, 0), modulus) * pow(2, max(twos, 0), modulus) % modulus
        whole = _cut(product, denominator, rounding, negative=units.negative)[0]
    return (-whole if units.negative else whole) & code_mask(number_format)

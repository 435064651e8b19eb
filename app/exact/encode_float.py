"""Numbers into float formats.

A magnitude code orders the format's numbers, so rounding up is adding one to it: across binades, out of the
subnormals, and beyond the largest number, where what comes next is overflow.
"""

from app.errors import InvalidInput
from app.exact.encoding import Cut, Encoding, Outcome
from app.exact.number import Finite, Infinity, NaN, Number
from app.exact.rounding import Overflow, Rounding, Tail, rounds_up, tail_of
from app.formats import FloatFormat
from app.formats.bits import floor_log2


def encode_float(number: Number, number_format: FloatFormat, rounding: Rounding, overflow: Overflow) -> Encoding:
    """The code of the number, rounded once.

    Rounding comes first, the range after it (IEEE 754-2019, 4.3 and 7.4). Beyond the largest number the nearest modes
    and to-odd from an even largest go to what lies beyond (infinity, else NaN, else the largest number), and directed
    modes to whichever side they point at; saturating, all go to the largest, and so does infinity. A format without a
    sign has minus zero as zero, and so has it a negative number that rounds to zero; every other negative number is
    an invalid operation (7.2), no overflow: NaN in every mode, saturating too. E8M0 gives NaN for zero likewise.

    Raises:
        InvalidInput: `number.no-nan`, `number.no-negative`, `number.no-zero`: of what the format lacks it has no NaN
            either to say so.
    """
    code, outcome, cut, dropped = _encode(number, number_format, rounding, overflow)
    return Encoding(number_format, number, code, rounding, overflow, outcome, cut, dropped)


def _encode(
    number: Number, number_format: FloatFormat, rounding: Rounding, overflow: Overflow
) -> tuple[int, Outcome, Cut | None, bool]:
    if isinstance(number, NaN):
        code, dropped = _nan_code(number, number_format)
        return code, Outcome.SPECIAL, None, dropped
    negative = number.negative
    if negative and not number_format.signed and (isinstance(number, Infinity) or not number_format.has_zero):
        return _nan_for_negative(number_format), Outcome.SPECIAL, None, False
    if isinstance(number, Infinity):
        return _beyond(number_format, overflow, negative=negative), Outcome.SPECIAL, None, False
    if number.is_zero:
        if not number_format.has_zero:
            return _nan_for_zero(number_format), Outcome.SPECIAL, None, False
        return _with_sign(0, number_format, negative=negative), Outcome.EXACT, None, False
    code, outcome, cut = _encode_finite(number, number_format, rounding, overflow)
    return code, outcome, cut, False


def _encode_finite(
    number: Finite, number_format: FloatFormat, rounding: Rounding, overflow: Overflow
) -> tuple[int, Outcome, Cut | None]:
    negative, largest = number.negative, number_format.max_magnitude
    low, high = number.log2_bounds()
    cut: Cut | None = None
    if low > number_format.max_exponent + 1:
        below, tail, up = largest, Tail.ABOVE_HALF, True
    elif high < number_format.min_exponent - number_format.mantissa_bits - 1:
        # Far below half of the smallest number: every mode decides as for any such number.
        below, tail = (0 if number_format.has_zero else -1), Tail.BELOW_HALF
        up = rounds_up(rounding, tail, is_odd=False, negative=negative)
    else:
        below, cut = cut_magnitude(*number.ratio(), number_format, rounding, negative=negative)
        tail, up = cut.tail, cut.up
    if below < 0:
        return _where_zero_is_missing(number_format, rounding, overflow, negative=negative), Outcome.UNDERFLOW, cut
    magnitude = below + up
    if negative and not number_format.signed and magnitude:
        return _nan_for_negative(number_format), Outcome.SPECIAL, cut
    if magnitude > largest:
        return _overflow(number_format, rounding, overflow, negative=negative), Outcome.OVERFLOW, cut
    code = _with_sign(magnitude, number_format, negative=negative)
    if tail is Tail.NOTHING:
        return code, Outcome.EXACT, cut
    is_lost = magnitude == 0 and number_format.has_zero
    return code, Outcome.UNDERFLOW if is_lost else Outcome.ROUNDED, cut


def cut_magnitude(
    numerator: int, denominator: int, number_format: FloatFormat, rounding: Rounding, *, negative: bool = False
) -> tuple[int, Cut]:
    """The magnitude code at or below a positive ratio (-1 if there is none), and the cut; not bounded above.

    Below the smallest number of a format without subnormals nothing is kept, and guard, round and sticky are the
    first digits of the share of the way from zero up to it.
    """
    exponent = floor_log2(numerator, denominator)
    smallest, mantissa_bits = number_format.min_exponent, number_format.mantissa_bits
    quantum = max(exponent, smallest) - mantissa_bits
    share = None if number_format.has_subnormals else _share_of_smallest(numerator, denominator, number_format)
    if share is not None:
        below, kept, (remainder, denominator) = (0 if number_format.has_zero else -1), 0, share
    else:
        if quantum >= 0:
            denominator <<= quantum
        else:
            numerator <<= -quantum
        kept, remainder = divmod(numerator, denominator)
        below = kept if exponent < smallest else kept + ((exponent + number_format.bias - 1) << mantissa_bits)
    tail = tail_of(remainder, denominator)
    up = rounds_up(rounding, tail, is_odd=bool(below & 1), negative=negative)
    quarters, beyond = divmod(remainder << 2, denominator)
    return below, Cut(exponent, quantum, kept, quarters >> 1, quarters & 1, int(beyond != 0), tail, up)


def _share_of_smallest(numerator: int, denominator: int, number_format: FloatFormat) -> tuple[int, int] | None:
    """The share that a ratio has of the smallest positive number; None where it is not less than that."""
    least = number_format.min_positive
    part, whole = numerator * least.denominator, denominator * least.numerator
    return (part, whole) if part < whole else None


def _overflow(number_format: FloatFormat, rounding: Rounding, overflow: Overflow, *, negative: bool) -> int:
    """IEEE 754-2019, 7.4: nearest modes go to infinity, directed ones to whichever side they point at."""
    largest = number_format.max_magnitude
    if rounds_up(rounding, Tail.ABOVE_HALF, is_odd=bool(largest & 1), negative=negative):
        return _beyond(number_format, overflow, negative=negative)
    return _with_sign(largest, number_format, negative=negative)


def _beyond(number_format: FloatFormat, overflow: Overflow, *, negative: bool) -> int:
    """What stands for everything past the largest number."""
    if overflow is Overflow.SATURATE or not (number_format.has_infinity or number_format.has_nan):
        return _with_sign(number_format.max_magnitude, number_format, negative=negative)
    if number_format.infinity_magnitude is not None:
        return _with_sign(number_format.infinity_magnitude, number_format, negative=negative)
    return _plain_nan(number_format, negative=negative)


def _where_zero_is_missing(
    number_format: FloatFormat, rounding: Rounding, overflow: Overflow, *, negative: bool
) -> int:
    """A number nearer to zero than the smallest one, where the format has no zero to round to.

    Nearest and to-odd take the smallest number of its sign, the only neighbour on that side. A directed mode that
    points across zero takes the smallest of the other sign, the next number there. Where nothing lies in its
    direction (toward zero; toward negative without negative numbers) the result is NaN, as zero itself would be;
    saturating, or without NaN, it is the smallest number.
    """
    across = Rounding.TOWARD_POSITIVE if negative else Rounding.TOWARD_NEGATIVE
    if rounding is across and number_format.signed:
        return number_format.code_of(0, negative=not negative)
    if rounding in (across, Rounding.TOWARD_ZERO) and overflow is Overflow.IEEE and number_format.has_nan:
        return _plain_nan(number_format)
    return number_format.code_of(0, negative=negative)


def _with_sign(magnitude: int, number_format: FloatFormat, *, negative: bool) -> int:
    keeps_sign = negative and (magnitude != 0 or not number_format.has_zero or number_format.has_negative_zero)
    return number_format.code_of(magnitude, negative=keeps_sign)


def _plain_nan(number_format: FloatFormat, *, negative: bool = False, refusal: str = "number.no-nan") -> int:
    code = number_format.nan_code
    if code is None:
        raise InvalidInput(refusal, format=number_format.name)
    return code | number_format.sign_mask if negative else code


def _nan_for_negative(number_format: FloatFormat) -> int:
    return _plain_nan(number_format, refusal="number.no-negative")


def _nan_for_zero(number_format: FloatFormat) -> int:
    return _plain_nan(number_format, refusal="number.no-zero")


def _nan_code(number: NaN, number_format: FloatFormat) -> tuple[int, bool]:
    """The NaN's code, and whether what was asked for beyond plain NaN was lost."""
    plain = _plain_nan(number_format, negative=number.negative)
    if number.payload is None and not number.signalling:
        return plain, False
    if number.payload == 0 and not number.negative and number_format.has_nan_at_minus_zero:
        return number_format.sign_mask, False
    if not number_format.has_nan_payloads:
        return plain, bool(number.payload or number.signalling)
    quiet = number_format.quiet_bit
    payload = number.payload if number.payload is not None else 1
    if payload >= quiet:
        return plain, True
    return (plain ^ quiet if number.signalling else plain) | payload, False

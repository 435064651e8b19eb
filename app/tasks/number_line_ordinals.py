"""Which of a format's numbers is the last one at or below a point, by arithmetic on its code and not by search.

Counting the numbers of an interval is then one subtraction of ordinals, for formats of any width.
"""

from bisect import bisect_right
from collections.abc import Callable
from fractions import Fraction

from app.formats import CodebookFormat, FixedPointFormat, FloatFormat, Format, PositFormat, TakumFormat
from app.formats.bits import floor_log2

Place = tuple[int, bool]
"""An ordinal, and whether its number is the point itself."""
Locator = Callable[[int, int], Place]
"""From a point, as numerator and positive denominator, to the last ordinal at or below it.

Where no number is that low, the ordinal is the one before the first.
"""


def locator_of(number_format: Format) -> Locator:
    """The function that finds a point's place among the finite numbers of the format."""
    match number_format:
        case FloatFormat():
            return _signed(number_format, _float_magnitude(number_format), has_zero=number_format.has_zero)
        case PositFormat():
            return _signed(number_format, _posit_magnitude(number_format), has_zero=True)
        case TakumFormat():
            return _signed(number_format, _takum_magnitude(number_format), has_zero=True)
        case CodebookFormat():
            return _codebook(number_format)
        case _:
            shift = number_format.fraction_bits if isinstance(number_format, FixedPointFormat) else 0
            return _whole(number_format, shift)


def _scaled_floor(numerator: int, denominator: int, power: int) -> Place:
    """floor(numerator / denominator * 2^power), and whether nothing was cut off."""
    if power >= 0:
        numerator <<= power
    else:
        denominator <<= -power
    whole, rest = divmod(numerator, denominator)
    return whole, rest == 0


def _signed(number_format: Format, magnitude_at: Locator, *, has_zero: bool) -> Locator:
    """Formats that are symmetric about zero: below zero, rounding down is rounding the magnitude up."""
    before_first, last = number_format.first_ordinal - 1, number_format.last_ordinal

    def locate(numerator: int, denominator: int) -> Place:
        if numerator >= 0:
            magnitude, is_exact = magnitude_at(numerator, denominator)
            return (magnitude, is_exact) if magnitude <= last else (last, False)
        if not number_format.signed:
            return before_first, False
        magnitude, is_exact = magnitude_at(-numerator, denominator)
        if magnitude > last:
            return before_first, False
        ordinal = -(magnitude if is_exact else magnitude + 1) - (not has_zero)
        return (ordinal, is_exact) if ordinal > before_first else (before_first, False)

    return locate


def _float_magnitude(number_format: FloatFormat) -> Locator:
    mantissa_bits, bias = number_format.mantissa_bits, number_format.bias
    has_zero, has_subnormals = number_format.has_zero, number_format.has_subnormals
    lowest = 1 - bias if has_subnormals else -bias  # exponent of the first binade with a leading one
    nothing = 0 if has_zero else -1

    def locate(numerator: int, denominator: int) -> Place:
        if numerator == 0:
            return nothing, has_zero
        exponent = floor_log2(numerator, denominator)
        if exponent < lowest:
            if not has_subnormals:
                return nothing, False
            return _scaled_floor(numerator, denominator, mantissa_bits - lowest)
        kept, is_exact = _scaled_floor(numerator, denominator, mantissa_bits - exponent)
        magnitude = kept + ((exponent + bias - 1) << mantissa_bits)
        # Without subnormals zero takes the place of the bottom binade's first number.
        return magnitude, is_exact and not (magnitude == 0 and has_zero)

    return locate


def _posit_magnitude(number_format: PositFormat) -> Locator:
    width, size, largest = number_format.width, number_format.exponent_size, number_format.max
    body = width - 1

    def locate(numerator: int, denominator: int) -> Place:
        if numerator == 0:
            return 0, True
        exponent = floor_log2(numerator, denominator)
        k, low_exponent = divmod(exponent, 1 << size)
        if -k > body:
            return 0, False
        significand, is_whole = _scaled_floor(numerator, denominator, width - exponent)
        regime, regime_bits = (((1 << (k + 1)) - 1) << 1, k + 2) if k >= 0 else (1, 1 - k)
        fraction = significand - (1 << width)
        string = (regime << size | low_exponent) << width | fraction
        dropped = regime_bits + size + width - body
        return string >> dropped, is_whole and (string & ((1 << dropped) - 1)) == 0

    return _up_to(largest, number_format.last_ordinal, locate)


def _takum_magnitude(number_format: TakumFormat) -> Locator:
    width, largest = number_format.width, number_format.max
    body, padding = width - 1, 16

    def locate(numerator: int, denominator: int) -> Place:
        if numerator == 0:
            return 0, True
        exponent = floor_log2(numerator, denominator)
        if exponent < -255:
            return 0, False
        if exponent >= 0:
            regime = (exponent + 1).bit_length() - 1
            head, characteristic = 8 | regime, exponent + 1 - (1 << regime)
        else:
            regime = (-exponent).bit_length() - 1
            head, characteristic = 7 - regime, exponent - 1 + (1 << (regime + 1))
        fraction_bits = width + padding
        significand, is_whole = _scaled_floor(numerator, denominator, fraction_bits - exponent)
        string = (head << regime | characteristic) << fraction_bits | (significand - (1 << fraction_bits))
        dropped = 4 + regime + fraction_bits - body
        magnitude = string >> dropped
        return magnitude, is_whole and magnitude > 0 and (string & ((1 << dropped) - 1)) == 0

    return _up_to(largest, number_format.last_ordinal, locate)


def _up_to(largest: Fraction, last: int, locate: Locator) -> Locator:
    """A tapered format's magnitudes end before its bit strings do: beyond the largest, the ordinal after the last."""

    def locate_in_range(numerator: int, denominator: int) -> Place:
        here, there = numerator * largest.denominator, largest.numerator * denominator
        if here < there:
            return locate(numerator, denominator)
        return (last, True) if here == there else (last + 1, False)

    return locate_in_range


def _whole(number_format: Format, fraction_bits: int) -> Locator:
    before_first, last = number_format.first_ordinal - 1, number_format.last_ordinal

    def locate(numerator: int, denominator: int) -> Place:
        units, is_exact = _scaled_floor(numerator, denominator, fraction_bits)
        if units > last:
            return last, False
        return (units, is_exact) if units > before_first else (before_first, False)

    return locate


def _codebook(number_format: CodebookFormat) -> Locator:
    values = [number_format.values[code] for code in number_format.codes_in_order]

    def locate(numerator: int, denominator: int) -> Place:
        point = Fraction(numerator, denominator)
        place = bisect_right(values, point) - 1
        return place, place >= 0 and values[place] == point

    return locate

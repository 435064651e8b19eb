"""What an operation gives before it is rounded: the exact number (IEEE 754-2019, 5.4, 6.1 to 6.3 and 7.2).

Nothing here knows of codes: formats come in only where their rules differ, and then as arguments.
"""

from dataclasses import dataclass
from math import isqrt

from app.exact.number import LONGEST_EXPANSION, Finite, Infinity, NaN, Number

STAND_IN_BITS = 512
"""Significant bits of what stands for a number too long to write out, a last 1 telling that something follows.

Sums of numbers far apart are such. No format has a number, or a midpoint of two, of more than 130 bits, and the sum of
a product and a number has three runs of at most 128 bits, so every rounding decides as for the number itself.
"""


@dataclass(frozen=True, slots=True)
class Unrounded:
    """An exact result; where `is_stand_in`, one that every rounding treats alike (an irrational root)."""

    number: Number
    invalid: bool = False
    divide_by_zero: bool = False
    is_stand_in: bool = False


INVALID = Unrounded(NaN(negative=False), invalid=True)


def sum_of(left: Number, right: Number, *, zero_is_negative: bool) -> Unrounded:
    """left + right; `zero_is_negative`: the sign of a zero from numbers of opposite signs (toward negative only)."""
    if isinstance(left, NaN) or isinstance(right, NaN):
        return first_nan(left, right)
    if isinstance(left, Infinity) and isinstance(right, Infinity):
        return Unrounded(left) if left.negative == right.negative else INVALID
    for each in (left, right):
        if isinstance(each, Infinity):
            return Unrounded(each)
    assert isinstance(left, Finite)
    assert isinstance(right, Finite)
    if left.is_zero and right.is_zero:
        negative = left.negative if left.negative == right.negative else zero_is_negative
        return Unrounded(Finite(negative, 0))
    if left.is_zero or right.is_zero:
        return Unrounded(right if left.is_zero else left)
    (numerator, denominator, exponent), (other, other_denominator, other_exponent) = _parts(left), _parts(right)
    lowest = min(exponent, other_exponent)
    first = numerator * other_denominator << (exponent - lowest)
    second = other * denominator << (other_exponent - lowest)
    total = (-first if left.negative else first) + (-second if right.negative else second)
    if total == 0:
        return Unrounded(Finite(zero_is_negative, 0))
    return _bounded(abs(total), denominator * other_denominator, lowest, negative=total < 0)


def product_of(left: Number, right: Number) -> Unrounded:
    """left * right."""
    if isinstance(left, NaN) or isinstance(right, NaN):
        return first_nan(left, right)
    negative = left.negative != right.negative
    if isinstance(left, Infinity) or isinstance(right, Infinity):
        has_zero = any(isinstance(each, Finite) and each.is_zero for each in (left, right))
        return INVALID if has_zero else Unrounded(Infinity(negative))
    if left.is_zero or right.is_zero:
        return Unrounded(Finite(negative, 0))
    (numerator, denominator, exponent), (other, other_denominator, other_exponent) = _parts(left), _parts(right)
    return _bounded(numerator * other, denominator * other_denominator, exponent + other_exponent, negative=negative)


def quotient_of(left: Number, right: Number) -> Unrounded:
    """left / right; a finite number by zero is an infinity and the flag."""
    if isinstance(left, NaN) or isinstance(right, NaN):
        return first_nan(left, right)
    negative = left.negative != right.negative
    if isinstance(right, Infinity):
        return INVALID if isinstance(left, Infinity) else Unrounded(Finite(negative, 0))
    if isinstance(left, Infinity):
        return Unrounded(Infinity(negative))
    if right.is_zero:
        return INVALID if left.is_zero else Unrounded(Infinity(negative), divide_by_zero=True)
    if left.is_zero:
        return Unrounded(Finite(negative, 0))
    (numerator, denominator, exponent), (other, other_denominator, other_exponent) = _parts(left), _parts(right)
    return _bounded(numerator * other_denominator, denominator * other, exponent - other_exponent, negative=negative)


def root_of(number: Number, bits: int) -> Unrounded:
    """The square root; an irrational one as its first `bits` significant bits and a last 1."""
    if isinstance(number, NaN):
        return first_nan(number)
    if isinstance(number, Finite) and number.is_zero:
        return Unrounded(number)  # the root of -0 is -0 (IEEE 754-2019, 5.4.1)
    if number.negative:
        return INVALID
    if isinstance(number, Infinity):
        return Unrounded(number)
    numerator, denominator, exponent = _parts(number)
    if exponent % 2:
        numerator, exponent = numerator << 1, exponent - 1
    product = numerator * denominator
    root = isqrt(product)
    if root * root == product:
        return _bounded(root, denominator, exponent // 2, negative=False)
    places = max(bits + 1 + (denominator.bit_length() - numerator.bit_length()) // 2, 0)
    digits = isqrt((numerator << 2 * places) // denominator)
    return Unrounded(
        Finite(negative=False, numerator=digits << 1 | 1, exponent2=exponent // 2 - places - 1), is_stand_in=True
    )


def first_nan(*operands: Number) -> Unrounded:
    """The first NaN among the operands, made quiet; a signalling one anywhere is invalid (IEEE 754-2019, 6.2)."""
    nans = [each for each in operands if isinstance(each, NaN)]
    # A signalling NaN without a payload of its own has the payload 1, which a quiet NaN keeps.
    payload = nans[0].payload if nans[0].payload is not None or not nans[0].signalling else 1
    return Unrounded(NaN(nans[0].negative, payload), invalid=any(each.signalling for each in nans))


def _parts(number: Finite) -> tuple[int, int, int]:
    """Numerator and denominator, both odd, and the power of two beside them."""
    numerator, denominator = number.ratio()
    twos, halves = _trailing_zeros(numerator), _trailing_zeros(denominator)
    return numerator >> twos, denominator >> halves, twos - halves


def _trailing_zeros(number: int) -> int:
    return (number & -number).bit_length() - 1


def _bounded(numerator: int, denominator: int, exponent: int, *, negative: bool) -> Unrounded:
    exact = Finite(negative, numerator, denominator, exponent2=exponent)
    if numerator.bit_length() + denominator.bit_length() + abs(exponent) <= LONGEST_EXPANSION:
        return Unrounded(exact)
    places = STAND_IN_BITS + denominator.bit_length() - numerator.bit_length()
    digits, rest = divmod(numerator << max(places, 0), denominator << max(-places, 0))
    stand_in = Finite(negative, digits << 1 | (rest != 0), exponent2=exponent - places - 1)
    return Unrounded(stand_in, is_stand_in=rest != 0)

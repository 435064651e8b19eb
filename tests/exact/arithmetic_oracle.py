"""Rounding told in another way than the product does it: a look-up among all values of a small format."""

from bisect import bisect_right
from fractions import Fraction
from functools import cache

from app.exact import Decoded
from app.formats import CodebookFormat, FloatFormat, Format, PositFormat, TakumFormat

MODES = ("nearest_even", "nearest_away", "toward_zero", "toward_positive", "toward_negative", "to_odd")


@cache
def magnitudes(number_format: Format, *, negative: bool) -> tuple[tuple[Fraction, ...], tuple[int, ...]]:
    """The values of one sign as magnitudes, in order, zero first where there is one; and their codes."""
    by_value: dict[Fraction, int] = {}
    for code in range(1 << number_format.width):
        value = number_format.value_of(code)
        if value is not None and (value == 0 or (value < 0) is negative):
            by_value.setdefault(abs(value), code)
    ordered = sorted(by_value)
    return tuple(ordered), tuple(by_value[value] for value in ordered)


def expected(exact: Fraction, number_format: Format, mode: str) -> Fraction | str | None:
    """The value that a nonzero exact result rounds to, `overflow`, or None where this oracle has no opinion."""
    values, _ = magnitudes(number_format, negative=exact < 0)
    tapered = isinstance(number_format, PositFormat | TakumFormat)
    if isinstance(number_format, FloatFormat) and (
        not number_format.has_zero or (exact < 0 and not number_format.signed)
    ):
        return None
    magnitude, sign = abs(exact), -1 if exact < 0 else 1
    place = bisect_right(values, magnitude) - 1
    if place < 0:
        return None
    if values[place] == magnitude:
        return exact
    if place == len(values) - 1:
        return _beyond(magnitude, number_format, values, mode, sign)
    if tapered and place == 0:
        return sign * values[1]
    if tapered and mode.startswith("nearest"):
        return None
    low, high = values[place], values[place + 1]
    up = _up(mode, (magnitude - low) / (high - low), place, number_format, low, sign)
    return sign * (high if up else low)


def _beyond(
    magnitude: Fraction, number_format: Format, values: tuple[Fraction, ...], mode: str, sign: int
) -> Fraction | str:
    if not isinstance(number_format, FloatFormat):
        return sign * values[-1]
    exponent = number_format.max_exponent
    step = Fraction(2) ** (exponent - number_format.mantissa_bits)
    share = min((magnitude - values[-1]) / step, Fraction(3, 4))
    share = Fraction(3, 4) if magnitude - values[-1] >= step else share
    up = _up(mode, share, number_format.max_magnitude, number_format, values[-1], sign)
    return "overflow" if up else sign * values[-1]


def _up(mode: str, share: Fraction, place: int, number_format: Format, low: Fraction, sign: int) -> bool:
    half = Fraction(1, 2)
    odd = place % 2 == 1
    if isinstance(number_format, CodebookFormat):
        odd = number_format.codes_in_order.index(number_format.values.index(sign * low)) % 2 == 1
    match mode:
        case "nearest_even":
            return share > half or (share == half and odd)
        case "nearest_away":
            return share >= half
        case "toward_zero":
            return False
        case "toward_positive":
            return sign > 0
        case "toward_negative":
            return sign < 0
        case _:
            return not odd


def agrees(stored: Decoded, exact: Fraction, mode: str) -> bool:
    """Whether what was stored is what this oracle expects."""
    number_format = stored.format
    answer = expected(exact, number_format, mode)
    if answer is None:
        return True
    if answer != "overflow":
        return stored.value == answer
    assert isinstance(number_format, FloatFormat)
    if number_format.has_infinity:
        return stored.kind.value == "infinity" and stored.negative is (exact < 0)
    if number_format.has_nan:
        return stored.kind.value == "nan"
    return stored.value == (number_format.max if exact > 0 else -number_format.max)


__all__ = ["MODES", "agrees", "expected"]

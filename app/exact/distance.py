"""How far the stored number lies from the one that was asked for."""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from app.exact.decode import Decoded, Kind, ulp
from app.exact.number import Finite, Infinity, NaN, Number
from app.exact.text import exact_text, number_text, rounded_text


class Direction(StrEnum):
    """Where the stored number lies, seen from the one asked for."""

    EXACT = "exact"
    ABOVE = "above"
    BELOW = "below"


@dataclass(frozen=True, slots=True)
class Distance:
    """|stored - asked| as texts; `relative` to the number asked for, `ulps` in ulps of the stored one."""

    absolute: str
    relative: str | None
    ulps: str | None
    direction: Direction


def distance(number: Number, stored: Decoded) -> Distance | None:
    """The rounding error; None where either is NaN.

    A number too long to be written out is its own error: it differs from the true one by less than one part in 10^300,
    and `relative` is 1 to all its digits.
    """
    if isinstance(number, NaN) or stored.kind is Kind.NAN:
        return None
    if isinstance(number, Infinity):
        if stored.kind is Kind.INFINITY:
            return Distance("0", None, None, Direction.EXACT)
        return Distance("inf", None, None, Direction.ABOVE if number.negative else Direction.BELOW)
    if stored.value is None:
        return Distance("inf", "inf", None, Direction.BELOW if stored.negative else Direction.ABOVE)
    if not number.is_expandable:
        return _from_afar(number, stored.value)
    asked = number.fraction()
    difference = stored.value - asked
    unit = ulp(stored)
    assert unit is not None
    return Distance(
        absolute=exact_text(abs(difference)),
        relative=rounded_text(abs(difference / asked)) if asked else None,
        ulps=rounded_text(abs(difference / unit)),
        direction=Direction.EXACT if not difference else Direction.ABOVE if difference > 0 else Direction.BELOW,
    )


def _from_afar(number: Finite, stored: Fraction) -> Distance:
    """`number` lies far beyond every stored number, or far below the smallest."""
    is_tiny = number.log2_bounds()[1] < 0
    magnitude = Finite(
        negative=False,
        numerator=number.numerator,
        denominator=number.denominator,
        exponent10=number.exponent10,
        exponent2=number.exponent2,
    )
    is_above = stored > 0 if is_tiny and stored else number.negative
    relative = None if is_tiny and stored else "1"
    absolute = exact_text(abs(stored)) if is_tiny and stored else number_text(magnitude)
    return Distance(absolute, relative, None, Direction.ABOVE if is_above else Direction.BELOW)

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
    """stored - asked, as integers not in lowest terms; `difference` is None where either is infinite or far away."""

    number: Number
    stored: Decoded
    direction: Direction
    difference: tuple[int, int] | None
    relative: str | None
    """To the number asked for, 17 digits; None where that is zero or infinite."""

    def absolute(self) -> str:
        """Exactly; of numbers far away the number itself, which differs by less than one part in 10^60."""
        if self.difference is not None:
            return exact_text(Fraction(*self.difference))
        if self.direction is Direction.EXACT:
            return "0"
        if not isinstance(self.number, Finite) or self.stored.value is None:
            return "inf"
        if self.number.log2_bounds()[1] < 0 and self.stored.value:
            return exact_text(abs(self.stored.value))
        return number_text(self.number).removeprefix("-")

    def ulps(self) -> str | None:
        """In ulps of the stored number, 17 digits."""
        unit = ulp(self.stored)
        if self.difference is None or unit is None:
            return None
        return rounded_text(self.difference[0] * unit.denominator, self.difference[1] * unit.numerator)


def distance(number: Number, stored: Decoded) -> Distance | None:
    """The rounding error; None where either is no number (NaN, NaR, a code without a meaning)."""
    if isinstance(number, NaN) or (stored.value is None and stored.kind is not Kind.INFINITY):
        return None
    if isinstance(number, Infinity):
        direction = Direction.ABOVE if number.negative else Direction.BELOW
        if stored.kind is Kind.INFINITY:
            direction = Direction.EXACT
        return Distance(number, stored, direction, None, None)
    if stored.value is None:
        return Distance(number, stored, Direction.BELOW if stored.negative else Direction.ABOVE, None, "inf")
    if number.is_far_away:
        return _from_afar(number, stored, stored.value)
    numerator, denominator = number.ratio()
    signed = -numerator if number.negative else numerator
    difference = stored.value.numerator * denominator - signed * stored.value.denominator
    scale = denominator * stored.value.denominator
    direction = Direction.EXACT if not difference else Direction.ABOVE if difference > 0 else Direction.BELOW
    relative = rounded_text(abs(difference), numerator * stored.value.denominator) if numerator else None
    return Distance(number, stored, direction, (abs(difference), scale), relative)


def _from_afar(number: Finite, stored: Decoded, value: Fraction) -> Distance:
    """The number lies far beyond every stored number, or far below the smallest."""
    is_tiny = number.log2_bounds()[1] < 0
    if is_tiny and value:
        # Rounded away from zero: the error is the stored number, and out of proportion to the one asked for.
        return Distance(number, stored, Direction.ABOVE if value > 0 else Direction.BELOW, None, None)
    return Distance(number, stored, Direction.ABOVE if number.negative else Direction.BELOW, None, "1")

"""Where a stored number lies between its neighbours, and where the typed one fell: positions on a line, in percent."""

from dataclasses import dataclass
from fractions import Fraction

from app.tasks.inspection import Inspection
from app.web.quantities import NARROW_SPACE

LEFT, RIGHT = 0.25, 99.75
LONGEST_TEXT = 1500
PLAIN = frozenset("-0123456789./")


@dataclass(frozen=True, slots=True)
class NumberLine:
    """Percent of the width, as texts for SVG; `typed` is None where the typed number is off the picture."""

    previous: str
    stored: str
    next: str
    typed: str | None
    typed_side: str
    """Where the typed number lies: `exact`, `above` or `below` the stored one, `outside` the picture, or `none`."""
    typed_share: str
    """How far it is on the way to the neighbour on that side."""


def number_line(inspection: Inspection) -> NumberLine | None:
    """The picture of an inspection; None where the stored number is not finite or has a neighbour that is not."""
    if inspection.previous is None or inspection.next is None:
        return None
    texts = (inspection.previous.value, inspection.value, inspection.next.value)
    points = [_rational(text) for text in texts]
    if any(point is None for point in points):
        return None
    low, stored, high = (point for point in points if point is not None)
    if not low < stored < high:
        return None
    typed = _typed(inspection, stored)
    side = _side(typed, low, stored, high)
    way = {"above": high - stored, "below": stored - low}.get(side)

    def at(point: Fraction) -> str:
        return f"{LEFT + (RIGHT - LEFT) * float((point - low) / (high - low)):.3f}%"

    return NumberLine(
        previous=at(low),
        stored=at(stored),
        next=at(high),
        typed=at(typed) if typed is not None and way else None,
        typed_side=side,
        typed_share=_percent(abs(typed - stored) / way) if typed is not None and way else "",
    )


def _side(typed: Fraction | None, low: Fraction, stored: Fraction, high: Fraction) -> str:
    if typed is None:
        return "none"
    if not low <= typed <= high:
        return "outside"
    return "exact" if typed == stored else "above" if typed > stored else "below"


def _percent(share: Fraction) -> str:
    percent = float(100 * share)
    return f"<{NARROW_SPACE}0.01{NARROW_SPACE}%" if percent < 0.01 else f"{percent:.3g}{NARROW_SPACE}%"


def _typed(inspection: Inspection, stored: Fraction) -> Fraction | None:
    if inspection.error is None:
        return None
    absolute = _rational(inspection.error.absolute)
    if absolute is None:
        return None
    return stored - absolute if inspection.error.direction == "above" else stored + absolute


def _rational(text: str) -> Fraction | None:
    """The text as a rational; None for specials, and for exponents, which could build a giant."""
    if len(text) > LONGEST_TEXT or not PLAIN.issuperset(text):
        return None
    return Fraction(text)

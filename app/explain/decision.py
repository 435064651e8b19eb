"""Up or down: why a rounding mode chose the neighbour that it chose."""

from app.exact import Cut, Encoding, Rounding, Tail
from app.explain.steps import Step


def decision(encoding: Encoding, cut: Cut) -> Step:
    """The step of an inexact cut."""
    way = "up" if cut.up else "down"
    match encoding.rounding:
        case Rounding.TOWARD_ZERO:
            return Step("decide.toward-zero")
        case Rounding.TOWARD_POSITIVE:
            return Step(f"decide.toward-positive-{way}")
        case Rounding.TOWARD_NEGATIVE:
            return Step(f"decide.toward-negative-{way}")
        case Rounding.TO_ODD:
            return Step(f"decide.to-odd-{way}")
        case Rounding.NEAREST_EVEN | Rounding.NEAREST_AWAY:
            if cut.tail is Tail.BELOW_HALF:
                return Step("decide.below-half")
            if cut.tail is Tail.ABOVE_HALF:
                return Step("decide.above-half")
            if encoding.rounding is Rounding.NEAREST_AWAY:
                return Step("decide.tie-away")
            return Step(f"decide.tie-even-{way}")

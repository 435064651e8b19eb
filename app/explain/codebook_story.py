"""How a number finds its place in a codebook, and what a place means."""

from collections.abc import Iterator
from fractions import Fraction

from app.errors import Figure
from app.exact import Decoded, Encoding, Finite, Outcome, Rounding
from app.explain.figures import short_value
from app.explain.steps import Step
from app.formats import CodebookFormat

NEAREST = (Rounding.NEAREST_EVEN, Rounding.NEAREST_AWAY)


def codebook_steps(encoding: Encoding, number_format: CodebookFormat, stored: Decoded) -> Iterator[Step]:
    """Everything after reading the text."""
    assert stored.value is not None
    figures: dict[str, Figure] = {
        "format": number_format.name,
        "count": len(number_format.values),
        "index": stored.code,
        "value": short_value(stored.value),
        "rounding": encoding.rounding.value,
    }
    if encoding.outcome is Outcome.OVERFLOW:
        yield Step("codebook.beyond", figures)
        return
    if encoding.outcome is Outcome.EXACT:
        yield Step("codebook.exact", figures)
        return
    number = encoding.number
    assert isinstance(number, Finite)
    low, high = _beside(number, stored.code, number_format)
    middle = (low + high) / 2
    beside = {"low": short_value(low), "high": short_value(high), "middle": short_value(middle)}
    if encoding.rounding not in NEAREST:
        yield Step("codebook.directed", {**figures, **beside})
        return
    yield Step("codebook.neighbours", {**figures, **beside})
    yield Step(f"codebook.{_side(number, middle, encoding.rounding)}", figures)


def _side(number: Finite, middle: Fraction, rounding: Rounding) -> str:
    if number.is_expandable and number.fraction() == middle:
        return "tie-even" if rounding is Rounding.NEAREST_EVEN else "tie-away"
    return "above-midpoint" if _is_above(number, middle) else "below-midpoint"


def _is_above(number: Finite, value: Fraction) -> bool:
    """Numbers too small to be written out lie beside zero: those too large are beyond every codebook."""
    if number.is_expandable:
        return number.fraction() > value
    return value < 0 or (value == 0 and not number.negative)


def _beside(number: Finite, chosen: int, number_format: CodebookFormat) -> tuple[Fraction, Fraction]:
    """The chosen value and the other one that the number lies between, in order."""
    values = [number_format.values[code] for code in number_format.codes_in_order]
    rank = values.index(number_format.values[chosen])
    value = values[rank]
    return (value, values[rank + 1]) if _is_above(number, value) else (values[rank - 1], value)


def codebook_code_steps(decoded: Decoded, number_format: CodebookFormat) -> Iterator[Step]:
    """What a place in the list means."""
    figures: dict[str, Figure] = {
        "format": number_format.name,
        "count": len(number_format.values),
        "index": decoded.code,
    }
    if decoded.value is None:
        yield Step("codebook.behind-last", figures)
    else:
        yield Step("codebook.read", {**figures, "value": short_value(decoded.value)})

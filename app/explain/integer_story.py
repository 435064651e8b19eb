"""How a number becomes an integer or fixed point, and what the bits of one weigh."""

from collections.abc import Iterator

from app.errors import Figure
from app.exact import Cut, Decoded, Encoding, Infinity, Outcome, Overflow, Tail
from app.exact.text import exact_text, value_text
from app.explain.decision import decision
from app.explain.figures import shortened
from app.explain.steps import Step
from app.explain.weights import bit_weights
from app.formats import BooleanFormat, FixedPointFormat, IntegerFormat, Notation

WholeFormat = IntegerFormat | FixedPointFormat
MOST_TERMS = 9
NEGATIVE_SUMS = {
    Notation.TWOS_COMPLEMENT: "integer.negative-weights",
    Notation.ONES_COMPLEMENT: "integer.ones-complement-weights",
}


def integer_steps(encoding: Encoding, number_format: WholeFormat | BooleanFormat, stored: Decoded) -> Iterator[Step]:
    """Everything after reading the text."""
    if isinstance(number_format, BooleanFormat):
        yield Step("bool.one" if stored.code else "bool.zero")
        return
    cut = encoding.cut
    if cut is not None and isinstance(number_format, FixedPointFormat):
        yield _in_units(cut, number_format)
    elif cut is not None and cut.tail is not Tail.NOTHING:
        yield Step("integer.cut", {"whole": _whole(cut.kept)})
    if cut is not None and cut.tail is not Tail.NOTHING:
        yield decision(encoding, cut)
    if encoding.outcome is Outcome.OVERFLOW:
        yield _overflow(encoding, number_format, stored)
    yield from weight_steps(stored, number_format)


def _in_units(cut: Cut, number_format: FixedPointFormat) -> Step:
    figures: dict[str, Figure] = {"whole": _whole(cut.kept), "places": number_format.fraction_bits}
    return Step("fixed.units" if cut.tail is Tail.NOTHING else "fixed.cut", figures)


def _whole(kept: int) -> str:
    return shortened(f"{kept:#x}") if kept >> 200 else str(kept)


def weight_steps(stored: Decoded, number_format: WholeFormat) -> Iterator[Step]:
    """The weights of the bits that are set, and their sum."""
    if stored.code == 0:
        yield Step("integer.zero", {"width": number_format.width})
    elif isinstance(number_format, FixedPointFormat):
        yield from _fixed_steps(stored, number_format)
    elif number_format.signed and number_format.notation is Notation.SIGN_MAGNITUDE:
        yield from _sign_magnitude_steps(stored, number_format)
    elif stored.code == number_format.negative_zero:
        yield Step("integer.minus-zero", {"width": number_format.width})
    else:
        figures = {**_sum(stored.code, number_format), "value": value_text(stored), "width": number_format.width}
        negative = number_format.signed and stored.negative
        yield Step(NEGATIVE_SUMS[number_format.notation] if negative else "integer.weights", figures)


def _fixed_steps(stored: Decoded, number_format: FixedPointFormat) -> Iterator[Step]:
    """The code as a whole number, then as so many units: weights below 1 are long in decimal."""
    units = number_format.ordinal_of(stored.code)
    figures: dict[str, Figure] = {
        "whole": str(units),
        "places": number_format.fraction_bits,
        "value": value_text(stored),
        "top": str(number_format.first_ordinal),
    }
    yield Step("fixed.read-negative" if stored.negative else "fixed.read", figures)
    yield Step("fixed.value", figures)


def _sign_magnitude_steps(stored: Decoded, number_format: IntegerFormat) -> Iterator[Step]:
    yield Step("code.negative" if stored.negative else "code.positive")
    magnitude = stored.code & ((1 << (number_format.width - 1)) - 1)
    if magnitude:
        yield Step("integer.magnitude", {**_sum(magnitude, number_format), "value": str(magnitude)})
    if stored.negative:
        yield Step("integer.with-sign", {"value": value_text(stored)})


def _sum(code: int, number_format: IntegerFormat) -> dict[str, Figure]:
    """The weights of the set bits as terms, the middle of a long sum left out."""
    weights = bit_weights(number_format)
    bits = f"{code:0{len(weights)}b}"
    chosen = [exact_text(weight) for weight, bit in zip(weights, bits, strict=True) if bit == "1"]
    terms = chosen if len(chosen) <= MOST_TERMS else [*chosen[:4], "…", *chosen[-4:]]
    return {"terms": " + ".join(terms), "top": exact_text(weights[0]) if weights else "0"}


def _overflow(encoding: Encoding, number_format: WholeFormat, stored: Decoded) -> Step:
    figures: dict[str, Figure] = {
        "format": number_format.name,
        "min": value_text_of(number_format, lowest=True),
        "max": value_text_of(number_format, lowest=False),
        "value": value_text(stored),
        "width": number_format.width,
    }
    if isinstance(encoding.number, Infinity):
        return Step("integer.infinity", figures)
    return Step("integer.wrap" if encoding.overflow is Overflow.WRAP else "integer.saturate", figures)


def value_text_of(number_format: WholeFormat, *, lowest: bool) -> str:
    """One end of the range."""
    end = number_format.min if lowest else number_format.max
    return str(end) if isinstance(end, int) else exact_text(end)

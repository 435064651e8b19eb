"""How a number becomes an integer, and what the bits of an integer weigh."""

from collections.abc import Iterator

from app.errors import Figure
from app.exact import Decoded, Encoding, Infinity, Outcome, Overflow, Tail
from app.exact.text import value_text
from app.explain.decision import decision
from app.explain.figures import shortened
from app.explain.steps import Step
from app.formats import BooleanFormat, IntegerFormat


def integer_steps(encoding: Encoding, number_format: IntegerFormat | BooleanFormat, stored: Decoded) -> Iterator[Step]:
    """Everything after reading the text."""
    if isinstance(number_format, BooleanFormat):
        yield Step("bool.one" if stored.code else "bool.zero")
        return
    cut = encoding.cut
    if cut is not None and cut.tail is not Tail.NOTHING:
        yield Step("integer.cut", {"whole": shortened(f"{cut.kept:#x}") if cut.kept >> 200 else str(cut.kept)})
        yield decision(encoding, cut)
    if encoding.outcome is Outcome.OVERFLOW:
        yield _overflow(encoding, number_format, stored)
    yield from weight_steps(stored, number_format)


def weight_steps(stored: Decoded, number_format: IntegerFormat) -> Iterator[Step]:
    """The weights of the bits that are set, and their sum."""
    value = value_text(stored)
    if stored.code == 0:
        yield Step("integer.zero", {"width": number_format.width})
        return
    weights = bit_weights(number_format)
    bits = f"{stored.code:0{number_format.width}b}"
    chosen = [str(weight) for weight, bit in zip(weights, bits, strict=True) if bit == "1"]
    terms = chosen if len(chosen) <= 9 else [*chosen[:4], "…", *chosen[-4:]]
    figures: dict[str, Figure] = {"terms": " + ".join(terms), "value": value, "width": number_format.width}
    if number_format.signed and stored.negative:
        yield Step("integer.negative-weights", {**figures, "top": str(weights[0])})
    else:
        yield Step("integer.weights", figures)


def bit_weights(number_format: IntegerFormat | BooleanFormat) -> tuple[int, ...]:
    """What each bit adds when set, most significant first; the top bit of a signed integer counts negatively."""
    weights = [1 << position for position in range(number_format.width - 1, -1, -1)]
    if number_format.signed:
        weights[0] = -weights[0]
    return tuple(weights)


def _overflow(encoding: Encoding, number_format: IntegerFormat, stored: Decoded) -> Step:
    figures: dict[str, Figure] = {
        "format": number_format.name,
        "min": str(number_format.min),
        "max": str(number_format.max),
        "value": value_text(stored),
        "width": number_format.width,
    }
    if isinstance(encoding.number, Infinity):
        return Step("integer.infinity", figures)
    return Step("integer.wrap" if encoding.overflow is Overflow.WRAP else "integer.saturate", figures)

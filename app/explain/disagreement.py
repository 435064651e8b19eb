"""Why a library stores another code: each reason is found by doing what the library does, exactly, and comparing."""

import math
from collections.abc import Iterator
from fractions import Fraction

from app.errors import AppError
from app.exact import Encoding, Finite, Infinity, Kind, NaN, Number, Outcome, Tail, decode, encode, to_number
from app.exact.text import code_text
from app.explain.figures import shortened
from app.explain.steps import Step
from app.formats import FloatFormat, Format, find_format


def explain_disagreement(library: str, code: int | None, encoding: Encoding, read: float | int | None) -> Step | None:
    """The reason, or None where none is known.

    `code` is what the library stored (None: it refused), `read` the Python number that it was given (None: the text
    makes none).
    """
    figures = {"library": library, "format": encoding.format.name}
    if code is None:
        return Step("witness.refuses", figures)
    value = shortened(code_text(code, encoding.format))
    for reason in _reasons(code, encoding, read):
        return Step(f"witness.{reason}", {**figures, "value": value})
    return None


def _reasons(code: int, encoding: Encoding, read: float | int | None) -> Iterator[str]:
    """The first is the simplest."""
    number, number_format = encoding.number, encoding.format
    if code == _code(number, number_format):
        yield "own-modes"
    if isinstance(number_format, FloatFormat):
        if not number_format.has_zero:
            yield from _scale_reasons(code, encoding, number_format)
        yield from _overflow_reasons(code, encoding)
        yield from _double_rounding(code, number_format, read)
    else:
        if code == _code(number, number_format, "toward_zero"):
            yield "truncates"
        if code == _code(number, number_format, "toward_zero", "wrap"):
            yield "wraps"
        if isinstance(read, float) and code == _code(_from_python(read), number_format, "toward_zero"):
            yield "through-float64"


def _scale_reasons(code: int, encoding: Encoding, number_format: FloatFormat) -> Iterator[str]:
    number = encoding.number
    if isinstance(number, Finite) and number.is_zero:
        yield "scale-zero"
    elif isinstance(number, Finite) and number.negative:
        yield "scale-sign"
    elif (
        encoding.cut is not None
        and encoding.cut.tail is Tail.HALF
        and code == _code(number, number_format, "nearest_away")
    ):
        yield "scale-tie-up"
    elif encoding.code == 0 and code == 1:
        yield "scale-lowest"


def _overflow_reasons(code: int, encoding: Encoding) -> Iterator[str]:
    if encoding.outcome is not Outcome.OVERFLOW and not isinstance(encoding.number, Infinity):
        return
    kind = decode(code, encoding.format).kind
    if kind is Kind.NAN:
        yield "overflow-nan"
    elif kind is Kind.INFINITY:
        yield "overflow-infinity"
    elif code == _code(encoding.number, encoding.format, overflow="saturate"):
        yield "saturates"


def _double_rounding(code: int, number_format: FloatFormat, read: float | int | None) -> Iterator[str]:
    if read is None:
        return
    through_float64 = _from_python(read)
    if code == _code(through_float64, number_format):
        yield "through-float64"
    float32 = find_format("float32")
    first = _code(through_float64, float32)
    if first is not None and code == _code(to_number(decode(first, float32)), number_format):
        yield "through-float32"


def _from_python(value: float | int) -> Number:
    if math.isnan(value):
        return NaN(negative=False)
    negative = math.copysign(1, value) < 0
    if math.isinf(value):
        return Infinity(negative)
    return Finite(negative, *abs(Fraction(value)).as_integer_ratio())


def _code(
    number: Number, number_format: Format, rounding: str = "nearest_even", overflow: str | None = None
) -> int | None:
    try:
        return encode(number, number_format, rounding, overflow).code
    except AppError:
        return None

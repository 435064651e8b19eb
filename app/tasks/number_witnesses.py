"""What libraries say about the same number, beside the exact answer."""

import math
from fractions import Fraction

from app import exact
from app.codec.witnesses import ask_by_code, ask_by_text, python_number
from app.exact.text import code_text, exact_text
from app.explain import explain_disagreement
from app.formats import FloatFormat
from app.tasks.code_text import format_hex
from app.tasks.inspection import Witness


def witnesses_of_text(text: str, encoding: exact.Encoding) -> tuple[Witness, ...]:
    """Each library's code for the text, and why it differs if it does."""
    number_format = encoding.format
    found = []
    for testimony in ask_by_text(text, number_format):
        code = testimony.code
        agrees = code is not None and _same_code(code, encoding)
        found.append(
            Witness(
                library=testimony.library,
                hex=None if code is None else format_hex(code, number_format),
                value=None if code is None else code_text(code, number_format),
                agrees=agrees if code is not None else None,
                reason=None
                if agrees
                else explain_disagreement(testimony.library, code, encoding, _read(text, encoding)),
            )
        )
    return tuple(found)


def witnesses_of_code(stored: exact.Decoded) -> tuple[Witness, ...]:
    """Each library's reading of a code, compared by value."""
    return tuple(
        Witness(
            library=testimony.library,
            hex=format_hex(stored.code, stored.format),
            value=_python_text(testimony.value),
            agrees=_same_value(testimony.value, stored),
            reason=None,
        )
        for testimony in ask_by_code(stored.code, stored.format)
    )


def _same_code(code: int, encoding: exact.Encoding) -> bool:
    """NaNs are alike whatever their payload: libraries choose their own."""
    if code == encoding.code:
        return True
    kinds = {exact.decode(each, encoding.format).kind for each in (code, encoding.code)}
    return kinds == {exact.Kind.NAN}


def _read(text: str, encoding: exact.Encoding) -> int | float | None:
    try:
        return python_number(text, is_float=isinstance(encoding.format, FloatFormat))
    except (ArithmeticError, ValueError):
        return None


def _same_value(value: int | float | None, stored: exact.Decoded) -> bool | None:
    if value is None:
        return None
    if stored.kind is exact.Kind.NAN:
        return math.isnan(value)
    if stored.kind is exact.Kind.INFINITY:
        return value == (-math.inf if stored.negative else math.inf)
    if not math.isfinite(value) or stored.value is None:
        return False
    return Fraction(value) == stored.value and (math.copysign(1, value) < 0) is stored.negative


def _python_text(value: int | float | None) -> str | None:
    if value is None:
        return None
    if not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    if value == 0:
        return "-0" if math.copysign(1, value) < 0 else "0"
    return exact_text(Fraction(value))

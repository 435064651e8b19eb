"""What libraries say about the same number, beside the exact answer."""

import math
from fractions import Fraction

from app import exact
from app.codec.witnesses import ask_to_read, ask_to_store, python_number
from app.exact.text import code_text, exact_text
from app.explain import explain_disagreement
from app.tasks.code_text import format_hex
from app.tasks.inspection import Witness


def witnesses_of_text(text: str, encoding: exact.Encoding) -> tuple[Witness, ...]:
    """Each library's code for the text, and why it differs if it does."""
    number_format = encoding.format
    number = python_number(text, number_format)
    found = []
    for stored in ask_to_store(number, number_format):
        code = stored.code
        agrees = None if code is None else _same_code(code, encoding)
        found.append(
            Witness(
                library=stored.library,
                hex=None if code is None else format_hex(code, number_format),
                value=None if code is None else code_text(code, number_format),
                agrees=agrees,
                reason=None if agrees else explain_disagreement(stored.library, code, encoding, number),
            )
        )
    return tuple(found)


def witnesses_of_code(stored: exact.Decoded) -> tuple[Witness, ...]:
    """Each library's reading of a code, compared by value."""
    return tuple(
        Witness(
            library=read.library,
            hex=format_hex(stored.code, stored.format),
            value=_python_text(read.number),
            agrees=_same_number(read.number, stored),
            reason=None,
        )
        for read in ask_to_read(stored.code, stored.format)
    )


def _same_code(code: int, encoding: exact.Encoding) -> bool:
    """NaNs are alike whatever their payload: libraries choose their own."""
    if code == encoding.code:
        return True
    kinds = {exact.decode(each, encoding.format).kind for each in (code, encoding.code)}
    return kinds == {exact.Kind.NAN}


def _same_number(number: int | float, stored: exact.Decoded) -> bool:
    if stored.kind is exact.Kind.NAN:
        return math.isnan(number)
    if stored.kind is exact.Kind.INFINITY:
        return number == (-math.inf if stored.negative else math.inf)
    if not math.isfinite(number):
        return False
    return Fraction(number) == stored.value and (math.copysign(1, number) < 0) is stored.negative


def _python_text(number: int | float) -> str:
    if not math.isfinite(number):
        return str(number)
    if number == 0:
        return "-0" if math.copysign(1, number) < 0 else "0"
    return exact_text(Fraction(number))

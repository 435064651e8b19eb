"""The steps by which a number became a code, or a code is read, in the order in which one would do them by hand."""

from app.exact import Decoded, Encoding, NaN, decode
from app.exact.text import number_text, value_text
from app.explain.code_story import code_steps
from app.explain.figures import shortened
from app.explain.float_story import float_steps
from app.explain.integer_story import integer_steps, weight_steps
from app.explain.steps import Step
from app.formats import BooleanFormat, FloatFormat, IntegerFormat

LONGEST_READ = 100
"""Characters of a text up to which its meaning is spelled out where it looks different."""


def tell_encoding(text: str, encoding: Encoding) -> tuple[Step, ...]:
    """How the typed text became the code."""
    stored = decode(encoding.code, encoding.format)
    steps = [_read(text.strip(" "), encoding)]
    if isinstance(encoding.format, FloatFormat):
        steps += float_steps(encoding, encoding.format, stored)
    elif isinstance(encoding.format, IntegerFormat | BooleanFormat):
        steps += integer_steps(encoding, encoding.format, stored)
    return tuple(steps)


def tell_code(decoded: Decoded) -> tuple[Step, ...]:
    """What each part of a code means."""
    if isinstance(decoded.format, FloatFormat):
        return tuple(code_steps(decoded, decoded.format))
    if isinstance(decoded.format, IntegerFormat):
        return tuple(weight_steps(decoded, decoded.format))
    if not isinstance(decoded.format, BooleanFormat):
        return ()
    return (Step("code.bool", {"bit": decoded.code, "value": value_text(decoded)}),)


def _read(text: str, encoding: Encoding) -> Step:
    number = encoding.number
    if isinstance(number, NaN):
        return Step("read.nan", {"text": shortened(text)})
    if len(text) > LONGEST_READ:
        return Step("read.exact", {"text": shortened(text)})
    meaning = number_text(number)
    if _bare(meaning) == _bare(text) or len(meaning) > len(text) + 40:
        return Step("read.exact", {"text": shortened(text)})
    return Step("read.value", {"text": shortened(text), "value": shortened(meaning)})


def _bare(text: str) -> str:
    """Without signs that change nothing, so that 1E9 is not said to mean 1e+9."""
    return text.lstrip("+-").lower().replace("e+", "e").replace("infinity", "inf")

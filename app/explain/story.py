"""The steps by which a number became a code, or a code is read, in the order in which one would do them by hand."""

from collections.abc import Iterator

from app.exact import Decoded, Encoding, NaN, decode
from app.exact.text import number_text, value_text
from app.explain.code_story import code_steps
from app.explain.codebook_story import codebook_code_steps, codebook_steps
from app.explain.figures import shortened
from app.explain.float_story import float_steps
from app.explain.integer_story import integer_steps, weight_steps
from app.explain.steps import Step
from app.explain.tapered_story import tapered_code_steps, tapered_steps
from app.formats import BooleanFormat, CodebookFormat, FloatFormat, PositFormat, TakumFormat

LONGEST_READ = 100
"""Characters of a text up to which its meaning is spelled out where it looks different."""


def tell_encoding(text: str, encoding: Encoding) -> tuple[Step, ...]:
    """How the typed text became the code."""
    return _read(text.strip(" "), encoding), *_encoding_steps(encoding)


def _encoding_steps(encoding: Encoding) -> Iterator[Step]:
    stored = decode(encoding.code, encoding.format)
    match encoding.format:
        case FloatFormat() as number_format:
            return float_steps(encoding, number_format, stored)
        case PositFormat() | TakumFormat() as number_format:
            return tapered_steps(encoding, number_format, stored)
        case CodebookFormat() as number_format:
            return codebook_steps(encoding, number_format, stored)
        case number_format:
            return integer_steps(encoding, number_format, stored)


def tell_code(decoded: Decoded) -> tuple[Step, ...]:
    """What each part of a code means."""
    return tuple(_code_steps(decoded))


def _code_steps(decoded: Decoded) -> Iterator[Step]:
    match decoded.format:
        case FloatFormat() as number_format:
            return code_steps(decoded, number_format)
        case PositFormat() | TakumFormat() as number_format:
            return tapered_code_steps(decoded, number_format)
        case CodebookFormat() as number_format:
            return codebook_code_steps(decoded, number_format)
        case BooleanFormat():
            return iter((Step("code.bool", {"bit": decoded.code, "value": value_text(decoded)}),))
        case number_format:
            return weight_steps(decoded, number_format)


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

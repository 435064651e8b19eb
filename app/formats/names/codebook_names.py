"""A user's own codebook: `codebook:-1,-0.5,0,0.5`."""

import re
from decimal import Decimal
from fractions import Fraction

from app.errors import InvalidInput
from app.formats.codebooks import CodebookFormat
from app.formats.origin import Origin

PREFIX = "codebook:"
MOST_VALUES = 256
VALUE = re.compile(r"[+-]?(?:[0-9]{1,60}(?:\.[0-9]{0,60})?|\.[0-9]{1,60})(?:e[+-]?[0-9]{1,3})?", re.ASCII)
"""A plain decimal: names stay short, and stand in addresses as they are."""

ORIGIN = Origin(reference="defined by its name: the list of its values")


def named_codebook(text: str) -> CodebookFormat | None:
    """The codebook with the listed values; None for a name of another kind.

    Raises:
        InvalidInput: `format.codebook-value`, `format.codebook-size`, `format.codebook-twice`.
    """
    if not text.startswith(PREFIX):
        return None
    words = text.removeprefix(PREFIX).split(",")
    if not 2 <= len(words) <= MOST_VALUES:
        raise InvalidInput("format.codebook-size", count=len(words), most=MOST_VALUES)
    values: list[Fraction] = []
    for place, word in enumerate(words, 1):
        if not VALUE.fullmatch(word):
            raise InvalidInput("format.codebook-value", value=word[:40], place=place)
        value = Fraction(Decimal(word))
        if value in values and (value or values.count(value) > 1):
            raise InvalidInput("format.codebook-twice", value=word[:40], place=place)
        values.append(value)
    if len(set(values)) < 2:
        raise InvalidInput("format.codebook-size", count=len(set(values)), most=MOST_VALUES)
    return CodebookFormat(name=PREFIX + ",".join(map(_plain, values)), values=tuple(values), origin=ORIGIN)


def _plain(value: Fraction) -> str:
    """The shortest text that reads back as this finite decimal."""
    whole, exponent = value, 0
    while whole.denominator != 1:
        whole, exponent = whole * 10, exponent - 1
    while whole and whole.numerator % 10 == 0:
        whole, exponent = whole / 10, exponent + 1
    sign, digits = "-" if value < 0 else "", str(abs(whole.numerator))
    scientific = f"{digits}e{exponent}"
    if exponent >= 0:
        positional = digits + "0" * exponent
    else:
        padded = digits.rjust(1 - exponent, "0")
        positional = f"{padded[:exponent]}.{padded[exponent:]}"
    return sign + (positional if len(positional) <= len(scientific) + 4 else scientific)

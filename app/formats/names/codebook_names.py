"""A user's own codebook: `codebook:-1,-0.5,0,0.5`."""

import re
from decimal import Context, Decimal
from fractions import Fraction

from app.errors import InvalidInput
from app.formats.codebooks import CodebookFormat
from app.formats.origin import Origin

PREFIX = "codebook:"
MOST_VALUES = 256
VALUE = re.compile(r"[+-]?(?:[0-9]{1,60}(?:\.[0-9]{0,60})?|\.[0-9]{1,60})(?:e[+-]?[0-9]{1,3})?", re.ASCII)
"""A plain decimal: names stay short, and stand in addresses as they are."""

_DIGITS = Context(prec=128)
"""More than the 120 digits that a value can have."""

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
    texts: list[str] = []
    seen: set[Fraction] = set()
    has_minus_zero = False
    for place, word in enumerate(words, 1):
        if not VALUE.fullmatch(word):
            raise InvalidInput("format.codebook-value", value=word[:40], place=place)
        decimal = Decimal(word)
        value = Fraction(decimal)
        if value in seen and (value or has_minus_zero):
            raise InvalidInput("format.codebook-twice", value=word[:40], place=place)
        has_minus_zero = has_minus_zero or value in seen
        seen.add(value)
        values.append(value)
        texts.append(_plain(decimal))
    if len(seen) < 2:
        raise InvalidInput("format.codebook-size", count=len(seen), most=MOST_VALUES)
    return CodebookFormat(name=PREFIX + ",".join(texts), values=tuple(values), origin=ORIGIN)


def _plain(value: Decimal) -> str:
    """The shortest text that reads back as this finite decimal; zero has no sign."""
    is_negative, figures, exponent = value.normalize(_DIGITS).as_tuple()
    assert isinstance(exponent, int), "finite"
    sign, digits = "-" if is_negative and value else "", "".join(map(str, figures))
    scientific = f"{digits}e{exponent}"
    if exponent >= 0:
        positional = digits + "0" * exponent
    else:
        padded = digits.rjust(1 - exponent, "0")
        positional = f"{padded[:exponent]}.{padded[exponent:]}"
    return sign + (positional if len(positional) <= len(scientific) + 4 else scientific)

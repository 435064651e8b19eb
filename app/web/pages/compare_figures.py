"""Figures of the Compare page, rounded for reading: a sign says where they are."""

import re
from dataclasses import dataclass
from fractions import Fraction

from app.exact.text import rounded_text
from app.web.typography import approximately

MOST_COUNTED = 10**13
ROUNDABLE = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]{1,17}|/[0-9]+)?", re.ASCII)
"""What `decimal` can divide: a fraction, or a decimal whose exponent is within its limits."""
LONGEST_KEPT = 24


@dataclass(frozen=True, slots=True)
class Approximate:
    """A figure rounded for reading."""

    text: str
    is_rounded: bool


def near(text: str) -> Approximate:
    """An exact text to four digits. Those of numbers far away stay as they are, but for the middle of long ones."""
    if ROUNDABLE.fullmatch(text) is None:
        kept = text if len(text) <= LONGEST_KEPT else f"{text[: LONGEST_KEPT - 8]}…{text[-7:]}"
        return Approximate(kept, is_rounded=False)
    short = approximately(text, 4)
    return Approximate(short, is_rounded="/" in text or short != approximately(text, 40))


def counted(count: int) -> Approximate:
    """A count in full, unless it is longer than anyone reads."""
    return rounded(Fraction(count)) if count >= MOST_COUNTED else Approximate(str(count), is_rounded=False)


def rounded(value: Fraction) -> Approximate:
    """A number to five digits, whatever its size."""
    sign = "-" if value < 0 else ""
    text = approximately(rounded_text(abs(value.numerator), value.denominator), 5)
    return Approximate(sign + text, is_rounded=not _reads_back(text, abs(value)))


def _reads_back(text: str, value: Fraction) -> bool:
    """Whether the text is this very number; long and far away ones are rounded in any case, and never written out."""
    exponent = int(text.partition("e")[2] or 0)
    return len(text) <= 40 and abs(exponent) < 400 and Fraction(text) == value

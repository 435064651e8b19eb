"""How numbers stand in sentences: short enough to be read, and marked where something was left out."""

from fractions import Fraction

from app.exact.text import exact_text, rounded_text
from app.formats import FloatFormat

_LONGEST = 60


def shortened(text: str) -> str:
    """The text, or its two ends with an ellipsis between."""
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 20]}…{text[-19:]}"


def short_value(value: Fraction) -> str:
    """An exact decimal if it is short, else 17 digits after a sign for "about"."""
    text = exact_text(value)
    if len(text) <= _LONGEST:
        return text
    return f"≈ {'-' if value < 0 else ''}{rounded_text(abs(value.numerator), value.denominator)}"


def with_point(significand: int, number_format: FloatFormat) -> str:
    """A significand of `precision` bits as binary digits, the point after the first."""
    digits = f"{significand:0{number_format.precision}b}"
    return f"{digits[0]}.{digits[1:]}" if number_format.mantissa_bits else digits

"""What a tensor cannot be put into, or read from: one sentence each, with how many elements it is about."""

from torch import Tensor

from app.errors import InvalidInput
from app.formats import FloatFormat, Format

WIDEST = 64
"""Bits of the widest code that a tensor holds."""


def refuse_any(is_wrong: Tensor, code: str, number_format: Format) -> None:
    """Refuse the tensor if anything in it is wrong, and say how many are.

    Raises:
        InvalidInput: `code`, with the format and the count.
    """
    count = int(is_wrong.sum())
    if count:
        raise InvalidInput(code, format=number_format.name, count=count)


def refuse_wide(number_format: Format) -> None:
    """Refuse formats whose codes no tensor holds.

    Raises:
        InvalidInput: `codec.too-wide`, for float80, float128, int128 and the like.
    """
    if number_format.width > WIDEST:
        raise InvalidInput("codec.too-wide", format=number_format.name, width=number_format.width, widest=WIDEST)
    # The invalid codes of x87 are those of 80 bits; no name spells a narrower one.
    assert not (isinstance(number_format, FloatFormat) and number_format.has_explicit_integer_bit)

"""A number into a format: the one rounding, from the exact number straight to the code."""

from app.exact.encode_codebook import encode_codebook
from app.exact.encode_float import encode_float
from app.exact.encode_integer import encode_bool, encode_whole
from app.exact.encode_tapered import encode_tapered
from app.exact.encoding import Encoding
from app.exact.number import Number
from app.exact.rounding import find_overflow, find_rounding
from app.formats import (
    BooleanFormat,
    CodebookFormat,
    FixedPointFormat,
    FloatFormat,
    Format,
    IntegerFormat,
    PositFormat,
    TakumFormat,
)


def encode(
    number: Number, number_format: Format, rounding: str = "nearest_even", overflow: str | None = None
) -> Encoding:
    """The code of the number in the format.

    Raises:
        InvalidInput: an unknown mode, one that the format does not have, or a number that it cannot hold at all
            (NaN in an integer).
    """
    mode, limit = find_rounding(rounding), find_overflow(overflow, number_format)
    match number_format:
        case FloatFormat():
            return encode_float(number, number_format, mode, limit)
        case IntegerFormat() | FixedPointFormat():
            return encode_whole(number, number_format, mode, limit)
        case PositFormat() | TakumFormat():
            return encode_tapered(number, number_format, mode, limit)
        case CodebookFormat():
            return encode_codebook(number, number_format, mode, limit)
        case BooleanFormat():
            return encode_bool(number, number_format, mode, limit)

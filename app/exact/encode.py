"""A number into a format: the one rounding, from the exact number straight to the code."""

from app.exact.encode_float import encode_float
from app.exact.encode_integer import encode_bool, encode_integer
from app.exact.encoding import Encoding
from app.exact.number import Number
from app.exact.rounding import find_overflow, find_rounding
from app.formats import FloatFormat, Format, IntegerFormat


def encode(
    number: Number, number_format: Format, rounding: str = "nearest_even", overflow: str | None = None
) -> Encoding:
    """The code of the number in the format.

    Raises:
        InvalidInput: an unknown mode, one that the format does not have, or a number that it cannot hold at all
            (NaN in an integer).
    """
    mode, limit = find_rounding(rounding), find_overflow(overflow, number_format)
    if isinstance(number_format, FloatFormat):
        return encode_float(number, number_format, mode, limit)
    if isinstance(number_format, IntegerFormat):
        return encode_integer(number, number_format, mode, limit)
    return encode_bool(number, number_format, mode, limit)

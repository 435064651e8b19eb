"""The short way from a plain decimal to a float's code, in integers: exactly what `encode(parse(text))` gives.

It takes decimals of a few digits that lie among the format's finite numbers, and leaves all others to the long way.
"""

import re
from collections.abc import Callable

from app.exact.rounding import Rounding, rounds_up, tail_of
from app.formats import FloatFormat, Format

PLAIN = re.compile(r"([+-]?)([0-9]{1,40})(?:\.([0-9]{0,40}))?(?:[eE]([+-]?[0-9]{1,3}))?", re.ASCII)

PlainEncoder = Callable[[str], int | None]


def plain_encoder(number_format: Format, rounding: Rounding) -> PlainEncoder:
    """The function from text to code; None for what the long way must answer."""
    if not isinstance(number_format, FloatFormat) or not number_format.signed or not number_format.has_subnormals:
        return _nothing
    return _float_encoder(number_format, rounding)


def _nothing(_text: str) -> None:
    return None


def _float_encoder(number_format: FloatFormat, rounding: Rounding) -> PlainEncoder:
    smallest, mantissa_bits = number_format.min_exponent, number_format.mantissa_bits
    largest, bias, code_of = number_format.max_magnitude, number_format.bias, number_format.code_of
    powers = [5**power for power in range(1100)]
    match_plain, to_even = PLAIN.fullmatch, rounding is Rounding.NEAREST_EVEN

    def encode_plain(text: str) -> int | None:
        match = match_plain(text)
        if match is None:
            return None
        sign, whole, fraction, power = match.groups()
        numerator = int(whole + fraction) if fraction else int(whole)
        if numerator == 0:
            return None
        tens = (int(power) if power else 0) - (len(fraction) if fraction else 0)
        # 10^tens = 5^tens * 2^tens: the fives are multiplied out, the twos only shift.
        denominator = 1
        if tens >= 0:
            numerator *= powers[tens]
        else:
            denominator = powers[-tens]
        exponent = numerator.bit_length() - denominator.bit_length()
        if (numerator < denominator << exponent) if exponent >= 0 else (numerator << -exponent < denominator):
            exponent -= 1
        exponent += tens
        quantum = max(exponent, smallest) - mantissa_bits - tens
        if quantum >= 0:
            denominator <<= quantum
        else:
            numerator <<= -quantum
        kept, remainder = divmod(numerator, denominator)
        magnitude = kept + ((exponent + bias - 1) << mantissa_bits) if exponent >= smallest else kept
        if remainder:
            if to_even:
                doubled = remainder << 1
                magnitude += doubled > denominator or (doubled == denominator and magnitude & 1)
            else:
                tail = tail_of(remainder, denominator)
                magnitude += rounds_up(rounding, tail, is_odd=bool(magnitude & 1), negative=sign == "-")
        if not 0 < magnitude <= largest:
            return None
        return code_of(magnitude, negative=sign == "-")

    return encode_plain

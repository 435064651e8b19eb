"""The short way between a plain decimal and a float's code, in integers: exactly what the long way gives.

It takes decimals of a few digits that lie among the format's finite numbers, and leaves all others to
`encode(parse(text))` and `value_text(decode(code))`.
"""

import re
from collections.abc import Callable

from app.exact.rounding import Rounding, rounds_up, tail_of
from app.exact.text import LONGEST_POSITIONAL
from app.formats import FloatFormat, Format

PLAIN = re.compile(r"([+-]?)([0-9]{1,40})(?:\.([0-9]{0,40}))?(?:[eE]([+-]?[0-9]{1,3}))?", re.ASCII)

FARTHEST = 1100
"""Powers of two up to which the digits of a float are worked out here: beyond those of float64."""

PlainDecoder = Callable[[int], str | None]
PlainEncoder = Callable[[str], int | None]


def plain_encoder(number_format: Format, rounding: Rounding) -> PlainEncoder:
    """The function from text to code; None for what the long way must answer."""
    if not isinstance(number_format, FloatFormat) or not number_format.signed or not number_format.has_subnormals:
        return _nothing
    return _float_encoder(number_format, rounding)


def plain_decoder(number_format: Format) -> PlainDecoder:
    """The function from code to exact decimal; None for what the long way must answer."""
    if not isinstance(number_format, FloatFormat) or not number_format.has_subnormals:
        return _nothing
    if number_format.has_explicit_integer_bit:
        return _nothing
    mantissa_bits, largest, mask = (
        number_format.mantissa_bits,
        number_format.max_magnitude,
        number_format.magnitude_mask,
    )
    lowest, hidden = number_format.min_exponent - mantissa_bits, 1 << mantissa_bits
    powers = [5**power for power in range(FARTHEST + 1)]

    def decode_plain(code: int) -> str | None:
        magnitude = code & mask
        if not 0 < magnitude <= largest:
            return None
        field, significand = magnitude >> mantissa_bits, magnitude & (hidden - 1)
        power = lowest
        if field:
            significand, power = significand | hidden, lowest + field - 1
        # Twos that cancel would only be zeros at the end.
        twos = min((significand & -significand).bit_length() - 1, -power)
        if twos > 0:
            significand, power = significand >> twos, power + twos
        if not -FARTHEST <= power <= FARTHEST:
            return None
        text = str(significand << power if power >= 0 else significand * powers[-power])
        if power < 0:
            text = text.rjust(1 - power, "0")
            text = f"{text[:power]}.{text[power:]}"
        if code > mask:
            text = f"-{text}"
        return text if len(text) <= LONGEST_POSITIONAL else None

    return decode_plain


def _nothing(_question: object) -> None:
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

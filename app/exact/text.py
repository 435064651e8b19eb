"""Exact numbers as text: decimals, fractions, hex floats, and figures to 17 digits.

Long integers become digits through `decimal.Decimal`, which has none of the limits that `int` and `str` share.
"""

from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, Inexact
from fractions import Fraction
from functools import lru_cache

from app.exact.decode import Decoded, Kind, decode, float_parts, to_number
from app.exact.number import Finite, Infinity, NaN, Number
from app.formats import FloatFormat, Format

LONGEST_POSITIONAL = 1200
"""Characters up to which a decimal is written without an exponent: room for every float64."""
LONGEST_DECIMAL = 4096
"""Characters up to which a number's own text, with its sign, is a decimal: more are not read back."""
FIGURES = 17


def value_text(decoded: Decoded) -> str:
    """The stored number: a finite decimal (`-0` keeps its sign), `inf`, `-inf`, or `nan` for all that is no number."""
    if decoded.value is None:
        if decoded.kind is not Kind.INFINITY:
            return "nan"
        return "-inf" if decoded.negative else "inf"
    text = exact_text(abs(decoded.value))
    return f"-{text}" if decoded.negative else text


def code_text(code: int, number_format: Format) -> str:
    """The number that a code of the format stands for."""
    return value_text(decode(code, number_format))


def exact_text(value: Fraction) -> str:
    """A finite decimal where there is one, else `p/q`."""
    primes = _twos_and_fives(value.denominator)
    if primes is None:
        return fraction_text(value)
    places = max(primes)
    sign = "-" if value < 0 else ""
    digits = _scaled_digits(abs(value.numerator), *primes)
    positional = max(len(digits), places + 1) + (places > 0) + len(sign)
    if positional > LONGEST_POSITIONAL:
        return sign + _scientific(digits, len(digits) - 1 - places)
    if places == 0:
        return sign + digits
    digits = digits.rjust(places + 1, "0")
    return f"{sign}{digits[:-places]}.{digits[-places:]}"


def fraction_text(value: Fraction) -> str:
    """`p/q` in lowest terms, or `p` for a whole number."""
    sign, numerator = ("-" if value < 0 else ""), _digits(abs(value.numerator))
    return sign + numerator if value.denominator == 1 else f"{sign}{numerator}/{_digits(value.denominator)}"


def hexfloat_text(decoded: Decoded) -> str | None:
    """A float in C's notation, subnormals with a leading 0 like `float.hex`; None for what is no finite float."""
    number_format = decoded.format
    if decoded.value is None or not isinstance(number_format, FloatFormat):
        return None
    sign, mantissa_bits = ("-" if decoded.negative else ""), number_format.mantissa_bits
    if decoded.kind is Kind.ZERO:
        return f"{sign}0x0p+0"
    parts = float_parts(decoded, number_format)
    nibbles = -(-mantissa_bits // 4)
    fraction = f"{parts.mantissa << (4 * nibbles - mantissa_bits):0{nibbles}x}".rstrip("0") if parts.mantissa else ""
    return f"{sign}0x{parts.significand >> mantissa_bits}{'.' if fraction else ''}{fraction}p{parts.exponent:+d}"


def number_text(number: Number) -> str:
    """A text that reads back as the same number, whatever its size: payloads and unexpanded powers included."""
    sign = "-" if number.negative else ""
    match number:
        case Infinity():
            return f"{sign}inf"
        case NaN(payload=payload, signalling=signalling):
            return f"{sign}{'snan' if signalling else 'nan'}{'' if payload is None else f'({payload:#x})'}"
        case Finite() if number.is_zero:
            return f"{sign}0"
        case Finite(denominator=1, exponent2=0, exponent10=exponent) if exponent and number.is_far_away:
            digits = _digits(number.numerator)
            return sign + _scientific(digits, len(digits) - 1 + exponent)
        case Finite(denominator=1, exponent10=0, exponent2=exponent) if exponent and number.is_far_away:
            return f"{sign}{number.numerator:#x}p{_signed(exponent)}"
        case Finite() if not number.is_expandable:
            ratio = _digits(number.numerator)
            ratio += "" if number.denominator == 1 else f"/{_digits(number.denominator)}"
            powers = ((10, number.exponent10), (2, number.exponent2))
            return sign + ratio + "".join(f"*{base}^{_digits(power)}" for base, power in powers if power)
        case _:
            return sign + _expanded_text(number.ratio())


@lru_cache(maxsize=8)
def _expanded_text(ratio: tuple[int, int]) -> str:
    """Kept, because a number far away is its own error in every format that it is compared in."""
    value = Fraction(*ratio)
    text = exact_text(value)
    return text if len(text) < LONGEST_DECIMAL else _binary_text(value) or text


def _binary_text(value: Fraction) -> str | None:
    """A hex float; None where there is none."""
    numerator, denominator = value.as_integer_ratio()
    if denominator & (denominator - 1):
        return None
    zeros = (numerator & -numerator).bit_length() - 1
    return f"{numerator >> zeros:#x}p{zeros + 1 - denominator.bit_length():+d}"


def stored_text(decoded: Decoded) -> str:
    """The text that puts exactly this code back: `value_text`, a NaN with its payload, a hex float if too long."""
    return number_text(to_number(decoded))


def rounded_text(numerator: int, denominator: int) -> str:
    """A non-negative ratio to 17 significant digits, nearest-even, without the zeros behind.

    Positional near 1, else scientific. The ratio need not be in lowest terms: reducing long ones takes longest of all.
    """
    if numerator == 0:
        return "0"
    exponent = _floor_log10(numerator, denominator)
    numerator, denominator = _scaled(numerator, denominator, FIGURES - 1 - exponent)
    digits, remainder = divmod(numerator, denominator)
    digits += 2 * remainder > denominator or (2 * remainder == denominator and digits % 2)
    if digits == 10**FIGURES:
        digits, exponent = digits // 10, exponent + 1
    text = str(digits).rstrip("0")
    if not -5 <= exponent < FIGURES:
        return _scientific(text, exponent)
    if exponent < 0:
        return f"0.{'0' * (-exponent - 1)}{text}"
    text = text.ljust(exponent + 1, "0")
    whole, rest = text[: exponent + 1], text[exponent + 1 :]
    return f"{whole}.{rest}" if rest else whole


def _twos_and_fives(denominator: int) -> tuple[int, int] | None:
    """How often 2 and 5 divide it; None where other primes do, so that the decimal does not end."""
    twos = (denominator & -denominator).bit_length() - 1
    odd, fives = denominator >> twos, 0
    if odd % 5:
        return (twos, 0) if odd == 1 else None
    # Casting out 5^(2^k) from the top down takes few divisions, however long the number is.
    powers = [5]
    while powers[-1].bit_length() * 2 <= odd.bit_length() + 2:
        powers.append(powers[-1] ** 2)
    for step in range(len(powers) - 1, -1, -1):
        quotient, remainder = divmod(odd, powers[step])
        while remainder == 0:
            odd, fives = quotient, fives + (1 << step)
            quotient, remainder = divmod(odd, powers[step])
    return (twos, fives) if odd == 1 else None


def _scaled_digits(numerator: int, twos: int, fives: int) -> str:
    """The digits of numerator / (2^twos * 5^fives) in units of its last decimal place.

    Multiplied in decimal, where long powers are cheap and nothing has to be converted that is not short: 2^-32767 has
    22,903 digits.
    """
    zeros = (numerator & -numerator).bit_length() - 1 if numerator else 0
    places = max(twos, fives)
    length = numerator.bit_length() // 3 + places + 2
    exact = Context(prec=length, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[Inexact])
    digits = Decimal(numerator >> zeros)
    for prime, exponent in ((2, zeros + places - twos), (5, places - fives)):
        digits = exact.multiply(digits, _power(prime, exponent))
    return f"{digits:f}"


@lru_cache(maxsize=512)
def _power(prime: int, exponent: int) -> Decimal:
    """A table of one format's numbers asks for the same few powers again and again."""
    exact = Context(prec=exponent + 1, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[Inexact])
    return exact.power(Decimal(prime), Decimal(exponent))


def _floor_log10(numerator: int, denominator: int) -> int:
    # From the bit lengths the exponent is known to one or two, and then corrected.
    exponent = (numerator.bit_length() - denominator.bit_length() + 1) * 30103 // 100000 + 1
    while True:
        scaled, unit = _scaled(numerator, denominator, -exponent)
        if scaled >= unit:
            return exponent
        exponent -= 1


def _scaled(numerator: int, denominator: int, exponent: int) -> tuple[int, int]:
    """The ratio times 10^exponent."""
    if exponent >= 0:
        return numerator * 10**exponent, denominator
    return numerator, denominator * 10**-exponent


def _digits(value: int) -> str:
    return f"{Decimal(value):f}"


def _signed(exponent: int) -> str:
    return f"{'-' if exponent < 0 else '+'}{_digits(abs(exponent))}"


def _scientific(digits: str, exponent: int) -> str:
    digits = digits[0] + digits[1:].rstrip("0")
    return f"{digits[0]}{'.' if digits[1:] else ''}{digits[1:]}e{_signed(exponent)}"

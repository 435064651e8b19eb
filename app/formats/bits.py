"""Arithmetic on codes and powers of two that every kind of format shares."""

from fractions import Fraction
from typing import Protocol

WIDEST = 128
"""Bits of the widest code."""
REACH = 33_000
"""No format has a number beyond 2^+-REACH: IEEE P3109's widest format ends near 2^32767."""


class HasWidth(Protocol):
    """Anything with codes of a fixed number of bits."""

    @property
    def width(self) -> int: ...


def power_of_two(exponent: int) -> Fraction:
    """2^exponent, exactly."""
    return Fraction(1 << exponent) if exponent >= 0 else Fraction(1, 1 << -exponent)


def floor_log2(numerator: int, denominator: int) -> int:
    """The exponent e with 2^e <= numerator/denominator < 2^(e + 1), of a positive ratio."""
    exponent = numerator.bit_length() - denominator.bit_length()
    is_below = numerator < denominator << exponent if exponent >= 0 else numerator << -exponent < denominator
    return exponent - is_below


def code_mask(number_format: HasWidth) -> int:
    """The largest code: all bits set."""
    return (1 << number_format.width) - 1


def hex_digits(number_format: HasWidth) -> int:
    """How many hexadecimal digits a code of this format is written with."""
    return -(-number_format.width // 4)


def signed(code: int, width: int) -> int:
    """A code read as a two's-complement integer."""
    return code - (1 << width) if code >> (width - 1) else code

"""Logarithms of exact numbers, for places on charts: a float, since that is what a screen needs."""

import math
from fractions import Fraction


def log2(number: Fraction) -> float:
    """Of a positive number of any size, also where the number itself is too large or small for a float."""
    return math.log2(number.numerator) - math.log2(number.denominator)

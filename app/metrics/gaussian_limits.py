"""How small the squared error of Gaussian numbers can be at so many bits: the bound, and two kinds of quantizer."""

import math
from itertools import pairwise

DECIBELS_A_BIT = 20 * math.log10(2)
LLOYD_MAX = (0.0, 4.396387, 9.300292, 14.615801, 20.222303, 26.012498, 31.909525, 37.865401, 43.852601)
"""SQNR in dB of the best 2^b levels for a Gaussian, b = 0 to 8 (Lloyd 1957, Max 1960; solved anew in float64)."""
_UNIFORM_RATES = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 2.5)
_UNIFORM = (0.0, 1.026777, 2.094779, 3.270309, 4.579984, 7.503049, 10.508969, 13.518658)
_UNIFORM_GAP = 10 * math.log10(math.pi * math.e / 6)
"""What equal steps lose to the bound at high rates, however well their codes are compressed."""


def bound_sqnr(bits: float) -> float:
    """Shannon's rate-distortion bound in dB: no way of coding Gaussian numbers gets closer."""
    return DECIBELS_A_BIT * bits


def entropy_coded_sqnr(bits: float) -> float:
    """Equal steps, each code as long as its entropy, in dB (Gish and Pierce 1968); levels are the bins' means."""
    for (rate, sqnr), (next_rate, next_sqnr) in pairwise(zip(_UNIFORM_RATES, _UNIFORM, strict=True)):
        if bits <= next_rate:
            return sqnr + (next_sqnr - sqnr) * (bits - rate) / (next_rate - rate)
    return DECIBELS_A_BIT * bits - _UNIFORM_GAP

"""The random bits of stochastic rounding: a function of a seed and an element's place, and of nothing else.

`mix64` is the finaliser of SplitMix64 (Steele, Lea and Flood, Fast Splittable Pseudorandom Number Generators, 2014;
Stafford's variant 13), modulo 2^64. The 32 bits of an element are those of its place hashed, modulo 2^32, by the three
factors of triple32 (Wellons, Hash Prospector, 2018), with the key put in on the way. `>>` fills with zeros.

    key(seed, i) = mix64(mix64(seed + G) + ((i >> 32) + 1) * G),  G = 0x9E3779B97F4A7C15
    x = ((i mod 2^32) ^ low half of key) * 0xED5AD4BB
    x = (x ^ x >> 15) * 0xAC4C1B51 + high half of key
    bits(seed, i) = (x ^ x >> 14) * 0x31848BAB

So the work for an element is all in 32 bits, of which a processor handles twice as many at once, and 2^32 places have
one key. Shares are compared from the top bit down, and there a product is mixed best: nothing needs to follow it.

A number between two neighbours becomes the one of larger magnitude if its bits are below floor(share * 2^32), `share`
being the part of the way that lies behind it: the probability is the share, rounded down to a multiple of 2^-32. Of
the share of a float of up to 16 bits count the first 30 less those of its mantissa (`share_bits`), which is all that
there is of a normal float32: a significand of 24 bits and 7 more of the share fit one lane.
"""

import torch
from torch import Tensor

from app.formats import FloatFormat, Format

GOLDEN = 0x9E3779B97F4A7C15
FACTORS = (0xED5AD4BB, 0xAC4C1B51, 0x31848BAB)
BITS = 32
"""How many random bits an element gets."""

_HALF = (1 << 32) - 1
_WORD = (1 << 64) - 1


def random_bits(seed: int, start: int, count: int, device: torch.device | str = "cpu") -> Tensor:
    """`count` integers from [0, 2^32) as int64, those of the places `start`, `start` + 1, ...

    The same on every machine, and whatever chunks a tensor is rounded in. Seeds are taken modulo 2^64.
    """
    parts: list[Tensor] = []
    end = start + count
    while start < end or not parts:
        here = min(end, ((start >> 32) + 1) << 32)
        low, high = halves_of_key(seed, start)
        place = torch.arange(start, here, dtype=torch.int64, device=device) & _HALF
        parts.append(_hash(place, low, high))
        start = here
    return parts[0] if len(parts) == 1 else torch.cat(parts)


def share_bits(number_format: Format) -> int:
    """How many bits of a share decide."""
    if isinstance(number_format, FloatFormat) and number_format.width <= 16:
        return BITS - 2 - number_format.mantissa_bits
    return BITS


def halves_of_key(seed: int, place: int) -> tuple[int, int]:
    """The low and the high half of the key of all places that share their bits from 2^32 up with `place`."""
    key = _mix64((_mix64((seed + GOLDEN) & _WORD) + ((place >> 32) + 1) * GOLDEN) & _WORD)
    return key & _HALF, key >> 32


def _hash(place: Tensor, low: int, high: int) -> Tensor:
    # Products pass 2^63 and wrap: their last 32 bits are right all the same.
    first, second, third = FACTORS
    x = ((place ^ low) * first) & _HALF
    x = ((x ^ (x >> 15)) * second + high) & _HALF
    return ((x ^ (x >> 14)) * third) & _HALF


def _mix64(z: int) -> int:
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & _WORD
    z = (z ^ z >> 27) * 0x94D049BB133111EB & _WORD
    return z ^ z >> 31

"""The random bits of stochastic rounding: a function of a seed and an element's place, and of nothing else.

`mix64` is the finaliser of SplitMix64 (Steele, Lea and Flood, Fast Splittable Pseudorandom Number Generators, 2014;
Stafford's variant 13), modulo 2^64; `mix32` is a finaliser of the same build for 32 bits (Wellons, Hash Prospector,
2018, lowbias32), modulo 2^32. `>>` fills with zeros.

    mix32(x):  x = (x ^ x >> 16) * 0x7FEB352D;  x = (x ^ x >> 15) * 0x846CA68B;  return x ^ x >> 16
    key(seed, i) = mix64(mix64(seed + G) + ((i >> 32) + 1) * G),  G = 0x9E3779B97F4A7C15
    bits(seed, i) = mix32(mix32((i mod 2^32) ^ low half of key) + high half of key)

So the work for an element is all in 32 bits, of which a processor handles twice as many at once, and 2^32 places have
one key. A number between two neighbours becomes the one of larger magnitude if its bits are below floor(share * 2^32),
`share` being the part of the way that lies behind it: the probability is the share, rounded down to a multiple of
2^-32.
"""

import torch
from torch import Tensor

GOLDEN = 0x9E3779B97F4A7C15
FIRST_FACTOR = 0x7FEB352D
SECOND_FACTOR = 0x846CA68B
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
        parts.append(_mix32((_mix32(place ^ low) + high) & _HALF))
        start = here
    return parts[0] if len(parts) == 1 else torch.cat(parts)


def halves_of_key(seed: int, place: int) -> tuple[int, int]:
    """The low and the high half of the key of all places that share their bits from 2^32 up with `place`."""
    key = _mix64((_mix64((seed + GOLDEN) & _WORD) + ((place >> 32) + 1) * GOLDEN) & _WORD)
    return key & _HALF, key >> 32


def _mix32(x: Tensor) -> Tensor:
    # Products pass 2^63 and wrap: their last 32 bits are right all the same.
    x = ((x ^ (x >> 16)) * FIRST_FACTOR) & _HALF
    x = ((x ^ (x >> 15)) * SECOND_FACTOR) & _HALF
    return x ^ (x >> 16)


def _mix64(z: int) -> int:
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & _WORD
    z = (z ^ z >> 27) * 0x94D049BB133111EB & _WORD
    return z ^ z >> 31

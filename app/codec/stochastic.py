"""The random bits of stochastic rounding: a function of a seed and an element's place, and of nothing else.

With all arithmetic modulo 2^64 and `>>` filling with zeros, `mix` being the finaliser of SplitMix64 (Steele, Lea and
Flood, Fast Splittable Pseudorandom Number Generators, 2014; Stafford's variant 13):

    mix(z):  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;  z = (z ^ z >> 27) * 0x94D049BB133111EB;  return z ^ z >> 31
    bits(seed, i) = mix(mix(seed + G) + (i + 1) * G) >> 32,  G = 0x9E3779B97F4A7C15

A number between two neighbours becomes the one of larger magnitude if its bits are below floor(share * 2^32), `share`
being the part of the way that lies behind it: the probability is the share, rounded down to a multiple of 2^-32.
"""

import torch
from torch import Tensor

GOLDEN = 0x9E3779B97F4A7C15
FIRST_FACTOR = 0xBF58476D1CE4E5B9
SECOND_FACTOR = 0x94D049BB133111EB
BITS = 32
"""How many random bits an element gets."""

_WORD = (1 << 64) - 1


def random_bits(seed: int, start: int, count: int, device: torch.device | str = "cpu") -> Tensor:
    """`count` integers from [0, 2^32) as int64, those of the places `start`, `start` + 1, ...

    The same on every machine, and whatever chunks a tensor is rounded in. Seeds are taken modulo 2^64.
    """
    place = torch.arange(start + 1, start + count + 1, dtype=torch.int64, device=device)
    mixed = _mix(place * _signed(GOLDEN) + _signed(stream_of(seed)))
    return (mixed >> BITS) & ((1 << BITS) - 1)


def stream_of(seed: int) -> int:
    """mix(seed + G), an unsigned 64-bit number: seeds that are neighbours give streams that have nothing in common."""
    z = (seed + GOLDEN) & _WORD
    z = (z ^ z >> 30) * FIRST_FACTOR & _WORD
    z = (z ^ z >> 27) * SECOND_FACTOR & _WORD
    return z ^ z >> 31


def _mix(z: Tensor) -> Tensor:
    z = (z ^ ((z >> 30) & ((1 << 34) - 1))) * _signed(FIRST_FACTOR)
    z = (z ^ ((z >> 27) & ((1 << 37) - 1))) * _signed(SECOND_FACTOR)
    return z ^ ((z >> 31) & ((1 << 33) - 1))


def _signed(word: int) -> int:
    """The int64 of the same 64 bits; torch multiplies and adds int64 modulo 2^64."""
    return word - (1 << 64) if word >> 63 else word

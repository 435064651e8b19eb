"""What both searches for the scales of super-blocks share: a unit, halves that are never zero, sums in one order."""

import torch
from torch import Tensor

from app.schemes.scheme import Choices, ScaleRule

LARGEST_HALF, SMALLEST_HALF = 65504.0, 2.0**-24
_SMALLEST_EXPONENT, _LARGEST_EXPONENT = -40, 40
NEVER = 3.0e38
"""An error that any other is below."""


def block_units(blocks: Tensor) -> Tensor:
    """The power of two at or below the largest magnitude of each super-block `[blocks, sub-blocks, elements]`.

    Divided by it, squares neither overflow nor vanish. It stays within 2^-40 and 2^40: numbers below are zero to any
    layout, whose halves end at 2^-24, and numbers above are out of reach.
    """
    _, exponents = torch.frexp(blocks.abs().amax(dim=(1, 2)))
    exponents = (exponents - 1).clamp_(_SMALLEST_EXPONENT, _LARGEST_EXPONENT)
    return torch.ldexp(torch.ones_like(blocks[:, 0, 0]), exponents)


def stored_half(numbers: Tensor, units: Tensor) -> Tensor:
    """What a float16 can hold of each number, both in units; the smallest half instead of zero."""
    halves = (numbers * units).clamp(-LARGEST_HALF, LARGEST_HALF).to(torch.float16).to(torch.float32)
    return torch.where(halves == 0, SMALLEST_HALF, halves) / units


def total(values: Tensor) -> Tensor:
    """The sum over the last dimension, a power of two long: halves are added to each other, on all machines alike."""
    while values.shape[-1] > 1:
        half = values.shape[-1] // 2
        values = values[..., :half] + values[..., half:]
    return values[..., 0]


def in_units(blocks: Tensor, units: Tensor, choices: Choices) -> Tensor:
    """Sub-blocks in units, without what lies beyond the percentile of their magnitudes, where that is the rule."""
    values = (blocks / units[:, None, None]).clamp_(-2, 2)
    if choices.scale is not ScaleRule.PERCENTILE:
        return values
    share = min(max(choices.percentile / 100, 0.0), 1.0)
    reach = torch.quantile(values.abs(), share, dim=2, keepdim=True, interpolation="higher")
    return values.clamp(-reach, reach)

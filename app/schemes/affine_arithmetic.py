"""What affine integers share: rounding of scales and minima, the ends of blocks, ordered sums."""

import torch
from torch import Tensor

from app.schemes.scale_formats import ScaleFormat
from app.schemes.scheme import Choices, ScaleRule


def last_integer(bits: int) -> int:
    """The largest; the first is 0."""
    return (1 << bits) - 1


def nearest_minimum(minimum_format: ScaleFormat, minima: Tensor) -> Tensor:
    """The storable number nearest to each, zero and negative ones too, as float32; saturating, and never -0."""
    largest = minimum_format.largest
    return minima.clamp(-largest, largest).to(torch.float32).to(minimum_format.dtype).to(torch.float32) + 0.0


def minimum_below(minimum_format: ScaleFormat, minima: Tensor) -> Tensor:
    """The largest storable number at or below each; the nearest where there is none."""
    nearest = nearest_minimum(minimum_format, minima)
    stored = nearest.to(minimum_format.dtype)
    lower = torch.nextafter(stored, torch.full_like(stored, -torch.inf)).to(torch.float32)
    return torch.where((nearest > minima) & lower.isfinite(), lower, nearest)


def nearest_scale(scale_format: ScaleFormat, scales: Tensor) -> Tensor:
    """The storable scale nearest to each float64, as float32; 1 for those that are not positive."""
    largest = torch.finfo(torch.float32).max
    return scale_format.nearest(torch.where(scales > 0, scales, 1.0).clamp(max=largest).to(torch.float32))


def block_ends(blocks: Tensor, choices: Choices) -> tuple[Tensor, Tensor]:
    """The numbers that the first and the last integer are to stand for: float64 `[blocks]` each; NaN is no element.

    The least and the largest, or percentiles from both ends: the elements at or next beyond them.
    """
    if choices.scale is not ScaleRule.PERCENTILE:
        low = blocks.nan_to_num(torch.inf).amin(dim=1)
        return low.to(torch.float64), blocks.nan_to_num(-torch.inf).amax(dim=1).to(torch.float64)
    ordered = blocks.sort(dim=1).values  # NaN comes last
    last = (~ordered.isnan()).sum(dim=1) - 1
    place = torch.ceil(last * (choices.percentile / 100)).to(torch.int64).clamp_(0)
    high, low = (ordered.gather(1, each[:, None])[:, 0] for each in (place, last - place))
    return torch.minimum(low, high).to(torch.float64), torch.maximum(low, high).to(torch.float64)

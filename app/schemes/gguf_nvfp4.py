"""NVFP4 in GGUF blocks: a scale in E4M3 for 16 numbers, and one for the whole tensor, which is stored beside it."""

from dataclasses import dataclass, replace
from math import frexp, ldexp

import torch
from torch import Tensor

from app.schemes.gguf_blocks import GgufBlockScheme
from app.schemes.scale_formats import ScaleFormat
from app.schemes.scheme import QuantizedTensor, Storage

TENSOR_SCALE = "scale"
"""ggml has it in a tensor of this name beside `weight`, and multiplies by it."""
_LARGEST_LEVEL = 6.0
_LEAST_EXPONENT = -126


@dataclass(frozen=True, slots=True)
class GgufNvfp4Scheme(GgufBlockScheme):
    """The tensor's scale is the power of two that brings the largest scale of a group to (224, 448].

    So every product is exact, whatever order a reader multiplies in, and the range of E4M3 is used to its end.
    """

    tensor_scale: float | None = None
    """For a band of a matrix: that of the whole."""

    def fitted_format(self, values: Tensor) -> ScaleFormat:
        """See `GgufBlockScheme`."""
        plain = self.scale_format
        if self.tensor_scale is not None:
            return replace(plain, divisor=1 / self.tensor_scale)
        mantissa, exponent = frexp(float(values.abs().max()) / (_LARGEST_LEVEL * plain.largest))
        exponent -= mantissa == 0.5
        unit = ldexp(1.0, max(exponent, _LEAST_EXPONENT)) if mantissa else 1.0
        return replace(plain, divisor=1 / unit)

    def assembled(self, blocks: Tensor, shape: tuple[int, int], scale_format: ScaleFormat) -> QuantizedTensor:
        """See `GgufBlockScheme`."""
        unit = torch.tensor([1 / scale_format.divisor], dtype=torch.float32, device=blocks.device)
        return QuantizedTensor(shape, blocks, others={TENSOR_SCALE: unit})

    def unit_of(self, stored: QuantizedTensor) -> Tensor | None:
        """See `GgufBlockScheme`."""
        return stored.others.get(TENSOR_SCALE)

    def storage(self, shape: tuple[int, int]) -> Storage:
        """See `Scheme`."""
        return replace(GgufBlockScheme.storage(self, shape), others=32)

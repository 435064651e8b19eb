"""Tensors to blocks that share a scale, and back: OCP MX and NVFP4, every scale and element rounded once."""

from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise

import torch
from torch import Tensor

from app.codec.decode import decode
from app.codec.encode_floats import encode_float
from app.codec.integers import encode_whole
from app.codec.rounding import Mode, Overflow, Rounding
from app.codec.significands import NOWHERE, take_apart
from app.codec.storage_types import narrow_codes, wide_codes
from app.codec.words import TOP_BIT, as_int64, is_above, shift_right
from app.errors import InvalidInput
from app.formats import BlockFormat, FloatFormat

_SATURATING = Mode(Rounding.NEAREST_EVEN, Overflow.SATURATE)


class ScaleRule(StrEnum):
    """How the largest magnitude of a block becomes a power of two; emax is the element's largest exponent."""

    FLOOR = "floor"
    """2^(floor(log2(amax)) - emax): MX 1.0, 6.3. The largest element may be clipped."""
    CEIL = "ceil"
    """2^(ceil(log2(amax)) - emax)."""
    RCEIL = "rceil"
    """The smallest power of two, not below amax / largest element: NVIDIA's, which clips nothing."""
    EVEN = "even"
    """As floor, of amax with its significand rounded (halves up) to the bits of the element."""


@dataclass(frozen=True, slots=True)
class BlockCodes:
    """A tensor of shape [..., n] in blocks along its last dimension, the last one perhaps not full."""

    scales: Tensor
    """Scale codes, [..., ceil(n / block_size)]."""
    elements: Tensor
    """Element codes, [..., n]."""
    tensor_scale: float | None
    """A number of the tensor scale's format; None where the format has none."""


def encode_blocks(
    values: Tensor, block_format: BlockFormat, scale_rule: str = "floor", tensor_scale: float | None = None
) -> BlockCodes:
    """The codes of floating-point values; elements beyond the largest saturate.

    `scale_rule` is for scales that are powers of two. NVFP4 has its own: amax / largest element / tensor scale, to the
    nearest E4M3, which may be as small as it gets (torchao stops at 2^-6); its tensor scale is the one given, rounded
    to float32, or else amax of the tensor / (448 * 6), or 1 for zeros. A block with NaN or infinity is NaN altogether
    (MX 1.0, 5.1): scale NaN, elements NaN where they can be, else 0. The scale of a block of zeros is the smallest.

    Raises:
        InvalidInput: `codec.scale-rule`; `block.tensor-scale`, `block.no-tensor-scale`.
    """
    if scale_rule not in set(ScaleRule):
        raise InvalidInput("codec.scale-rule", name=scale_rule[:40], known=", ".join(ScaleRule))
    count, size = values.shape[-1], block_format.block_size
    padded = torch.nn.functional.pad(values.to(torch.float64), (0, -count % size))
    padded = padded.view(*padded.shape[:-1], -(-count // size), size)
    is_finite = padded.isfinite()
    is_nan = ~is_finite.all(dim=-1)
    magnitudes = torch.where(is_finite, padded.abs(), 0.0)
    largest = magnitudes.amax(dim=-1)
    tensor = _tensor_scale(largest, block_format, tensor_scale)
    if tensor is None:
        scales = _powers(largest, block_format, ScaleRule(scale_rule))
        elements = _elements_of_powers(padded, scales, block_format)
    else:
        scales = _nearest(largest, float(block_format.element.max) * tensor, block_format.scale)
        factors = (decode(scales, block_format.scale) * tensor).unsqueeze(-1)
        elements = _elements_of_factors(padded, factors, block_format)
    scales = torch.where(is_nan, as_int64(block_format.scale.nan_code or 0), scales)
    elements = torch.where(is_nan.unsqueeze(-1), _nan_element(block_format), elements).flatten(-2)[..., :count]
    return BlockCodes(
        narrow_codes(scales, block_format.scale), narrow_codes(elements, block_format.element).contiguous(), tensor
    )


def decode_blocks(codes: BlockCodes, block_format: BlockFormat, dtype: torch.dtype = torch.float64) -> Tensor:
    """element * scale * tensor scale: exact in float64 for every block format of the catalog, else rounded once."""
    count, size = codes.elements.shape[-1], block_format.block_size
    scales = decode(codes.scales, block_format.scale)
    if codes.tensor_scale is not None:
        scales = scales * codes.tensor_scale
    values = decode(codes.elements, block_format.element)
    return (values * scales.repeat_interleave(size, dim=-1)[..., :count]).to(dtype)


def _powers(largest: Tensor, block_format: BlockFormat, rule: ScaleRule) -> Tensor:
    parts, element, scale = take_apart(largest), block_format.element, block_format.scale
    exponent, significand = parts.exponent, parts.significand
    match rule:
        case ScaleRule.FLOOR:
            power = exponent - block_format.element_max_exponent
        case ScaleRule.CEIL:
            power = exponent + (significand != TOP_BIT) - block_format.element_max_exponent
        case ScaleRule.RCEIL:
            most = take_apart(torch.tensor([float(element.max)], dtype=torch.float64, device=largest.device))
            power = exponent - most.exponent + is_above(significand, most.significand)
        case ScaleRule.EVEN:
            bits = 2 + (element.mantissa_bits if isinstance(element, FloatFormat) else element.fraction_bits)
            leading = shift_right(significand, torch.full_like(significand, 64 - bits))
            power = exponent + (leading == (1 << bits) - 1) - block_format.element_max_exponent
    return (power + scale.bias).clamp(0, scale.max_magnitude)


def _elements_of_powers(padded: Tensor, scales: Tensor, block_format: BlockFormat) -> Tensor:
    element = block_format.element
    parts = take_apart(torch.where(padded.isfinite(), padded, 0.0))
    moved = parts.exponent - (scales - block_format.scale.bias).unsqueeze(-1)
    parts = replace(parts, exponent=torch.where(parts.significand != 0, moved, NOWHERE))
    if isinstance(element, FloatFormat):
        return encode_float(parts, element, _SATURATING)
    codes = wide_codes(encode_whole(parts, element, _SATURATING), element)
    # MX 1.0, 5.3.4 and table 1: the largest magnitude is 1 63/64 on both sides, so -2 stays unused.
    return torch.where(codes == element.code_at(element.first_ordinal), element.code_at(-element.last_ordinal), codes)


def _elements_of_factors(padded: Tensor, factors: Tensor, block_format: BlockFormat) -> Tensor:
    element = block_format.element
    assert isinstance(element, FloatFormat)
    finite = torch.where(padded.isfinite(), padded, 0.0)
    magnitude = finite.abs()
    # With factors of 28 bits and middles of 3, the products are exact, and so are the comparisons.
    codes = torch.zeros(padded.shape, dtype=torch.int64, device=padded.device)
    for below, middle in enumerate(_middles(element)):
        border = middle * factors
        codes += (magnitude > border) | ((magnitude == border) & (below % 2 == 1))
    codes = torch.where(factors == 0, 0, codes)
    return torch.where(finite.signbit(), codes | element.sign_mask, codes)


def _nearest(values: Tensor, unit: float, scale: FloatFormat) -> Tensor:
    """The magnitudes nearest to values / unit: the middles have 5 bits and the unit 26, so their products are exact."""
    borders = torch.tensor(_middles(scale), dtype=torch.float64, device=values.device) * unit
    below, above = torch.searchsorted(borders, values), torch.searchsorted(borders, values, right=True)
    # In the middle the two differ by one: the even code is taken.
    return torch.where(below % 2 == 0, below, above)


def _middles(number_format: FloatFormat) -> list[float]:
    values = [number_format.finite_value(magnitude) for magnitude in range(number_format.max_magnitude + 1)]
    return [float((low + high) / 2) for low, high in pairwise(values)]


def _tensor_scale(largest: Tensor, block_format: BlockFormat, given: float | None) -> float | None:
    tensor_format = block_format.tensor_scale
    if tensor_format is None:
        if given is not None:
            raise InvalidInput("block.no-tensor-scale", format=block_format.name)
        return None
    if given is None:
        amax = Fraction(float(largest.max()) if largest.numel() else 0.0)
        wanted = amax / (block_format.scale.max * block_format.element.max)
        return _rounded(wanted, tensor_format) or 1.0
    value = _rounded(Fraction(given), tensor_format) if 0 < given < float("inf") else 0.0
    if value == 0:
        raise InvalidInput("block.tensor-scale", format=block_format.name, scale=tensor_format.name)
    return value


def _rounded(value: Fraction, number_format: FloatFormat) -> float:
    """The nearest number of the format to one that is not below zero, or its largest."""
    shift = 62 - value.numerator.bit_length() + value.denominator.bit_length()
    scaled = value * Fraction(2) ** shift
    whole = scaled.numerator // scaled.denominator
    word = whole | (scaled.denominator != 1)  # 62 bits or more before, and whether anything comes behind them
    parts = take_apart(torch.tensor([word]))
    moved = torch.where(parts.significand != 0, parts.exponent - shift, NOWHERE)
    code = encode_float(replace(parts, exponent=moved), number_format, _SATURATING)
    return float(decode(narrow_codes(code, number_format), number_format))


def _nan_element(block_format: BlockFormat) -> int:
    """NaN where the element has one, else 0: the scale says it all."""
    element = block_format.element
    return element.nan_code or 0 if isinstance(element, FloatFormat) else 0

"""Blocks of any of ggml's types to numbers: `decode_blocks`; the grids of the smallest types are elsewhere.

Scales may be any bytes. NaN and infinities are what arithmetic makes of them, as in ggml: an infinite scale gives
infinities, and NaN where the level is zero; a NaN scale gives NaN in all numbers that it is for, and in no others.
"""

from collections.abc import Callable
from functools import cache, partial

import torch
from torch import Tensor

from app.codec import torch_dtype
from app.formats import find_format
from app.layouts.gguf_codebook_blocks import CODEBOOK_DECODERS
from app.schemes.gguf_layouts import LAYOUTS as FLAT
from app.schemes.gguf_layouts import unpack_blocks
from app.schemes.gguf_scales import read_scales
from app.schemes.gguf_schemes import IQ4_NL_LEVELS
from app.schemes.k_quants import factors_of
from app.schemes.k_quants_layout import LAYOUTS as SUPER
from app.schemes.scale_formats import ScaleFormat

BlockDecoder = Callable[[Tensor], Tensor]
"""uint8 `[blocks, bytes]` to float32 `[blocks, elements]`."""

_E2M1_TWICE = (0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12)
"""ggml has the levels of E2M1 twice as large, and one zero."""
_LARGEST_NUMBER = 8
"""In bytes: torch reads numbers at offsets that are multiples of their size."""
PLAIN_FORMATS = ("float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8")


def decode_blocks(block_format: str, blocks: Tensor) -> Tensor:
    """float32 `[blocks, elements]` of uint8 `[blocks, bytes]`, contiguous: what ggml's own `to_float` gives.

    `block_format` is that of a `StorageType` of a GGUF file: a scheme in GGUF blocks, or the name of a plain format,
    whose numbers are blocks of one. NVFP4's scale of the whole tensor is not in the blocks: the caller multiplies.
    """
    decoder = BLOCK_DECODERS[block_format]
    if len(blocks) == 0:
        return decoder(blocks.new_zeros(1, blocks.shape[1]))[:0]
    return decoder(blocks.clone() if blocks.storage_offset() % _LARGEST_NUMBER else blocks)


def _plain(number_format: str, blocks: Tensor) -> Tensor:
    return blocks.contiguous().view(torch_dtype(find_format(number_format))).to(torch.float32, copy=True)


def _counted(name: str, first: int, blocks: Tensor) -> Tensor:
    """Levels that count up from `first`, times the scale of the block."""
    parts = unpack_blocks(FLAT[name], blocks)
    return parts.codes.to(torch.float32).add_(first).mul_(_halves(parts.scales))


def _signed_bytes(start: int, scale_type: torch.dtype, blocks: Tensor) -> Tensor:
    """A scale, something else up to byte `start`, and levels of a byte in two's complement."""
    scales = blocks[:, : scale_type.itemsize].contiguous().view(scale_type).to(torch.float32)
    levels = blocks.view(torch.int8)[:, start : start + (256 if scale_type is torch.float32 else 32)]
    return levels.to(torch.float32).mul_(scales)


def _with_minimum(name: str, blocks: Tensor) -> Tensor:
    parts = unpack_blocks(FLAT[name], blocks)
    assert parts.minima is not None, "these types store minima"
    return parts.codes.to(torch.float32).mul_(_halves(parts.scales)).add_(_halves(parts.minima))


def _listed(name: str, levels: tuple[int, ...], blocks: Tensor) -> Tensor:
    parts = unpack_blocks(FLAT[name], blocks)
    return _looked_up(levels, parts.codes).mul_(_halves(parts.scales))


def _mxfp4(blocks: Tensor) -> Tensor:
    """Scales are halved, for the levels are doubled: so the largest, 2^128, is a float32 too."""
    parts = unpack_blocks(FLAT["mxfp4"], blocks)
    exponents = parts.scales.to(torch.int32)
    subnormal = 1 << (exponents.clamp(max=1) + 21)  # 2^-128 and 2^-127
    scales = torch.where(exponents < 2, subnormal, (exponents - 1) << 23).view(torch.float32)
    return _looked_up(_E2M1_TWICE, parts.codes).mul_(scales)


def _nvfp4(blocks: Tensor) -> Tensor:
    layout = FLAT["nvfp4"]
    parts = unpack_blocks(layout, blocks)
    scales = read_scales(parts.scales.view(-1, 1), ScaleFormat(layout.scale_format)).view(len(blocks), -1)
    return _spread_mul(_looked_up(_E2M1_TWICE, parts.codes), scales * 0.5)


def _one_bit(blocks: Tensor) -> Tensor:
    """d, then a bit for each of 128 numbers, the lowest first: plus or minus d."""
    places = torch.arange(8, dtype=torch.uint8, device=blocks.device)
    bits = (blocks[:, 2:, None] >> places & 1).view(len(blocks), -1)
    return bits.to(torch.float32).mul_(2).sub_(1).mul_(_halves(blocks[:, :2]))


def _super(name: str, first: int, blocks: Tensor) -> Tensor:
    """Levels that count up from `first`, times the factor of the sub-block, less its minimum where there is one."""
    parts = SUPER[name].unpack(blocks)
    factors, offsets = factors_of(parts)
    values = parts.codes.to(torch.float32)
    values = _spread_mul(values.add_(first) if first else values, factors)
    if offsets is not None:
        values.view(*offsets.shape, -1).sub_(offsets[..., None])
    return values


def _iq4_xs(blocks: Tensor) -> Tensor:
    parts = SUPER["iq4_xs"].unpack(blocks)
    return _spread_mul(_looked_up(IQ4_NL_LEVELS, parts.codes), factors_of(parts)[0])


def _halves(stored: Tensor) -> Tensor:
    return stored.contiguous().view(torch.float16).to(torch.float32)


def _spread_mul(values: Tensor, factors: Tensor) -> Tensor:
    values.view(*factors.shape, -1).mul_(factors[..., None])
    return values


def _looked_up(levels: tuple[int, ...], codes: Tensor) -> Tensor:
    table = _table(levels).to(codes.device)
    return table.index_select(0, codes.to(torch.int32).view(-1)).view(codes.shape)


@cache
def _table(levels: tuple[int, ...]) -> Tensor:
    return torch.tensor(levels, dtype=torch.float32)


BLOCK_DECODERS: dict[str, BlockDecoder] = {
    **{name: partial(_plain, name) for name in PLAIN_FORMATS},
    "q4_0": partial(_counted, "q4_0", -8),
    "q5_0": partial(_counted, "q5_0", -16),
    "q8_0": partial(_signed_bytes, 2, torch.float16),
    "q8_1": partial(_signed_bytes, 4, torch.float16),
    "q8_k": partial(_signed_bytes, 4, torch.float32),
    "q4_1": partial(_with_minimum, "q4_1"),
    "q5_1": partial(_with_minimum, "q5_1"),
    "iq4_nl": partial(_listed, "iq4_nl", IQ4_NL_LEVELS),
    "tq1_0": partial(_counted, "tq1_0", -1),
    "tq2_0": partial(_counted, "tq2_0", -1),
    "q1_0": _one_bit,
    "gguf_mxfp4": _mxfp4,
    "gguf_nvfp4": _nvfp4,
    "q2_k": partial(_super, "q2_k", 0),
    "q3_k": partial(_super, "q3_k", -4),
    "q4_k": partial(_super, "q4_k", 0),
    "q5_k": partial(_super, "q5_k", 0),
    "q6_k": partial(_super, "q6_k", -32),
    "iq4_xs": _iq4_xs,
    **CODEBOOK_DECODERS,
}

"""ggml's smallest types, IQ1 to IQ3: indices into grids of points, signs and scales, in super-blocks of 256 numbers.

Orders are those of ggml (ggml-common.h, ggml-quants.c); all numbers are little-endian. Each function takes uint8
`[blocks, bytes]` and gives float32 `[blocks, 256]`.
"""

from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor

from app.layouts.gguf_grids import grid_points

_BLOCK = 256
_DELTA = 0.125
"""What IQ1 moves its points by, up or down."""


def _cut(blocks: Tensor, *sizes: int) -> tuple[Tensor, ...]:
    return torch.split(blocks, list(sizes), dim=1)


def _halves(packed: Tensor) -> Tensor:
    """float32 `[blocks, 1]` of the two bytes of a float16."""
    return packed.contiguous().view(torch.float16).to(torch.float32)


def _words(packed: Tensor, dtype: torch.dtype) -> Tensor:
    """int32 `[blocks, words]` without a sign, but for the highest bit of words of 32 bits."""
    words = packed.clone(memory_format=torch.contiguous_format).view(dtype)  # a view may begin at any byte
    return words if dtype is torch.int32 else words.to(torch.int32) & 0xFFFF


def _bit_runs(words: Tensor, bits: int, count: int, step: int = 0) -> Tensor:
    """int32 `[blocks, words * count]`: the lowest so many numbers of so many bits of each word."""
    shifts = torch.arange(count, dtype=torch.int32, device=words.device) * (step or bits)
    runs = words.to(torch.int32)[..., None] >> shifts & (1 << bits) - 1
    return runs.view(len(words), -1)


@cache
def _sign_table() -> Tensor:
    """float32 `[256, 8]`: -1 for each bit that is set, the first number the lowest bit."""
    bits = torch.arange(256)[:, None] >> torch.arange(8) & 1
    return 1.0 - 2.0 * bits.to(torch.float32)


@cache
def _even_sign_table() -> Tensor:
    """float32 `[128, 8]`: seven signs by their bits, the eighth such that an even number of them is negative."""
    seven = torch.arange(128)
    parity = (seven[:, None] >> torch.arange(7) & 1).sum(dim=1) % 2
    return _sign_table()[seven | parity << 7].contiguous()


def _looked_up(table: Tensor, indices: Tensor) -> Tensor:
    """float32 `[blocks, 256]`: the rows of a table, one after the other."""
    return table.to(indices.device).index_select(0, indices.reshape(-1)).view(len(indices), _BLOCK)


def _scaled(points: Tensor, factors: Tensor) -> Tensor:
    """Points `[blocks, 256]`, overwritten, times the factor of their sub-block `[blocks, sub-blocks]`."""
    points.view(*factors.shape, -1).mul_(factors[..., None])
    return points


def _iq2_xxs(blocks: Tensor) -> Tensor:
    """d; eight times four indices of a byte, then a word of four times seven signs and four bits of scale."""
    d, packed = _cut(blocks, 2, 64)
    pairs = packed.reshape(len(blocks), 8, 8)
    words = _words(pairs[:, :, 4:].reshape(len(blocks), -1), torch.int32)
    points = _looked_up(grid_points("iq2_xxs"), pairs[:, :, :4].to(torch.int32))
    signs = _looked_up(_even_sign_table(), _bit_runs(words, 7, 4))
    factors = _halves(d) * (0.5 + (words >> 28 & 15).to(torch.float32)) * 0.25
    return _scaled(points.mul_(signs), factors)


def _iq2_xs(blocks: Tensor) -> Tensor:
    """d; 32 words of nine bits of index and seven signs; 16 scales of four bits."""
    d, packed, scales = _cut(blocks, 2, 64, 8)
    words = _words(packed, torch.int16)
    points = _looked_up(grid_points("iq2_xs"), words & 511)
    signs = _looked_up(_even_sign_table(), words >> 9)
    factors = _halves(d) * (0.5 + _bit_runs(scales, 4, 2).to(torch.float32)) * 0.25
    return _scaled(points.mul_(signs), factors)


def _iq2_s(blocks: Tensor) -> Tensor:
    """d; the lowest eight bits of 32 indices; 32 bytes of signs; the highest two bits; 16 scales of four bits."""
    d, low, signs, high, scales = _cut(blocks, 2, 32, 32, 8, 8)
    indices = low.to(torch.int32) | _bit_runs(high, 2, 4) << 8
    points = _looked_up(grid_points("iq2_s"), indices)
    factors = _halves(d) * (0.5 + _bit_runs(scales, 4, 2).to(torch.float32)) * 0.25
    return _scaled(points.mul_(_looked_up(_sign_table(), signs.to(torch.int32))), factors)


def _iq3_xxs(blocks: Tensor) -> Tensor:
    """d; 64 indices of a byte; eight words of four times seven signs and four bits of scale."""
    d, indices, packed = _cut(blocks, 2, 64, 32)
    words = _words(packed, torch.int32)
    points = _looked_up(grid_points("iq3_xxs"), indices.to(torch.int32))
    signs = _looked_up(_even_sign_table(), _bit_runs(words, 7, 4))
    factors = _halves(d) * (0.5 + (words >> 28 & 15).to(torch.float32)) * 0.5
    return _scaled(points.mul_(signs), factors)


def _iq3_s(blocks: Tensor) -> Tensor:
    """d; the lowest eight bits of 64 indices; the ninth; 32 bytes of signs; eight scales of four bits."""
    d, low, high, signs, scales = _cut(blocks, 2, 64, 8, 32, 4)
    points = _looked_up(grid_points("iq3_s"), low.to(torch.int32) | _bit_runs(high, 1, 8) << 8)
    factors = _halves(d) * (1 + 2 * _bit_runs(scales, 4, 2)).to(torch.float32)
    return _scaled(points.mul_(_looked_up(_sign_table(), signs.to(torch.int32))), factors)


def _iq1_s(blocks: Tensor) -> Tensor:
    """d; the lowest eight bits of 32 indices; eight words of four times their highest three, scale and shift."""
    d, low, packed = _cut(blocks, 2, 32, 16)
    words = _words(packed, torch.int16)
    points = _looked_up(grid_points("iq1_s"), low.to(torch.int32) | _bit_runs(words, 3, 4) << 8)
    points.view(len(blocks), 8, -1).add_(torch.where(words >> 15 == 0, _DELTA, -_DELTA)[..., None])
    return _scaled(points, _halves(d) * (2 * (words >> 12 & 7) + 1).to(torch.float32))


def _iq1_m(blocks: Tensor) -> Tensor:
    """The lowest eight bits of 32 indices; 32 times their highest three and a shift; four words of four scales and d.

    The highest four bits of each word are those of d, the lowest first; the rest are scales of three bits.
    """
    low, high, packed = _cut(blocks, 32, 16, 8)
    words = _words(packed, torch.int16)
    places = torch.arange(0, 16, 4, dtype=torch.int32, device=blocks.device)
    d = (words >> 12 << places).sum(dim=1, dtype=torch.int32, keepdim=True)
    runs = _bit_runs(high, 4, 2)
    points = _looked_up(grid_points("iq1_s"), low.to(torch.int32) | (runs & 7) << 8)
    points.view(len(blocks), 32, -1).add_(torch.where(runs & 8 == 0, _DELTA, -_DELTA)[..., None])
    factors = (2 * _bit_runs(words, 3, 4) + 1).to(torch.float32)
    return _scaled(points, _halves(d.to(torch.int16).view(torch.uint8)) * factors)


CODEBOOK_DECODERS: dict[str, Callable[[Tensor], Tensor]] = {
    "iq2_xxs": _iq2_xxs,
    "iq2_xs": _iq2_xs,
    "iq2_s": _iq2_s,
    "iq3_xxs": _iq3_xxs,
    "iq3_s": _iq3_s,
    "iq1_s": _iq1_s,
    "iq1_m": _iq1_m,
}

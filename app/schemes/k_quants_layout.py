"""GGUF's super-blocks of 256 numbers: where codes, scales of sub-blocks and their own scales lie, in and out.

Orders are those of ggml (ggml-common.h, ggml-quants.c); all numbers are little-endian.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

BLOCK = 256
"""Numbers of a super-block."""
_HALF_BYTES = 2


@dataclass(frozen=True, slots=True)
class SuperBlocks:
    """Super-blocks taken apart: value = (d * scale) * level - (dmin * minimum)."""

    codes: Tensor
    """uint8 `[blocks, 256]`, as they are stored."""
    scales: Tensor
    """int16 `[blocks, sub-blocks]`: whole numbers, what was added for storing taken off."""
    d: Tensor
    """float16 `[blocks]`."""
    minima: Tensor | None = None
    """int16 `[blocks, sub-blocks]`."""
    dmin: Tensor | None = None
    """float16 `[blocks]`."""


@dataclass(frozen=True, slots=True)
class SuperLayout:
    """One of ggml's types with super-blocks."""

    name: str
    """ggml's, in lower case."""
    type_id: int
    """In a tensor's entry of a file."""
    bytes: int
    """Of a super-block."""
    sub_blocks: int
    code_bits: int
    scale_bits: int
    """Of a sub-block's scale, and of its minimum where there is one."""
    scale_offset: int
    """What is added to a scale for storing; 0 also for scales in two's complement."""
    has_minima: bool
    pack: Callable[[SuperBlocks], Tensor]
    """To uint8 `[blocks, bytes]`."""
    unpack: Callable[[Tensor], SuperBlocks]
    """The inverse, for any bytes."""

    @property
    def sub_size(self) -> int:
        """Numbers of a sub-block."""
        return BLOCK // self.sub_blocks


def _planes(codes: Tensor, bits: int, run: int) -> Tensor:
    """Runs of neighbours lie above each other: byte j holds element j of each run, from the lowest bits on."""
    shifts = torch.arange(0, 8, bits, dtype=torch.uint8, device=codes.device)[:, None]
    stacked = codes.view(len(codes), -1, 8 // bits, run) & (1 << bits) - 1
    return (stacked << shifts).sum(dim=2, dtype=torch.uint8).view(len(codes), -1)


def _from_planes(packed: Tensor, bits: int, run: int) -> Tensor:
    shifts = torch.arange(0, 8, bits, dtype=torch.uint8, device=packed.device)[:, None]
    stacked = packed.reshape(len(packed), -1, 1, run) >> shifts & (1 << bits) - 1
    return stacked.view(len(packed), -1)


def _half_bytes(halves: Tensor) -> Tensor:
    return halves.contiguous().view(torch.uint8).view(len(halves), _HALF_BYTES)


def _halves(packed: Tensor) -> Tensor:
    return packed.contiguous().view(torch.float16).view(-1)


def _cut(blocks: Tensor, *sizes: int) -> tuple[Tensor, ...]:
    return torch.split(blocks, list(sizes), dim=1)


def _minima(parts: SuperBlocks) -> tuple[Tensor, Tensor]:
    assert parts.minima is not None, "this type stores minima"
    assert parts.dmin is not None, "this type stores minima"
    return parts.minima.to(torch.uint8), parts.dmin


def _pack_q2(parts: SuperBlocks) -> Tensor:
    """16 bytes of scale | minimum << 4, 64 of codes, d, dmin."""
    minima, dmin = _minima(parts)
    scales = parts.scales.to(torch.uint8) | minima << 4
    return torch.cat((scales, _planes(parts.codes, 2, 32), _half_bytes(parts.d), _half_bytes(dmin)), dim=1)


def _unpack_q2(blocks: Tensor) -> SuperBlocks:
    scales, codes, d, dmin = _cut(blocks, 16, 64, 2, 2)
    low, high = (scales & 15).to(torch.int16), (scales >> 4).to(torch.int16)
    return SuperBlocks(_from_planes(codes, 2, 32), low, _halves(d), high, _halves(dmin))


def _pack_q3(parts: SuperBlocks) -> Tensor:
    """32 bytes of highest bits, 64 of the lower two, 12 of scales, d.

    Scale j + 32 in six bits: its lowest four in nibble j / 8 of byte j % 8, its highest two in byte 8 + j % 4.
    """
    stored = (parts.scales + 32).to(torch.uint8)
    scales = torch.cat((_planes(stored & 15, 4, 8), _planes(stored >> 4, 2, 4)), dim=1)
    bits = _planes(parts.codes >> 2, 1, 32)
    return torch.cat((bits, _planes(parts.codes & 3, 2, 32), scales, _half_bytes(parts.d)), dim=1)


def _unpack_q3(blocks: Tensor) -> SuperBlocks:
    bits, codes, low, high, d = _cut(blocks, 32, 64, 8, 4, 2)
    scales = (_from_planes(low, 4, 8) | _from_planes(high, 2, 4) << 4).to(torch.int16) - 32
    return SuperBlocks(_from_planes(codes, 2, 32) | _from_planes(bits, 1, 32) << 2, scales, _halves(d))


def _pack_scales_and_minima(parts: SuperBlocks) -> Tensor:
    """Eight scales and eight minima of six bits in 12 bytes.

    Bytes 0-3: scales 0-3, and above them the highest two bits of scales 4-7; bytes 4-7: the same of minima; bytes
    8-11: the lowest four bits of scales 4-7, and above them those of minima 4-7.
    """
    minima, _ = _minima(parts)
    scales = parts.scales.to(torch.uint8)
    first = [each[:, :4] | each[:, 4:] >> 4 << 6 for each in (scales, minima)]
    return torch.cat((*first, scales[:, 4:] & 15 | minima[:, 4:] << 4), dim=1)


def _unpack_scales_and_minima(packed: Tensor) -> tuple[Tensor, Tensor]:
    scales, minima, low = _cut(packed, 4, 4, 4)
    found = [
        torch.cat((first & 63, rest | first >> 6 << 4), dim=1).to(torch.int16)
        for first, rest in ((scales, low & 15), (minima, low >> 4))
    ]
    return found[0], found[1]


def _pack_q4(parts: SuperBlocks) -> Tensor:
    """d, dmin, 12 bytes of scales and minima, 128 of codes."""
    halves = _half_bytes(parts.d), _half_bytes(_minima(parts)[1])
    return torch.cat((*halves, _pack_scales_and_minima(parts), _planes(parts.codes, 4, 32)), dim=1)


def _unpack_q4(blocks: Tensor) -> SuperBlocks:
    d, dmin, packed, codes = _cut(blocks, 2, 2, 12, 128)
    scales, minima = _unpack_scales_and_minima(packed)
    return SuperBlocks(_from_planes(codes, 4, 32), scales, _halves(d), minima, _halves(dmin))


def _pack_q5(parts: SuperBlocks) -> Tensor:
    """d, dmin, 12 bytes of scales and minima, 32 of highest bits, 128 of the lower four."""
    halves = _half_bytes(parts.d), _half_bytes(_minima(parts)[1])
    codes = _planes(parts.codes >> 4, 1, 32), _planes(parts.codes & 15, 4, 32)
    return torch.cat((*halves, _pack_scales_and_minima(parts), *codes), dim=1)


def _unpack_q5(blocks: Tensor) -> SuperBlocks:
    d, dmin, packed, bits, codes = _cut(blocks, 2, 2, 12, 32, 128)
    scales, minima = _unpack_scales_and_minima(packed)
    whole = _from_planes(codes, 4, 32) | _from_planes(bits, 1, 32) << 4
    return SuperBlocks(whole, scales, _halves(d), minima, _halves(dmin))


def _pack_q6(parts: SuperBlocks) -> Tensor:
    """128 bytes of the lower four bits, 64 of the highest two, 16 scales as int8, d."""
    scales = parts.scales.to(torch.int8).view(torch.uint8)
    codes = _planes(parts.codes & 15, 4, 64), _planes(parts.codes >> 4, 2, 32)
    return torch.cat((*codes, scales, _half_bytes(parts.d)), dim=1)


def _unpack_q6(blocks: Tensor) -> SuperBlocks:
    low, high, scales, d = _cut(blocks, 128, 64, 16, 2)
    codes = _from_planes(low, 4, 64) | _from_planes(high, 2, 32) << 4
    return SuperBlocks(codes, scales.contiguous().view(torch.int8).to(torch.int16), _halves(d))


def _pack_iq4(parts: SuperBlocks) -> Tensor:
    """d, 2 bytes of the highest two bits of scales + 32, 4 of their lowest four, 128 of codes."""
    stored = (parts.scales + 32).to(torch.uint8)
    scales = _planes(stored >> 4, 2, 1), _planes(stored & 15, 4, 1)
    return torch.cat((_half_bytes(parts.d), *scales, _planes(parts.codes, 4, 16)), dim=1)


def _unpack_iq4(blocks: Tensor) -> SuperBlocks:
    d, high, low, codes = _cut(blocks, 2, 2, 4, 128)
    scales = (_from_planes(low, 4, 1) | _from_planes(high, 2, 1) << 4).to(torch.int16) - 32
    return SuperBlocks(_from_planes(codes, 4, 16), scales, _halves(d))


LAYOUTS: dict[str, SuperLayout] = {
    layout.name: layout
    for layout in (
        SuperLayout("q2_k", 10, 84, 16, 2, 4, 0, True, _pack_q2, _unpack_q2),  # noqa: FBT003 - columns of a table
        SuperLayout("q3_k", 11, 110, 16, 3, 6, 32, False, _pack_q3, _unpack_q3),  # noqa: FBT003
        SuperLayout("q4_k", 12, 144, 8, 4, 6, 0, True, _pack_q4, _unpack_q4),  # noqa: FBT003
        SuperLayout("q5_k", 13, 176, 8, 5, 6, 0, True, _pack_q5, _unpack_q5),  # noqa: FBT003
        SuperLayout("q6_k", 14, 210, 16, 6, 8, 0, False, _pack_q6, _unpack_q6),  # noqa: FBT003
        SuperLayout("iq4_xs", 23, 136, 8, 4, 6, 32, False, _pack_iq4, _unpack_iq4),  # noqa: FBT003
    )
}

"""The blocks of GGUF that hold codes and their scales side by side: where each field lies, and codes in and out.

A row is a whole number of blocks. Type ids, sizes and orders are those of ggml (ggml.h, ggml-common.h); all numbers
are little-endian. K-quants, whose scales are packed in bits, are elsewhere.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

_TRITS = 5
"""In a byte: 3^5 = 243."""


@dataclass(frozen=True, slots=True)
class BlockField:
    """Some bytes of a block: `d` scale, `m` minimum, `qs` codes, `qh` the rest of the codes."""

    name: str
    size: int


@dataclass(frozen=True, slots=True)
class Coding:
    """How the codes of a block lie in its bytes, both ways: uint8 `[blocks, elements]` and `[blocks, bytes]`."""

    bits: int
    """Of a code, before packing."""
    pack: Callable[[Tensor], Tensor]
    unpack: Callable[[Tensor], Tensor]


@dataclass(frozen=True, slots=True)
class BlockLayout:
    """A block of one of ggml's types."""

    name: str
    """ggml's, in lower case."""
    type_id: int
    """In a tensor's entry of a file."""
    elements: int
    """Of a block."""
    group: int
    """Neighbours that share a scale."""
    scale_format: str
    coding: Coding
    fields: tuple[BlockField, ...]
    """In their order; those of codes are neighbours."""

    @property
    def bytes(self) -> int:
        """Of a block."""
        return sum(field.size for field in self.fields)

    def place(self, name: str) -> slice:
        """Where a field lies; `q` for all codes."""
        inside = [field.name.startswith(name) for field in self.fields]
        first, count = inside.index(True), sum(inside)
        start = sum(field.size for field in self.fields[:first])
        return slice(start, start + sum(field.size for field in self.fields[first : first + count]))

    @property
    def code_bytes(self) -> int:
        """Of a block."""
        place = self.place("q")
        return int(place.stop - place.start)

    @property
    def has_minimum(self) -> bool:
        """Whether value = code * d + m."""
        return any(field.name == "m" for field in self.fields)


@dataclass(frozen=True, slots=True)
class BlockParts:
    """Blocks taken apart."""

    codes: Tensor
    """uint8 `[blocks, elements]`."""
    scales: Tensor
    """uint8 `[blocks, bytes]`."""
    minima: Tensor | None = None
    """uint8 `[blocks, bytes]`."""


def pack_blocks(layout: BlockLayout, parts: BlockParts) -> Tensor:
    """uint8 `[blocks, bytes]`."""
    blocks = torch.empty(len(parts.codes), layout.bytes, dtype=torch.uint8, device=parts.codes.device)
    blocks[:, layout.place("d")] = parts.scales
    blocks[:, layout.place("q")] = layout.coding.pack(parts.codes)
    if parts.minima is not None:
        blocks[:, layout.place("m")] = parts.minima
    return blocks


def unpack_blocks(layout: BlockLayout, blocks: Tensor) -> BlockParts:
    """The inverse of `pack_blocks`, for any bytes."""
    codes = layout.coding.unpack(blocks[:, layout.place("q")])
    minima = blocks[:, layout.place("m")].contiguous() if layout.has_minimum else None
    return BlockParts(codes, blocks[:, layout.place("d")].contiguous(), minima)


def _halves(group: int) -> Coding:
    """Byte j of a group: element j in the low nibble, element j + group / 2 in the high one."""

    def pack(codes: Tensor) -> Tensor:
        pairs = codes.reshape(len(codes), -1, 2, group // 2)
        return (pairs[:, :, 0] | pairs[:, :, 1] << 4).reshape(len(codes), -1)

    def unpack(packed: Tensor) -> Tensor:
        groups = packed.reshape(len(packed), -1, group // 2)
        return torch.stack((groups & 15, groups >> 4), dim=2).reshape(len(packed), -1)

    return Coding(4, pack, unpack)


def _fifth_bits() -> Coding:
    """A word of 32 bits, bit i the highest of element i; then the lower four as halves of nibbles."""
    nibbles = _halves(32)

    def pack(codes: Tensor) -> Tensor:
        places = torch.arange(8, dtype=torch.uint8, device=codes.device)
        word = ((codes >> 4).view(len(codes), 4, 8) << places).sum(dim=2, dtype=torch.uint8)
        return torch.cat((word, nibbles.pack(codes & 15)), dim=1)

    def unpack(packed: Tensor) -> Tensor:
        places = torch.arange(8, dtype=torch.uint8, device=packed.device)
        fifth = (packed[:, :4, None] >> places & 1).reshape(len(packed), 32)
        return nibbles.unpack(packed[:, 4:]) | fifth << 4

    return Coding(5, pack, unpack)


def _whole_bytes() -> Coding:
    return Coding(8, lambda codes: codes, lambda packed: packed.contiguous())


def _crumbs() -> Coding:
    """Byte j of a half: elements j, j + 32, j + 64, j + 96 of it, from the lowest two bits on."""

    def pack(codes: Tensor) -> Tensor:
        places = torch.tensor([0, 2, 4, 6], dtype=torch.uint8, device=codes.device)[:, None]
        return (codes.view(len(codes), -1, 4, 32) << places).sum(dim=2, dtype=torch.uint8).view(len(codes), -1)

    def unpack(packed: Tensor) -> Tensor:
        places = torch.tensor([0, 2, 4, 6], dtype=torch.uint8, device=packed.device)[:, None]
        return (packed.reshape(len(packed), -1, 1, 32) >> places & 3).view(len(packed), -1)

    return Coding(2, pack, unpack)


_TRIT_RUNS = ((0, 32, 5), (32, 16, 5), (48, 4, 4))
"""Bytes from where, how many, and how many trits each holds: trit k of byte j is element j + k * bytes of its run."""


def _base_three() -> Coding:
    """Digits of base 3 as a fraction of 256, the first the most significant, rounded up: * 3 / 256 brings them out."""

    def pack(codes: Tensor) -> Tensor:
        parts, start = [], 0
        for _, size, trits in _TRIT_RUNS:
            run = codes[:, start : start + size * trits].reshape(-1, trits, size).to(torch.int32)
            powers = torch.tensor([3 ** (_TRITS - 1 - k) for k in range(trits)], device=codes.device)[:, None]
            number = (run * powers).sum(dim=1)
            parts.append(((number * 256 + 242) // 243).to(torch.uint8))
            start += size * trits
        return torch.cat(parts, dim=1)

    def unpack(packed: Tensor) -> Tensor:
        parts = []
        for first, size, trits in _TRIT_RUNS:
            run = packed[:, first : first + size].to(torch.int32)[:, None]
            powers = torch.tensor([3**k for k in range(trits)], device=packed.device)[:, None]
            digits = (run * powers & 255) * 3 >> 8
            parts.append(digits.to(torch.uint8).reshape(len(packed), -1))
        return torch.cat(parts, dim=1)

    return Coding(2, pack, unpack)


def _layout(
    name: str, type_id: int, elements: int, coding: Coding, *fields: tuple[str, int], group: int = 0, scales: str = ""
) -> BlockLayout:
    parts = tuple(BlockField(*field) for field in fields)
    return BlockLayout(name, type_id, elements, group or elements, scales or "float16", coding, parts)


_D, _M, _QH, _NIBBLES = ("d", 2), ("m", 2), ("qh", 4), ("qs", 16)

LAYOUTS: dict[str, BlockLayout] = {
    layout.name: layout
    for layout in (
        _layout("q4_0", 2, 32, _halves(32), _D, _NIBBLES),
        _layout("q4_1", 3, 32, _halves(32), _D, _M, _NIBBLES),
        _layout("q5_0", 6, 32, _fifth_bits(), _D, _QH, _NIBBLES),
        _layout("q5_1", 7, 32, _fifth_bits(), _D, _M, _QH, _NIBBLES),
        _layout("q8_0", 8, 32, _whole_bytes(), _D, ("qs", 32)),
        _layout("iq4_nl", 20, 32, _halves(32), _D, _NIBBLES),
        _layout("tq1_0", 34, 256, _base_three(), ("qs", 48), _QH, _D),
        _layout("tq2_0", 35, 256, _crumbs(), ("qs", 64), _D),
        _layout("mxfp4", 39, 32, _halves(32), ("d", 1), _NIBBLES, scales="float8_e8m0fnu"),
        _layout("nvfp4", 40, 64, _halves(16), ("d", 4), ("qs", 32), group=16, scales="float8_e4m3fn"),
    )
}

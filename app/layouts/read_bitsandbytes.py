"""bitsandbytes: NF4 and fp4 in blocks that run across rows, their scales perhaps in eight bits; int8 by rows."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from torch import Tensor

from app.codec import torch_dtype
from app.formats import find_format
from app.layouts.checked_parts import FLOATS, check_shape, check_type, number, odd_contents, odd_shape, part
from app.layouts.plain_codes import PlainCodes
from app.layouts.rectangles import MatrixDecoder, read_run
from app.layouts.scale_shapes import Blocks
from app.layouts.stored_tensors import StoredTensors
from app.layouts.weight import Encoding, Weight
from app.schemes.matrix_blocks import Piece
from app.weightfiles.file_header import TensorEntry
from app.weightfiles.tensor_reader import TensorReader

LAYOUT = "bitsandbytes"
_STATE = ".quant_state.bitsandbytes__"
_KINDS = frozenset({"nf4", "fp4"})
_LARGEST = 3.4028234663852886e38
"""The largest float32."""
_MOST_STATE_BYTES = 4096
_WHOLE = 7.874015718698502e-3
"""1 / 127, as the owner multiplies by it in float32."""


def recognise(stored: StoredTensors) -> Sequence[Weight]:
    """Weights with a quantization state of 4 bits, and int8 matrices with the `SCB` of their rows."""
    return [*_four_bits(stored), *_eight_bits(stored)]


# 4 bits


@dataclass(frozen=True, slots=True)
class _State:
    """What the JSON of a weight says; checked."""

    kind: str
    block: int
    dtype: str
    shape: tuple[int, ...]
    nested_block: int | None
    nested_offset: float


def _four_bits(stored: StoredTensors) -> Iterator[Weight]:
    for entry in stored.entries.values():
        name, found, kind = entry.name.partition(_STATE)
        if found and kind in _KINDS:
            yield _four_bit(stored, entry, name)


def _four_bit(stored: StoredTensors, state_entry: TensorEntry, name: str) -> Weight:
    codes, absmax = part(stored, name, name), part(stored, name, f"{name}.absmax")
    levels = part(stored, name, f"{name}.quant_map")
    state = _read_state(stored, state_entry, name)
    elements = prod(state.shape)
    # Packed codes may be stored as wider elements: their bytes are what counts.
    if codes.bytes != -(-elements // 2) or codes.type.bits % 8:
        raise odd_shape(name, codes)
    check_type(name, levels, {"float32"})
    check_shape(name, levels, (16,))
    blocks = -(-elements // state.block)
    check_shape(name, absmax, (blocks,))
    nested: tuple[TensorEntry, ...] = ()
    scales: _Absmax | _NestedAbsmax
    if state.nested_block is None:
        check_type(name, absmax, FLOATS)
        scales = _Absmax(absmax)
    else:
        check_type(name, absmax, {"uint8"})
        nested = (part(stored, name, f"{name}.nested_absmax"), part(stored, name, f"{name}.nested_quant_map"))
        for each, count in zip(nested, (-(-blocks // state.nested_block), 256), strict=True):
            check_type(name, each, {"float32"})
            check_shape(name, each, (count,))
        scales = _NestedAbsmax(absmax, *nested, state.nested_block, state.nested_offset)
    decoder = FourBitDecoder(codes, levels, scales, state.block, torch_dtype(find_format(state.dtype)))
    text = f"{state.kind}:block={state.block}" + (":double-quant" if nested else "")
    parts = (codes, absmax, levels, *nested, state_entry)
    return Weight(name, state.shape, state.dtype, parts, Encoding(LAYOUT, text, decoder))


def _read_state(stored: StoredTensors, entry: TensorEntry, name: str) -> _State:
    check_type(name, entry, {"uint8"})
    if entry.elements > _MOST_STATE_BYTES:
        raise odd_shape(name, entry)
    try:
        written = json.loads(bytes(stored.small(entry).flatten().tolist()))
    except (ValueError, RecursionError):
        written = None
    state = _checked_state(written) if isinstance(written, dict) else None
    if state is None:
        raise odd_contents(name, entry)
    return state


def _checked_state(written: Mapping[str, Any]) -> _State | None:
    kind, block, dtype = written.get("quant_type"), number(written, "blocksize"), written.get("dtype")
    shape, nested = written.get("shape"), written.get("nested_blocksize")
    offset = written.get("nested_offset", 0.0)
    is_sound = (
        isinstance(kind, str)
        and kind in _KINDS
        and block is not None
        and 1 <= block <= 1 << 20
        and isinstance(dtype, str)
        and dtype in FLOATS
        and isinstance(shape, list)
        and len(shape) <= 8
        and all(type(each) is int and 0 <= each < 1 << 48 for each in shape)
        and (nested is None or (type(nested) is int and 1 <= nested <= 1 << 20))
        and type(offset) in (float, int)
        and abs(offset) <= _LARGEST
    )
    if not is_sound:
        return None
    return _State(str(kind), block or 0, str(dtype), tuple(shape or ()), nested, float(offset))


@dataclass(frozen=True, slots=True)
class _Absmax:
    """The largest magnitude of each block."""

    entry: TensorEntry

    def read(self, reader: TensorReader, first: int, count: int) -> Tensor:
        return read_run(reader, self.entry, first, count).to(torch.float32)


@dataclass(frozen=True, slots=True)
class _NestedAbsmax:
    """The same in eight bits: level * largest of a block of blocks + offset."""

    entry: TensorEntry
    largest: TensorEntry
    levels: TensorEntry
    block: int
    offset: float

    def read(self, reader: TensorReader, first: int, count: int) -> Tensor:
        outer = first // self.block
        largest = read_run(reader, self.largest, outer, -(-(first + count) // self.block) - outer)
        levels = read_run(reader, self.levels, 0, 256)
        codes = read_run(reader, self.entry, first, count).to(torch.int32)
        places = torch.arange(first, first + count).div_(self.block, rounding_mode="floor").sub_(outer)
        return levels.index_select(0, codes) * largest.index_select(0, places) + self.offset


@dataclass(frozen=True, slots=True)
class FourBitDecoder:
    """A `Decoder` of flat blocks; the first code of a byte is in its high half."""

    codes: TensorEntry
    levels: TensorEntry
    scales: _Absmax | _NestedAbsmax
    block: int
    dtype: torch.dtype

    @property
    def unit(self) -> int:
        """See `Decoder`."""
        return 1

    def decode(self, reader: TensorReader, first: int, count: int) -> Tensor:
        """See `Decoder`: the product in float32, rounded once."""
        if not count:
            return torch.empty(0, dtype=self.dtype)
        first_block, end_block = first // self.block, -(-(first + count) // self.block)
        scales = self.scales.read(reader, first_block, end_block - first_block)
        levels = read_run(reader, self.levels, 0, 16)
        values = levels.index_select(0, self._nibbles(reader, first, count))
        places = torch.arange(first, first + count).div_(self.block, rounding_mode="floor").sub_(first_block)
        return values.mul_(scales.index_select(0, places)).to(self.dtype)

    def _nibbles(self, reader: TensorReader, first: int, count: int) -> Tensor:
        size = self.codes.type.bits // 8
        begin, end = first // 2, -(-(first + count) // 2)
        element, last = begin // size, -(-end // size)
        stream = read_run(reader, self.codes, element, last - element).view(torch.uint8)
        packed = stream[begin - element * size : end - element * size].to(torch.int32)
        pairs = torch.stack((packed >> 4, packed & 15), dim=1).view(-1)
        return pairs[first - begin * 2 : first - begin * 2 + count]


# 8 bits


def _eight_bits(stored: StoredTensors) -> Iterator[Weight]:
    for entry in stored.entries.values():
        if entry.type.format != "int8" or not entry.name.endswith("weight"):
            continue
        prefix = entry.name.removesuffix("weight")
        scales = stored.entries.get(f"{prefix}SCB")
        if scales is None:
            continue
        name = entry.name
        if len(entry.shape) != 2:
            raise odd_shape(name, entry)
        check_type(name, scales, {"float32", "float16"})
        check_shape(name, scales, (entry.shape[0],))
        order = stored.entries.get(f"{prefix}weight_format")
        if order is not None and (order.elements != 1 or int(stored.small(order)) != 0):
            raise odd_contents(name, order)
        rows, columns = entry.shape
        blocks = Blocks(rows, 1, (1, max(columns, 1)), (rows, columns))
        numbers = _RowInt8(PlainCodes(entry, columns), scales, blocks)
        parts = tuple(each for each in (entry, scales, order) if each is not None)
        decoder = MatrixDecoder(columns, torch.float32, numbers.part)
        yield Weight(name, entry.shape, "float32", parts, Encoding(LAYOUT, "int8:channel", decoder))


@dataclass(frozen=True, slots=True)
class _RowInt8:
    codes: PlainCodes
    scales: TensorEntry
    blocks: Blocks

    def part(self, reader: TensorReader, piece: Piece) -> Tensor:
        """code * largest of the row / 127, in the owner's order."""
        scales = self.blocks.grid(self.scales).over(reader, piece).to(torch.float32)
        return self.codes.part(reader, piece) * scales * _WHOLE

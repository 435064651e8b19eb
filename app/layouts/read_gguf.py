"""Tensors of GGUF whose elements lie in ggml's blocks, each with scales of its own."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from app.layouts.checked_parts import check_type, odd_shape
from app.layouts.gguf_blocks import BLOCK_DECODERS, decode_blocks
from app.layouts.rectangles import read_run
from app.layouts.stored_tensors import StoredTensors
from app.layouts.weight import Encoding, Weight
from app.weightfiles.file_header import TensorEntry
from app.weightfiles.tensor_reader import TensorReader

LAYOUT = "gguf"


def recognise(stored: StoredTensors) -> Sequence[Weight]:
    """Tensors of block types that are decoded; a type that is not stays a plain tensor that cannot be read."""
    return list(_recognised(stored))


def _recognised(stored: StoredTensors) -> Iterator[Weight]:
    for entry in stored.entries.values():
        if entry.type.block_elements > 1 and entry.type.format in BLOCK_DECODERS:
            whole = _whole_scale(stored, entry)
            parts = (entry,) if whole is None else (entry, whole)
            encoding = Encoding(LAYOUT, entry.type.format, BlockDecoder(entry, whole))
            yield Weight(entry.name, entry.shape, "float32", parts, encoding)


def _whole_scale(stored: StoredTensors, entry: TensorEntry) -> TensorEntry | None:
    """The scale of a whole NVFP4 tensor, or one for each expert of it, which is a tensor of its own."""
    if entry.type.format != "gguf_nvfp4" or not entry.name.endswith(".weight"):
        return None
    found = stored.entries.get(f"{entry.name.removesuffix('.weight')}.scale")
    if found is not None:
        check_type(entry.name, found, {"float32"})
        if found.elements != 1 and found.shape != entry.shape[:1]:
            raise odd_shape(entry.name, found)
    return found


@dataclass(frozen=True, slots=True)
class BlockDecoder:
    """A `Decoder` of blocks along the innermost dimension."""

    entry: TensorEntry
    whole: TensorEntry | None = None

    @property
    def unit(self) -> int:
        """See `Decoder`; other runs are read too, by whole blocks."""
        return self.entry.type.block_elements

    def decode(self, reader: TensorReader, first: int, count: int) -> Tensor:
        """See `Decoder`."""
        if count == 0:
            return torch.empty(0)
        unit, size = self.unit, self.entry.type.bits // 8
        begin, end = first // unit, -(-(first + count) // unit)
        most = max(reader.chunk_bytes // size, 1)
        found = [
            self._blocks(reader, block * size, min(most, end - block) * size, size) for block in range(begin, end, most)
        ]
        numbers = torch.cat(found).view(-1) if len(found) != 1 else found[0].view(-1)
        if self.whole is not None:
            numbers *= self._whole_scales(reader, self.whole, begin * unit, numbers.numel())
        return numbers[first - begin * unit : first - begin * unit + count]

    def _whole_scales(self, reader: TensorReader, whole: TensorEntry, first: int, count: int) -> Tensor:
        """Of so many elements: one number, or one for each where experts have scales of their own."""
        size = max(self.entry.elements // whole.elements, 1)
        begin, end = first // size, -(-(first + count) // size)
        scales = read_run(reader, whole, begin, end - begin)
        if len(scales) == 1:
            return scales
        return scales.repeat_interleave(size)[first - begin * size : first - begin * size + count]

    def _blocks(self, reader: TensorReader, first: int, count: int, size: int) -> Tensor:
        stored = torch.frombuffer(reader.bytes(self.entry, first, count), dtype=torch.uint8)
        return decode_blocks(self.entry.type.format, stored.view(-1, size))

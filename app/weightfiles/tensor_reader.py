"""Tensors of torch from byte ranges of a weight file, a chunk at a time in one buffer that is used again."""

from collections.abc import Iterator

import torch
from torch import Tensor

from app.codec import torch_dtype
from app.formats import find_format
from app.weightfiles.file_header import TensorEntry
from app.weightfiles.range_reader import WeightFile
from app.weightfiles.strided_reads import StridedReads

CHUNK_BYTES = 16 << 20
_TWO_NUMBERS = "complex64"


class TensorReader:
    """Reads the elements of a file's tensors. Each read overwrites what the read before gave.

    Whatever the file's order of elements and of bytes: they are given in the order of their indices, little-endian.
    """

    def __init__(self, file: WeightFile, chunk_bytes: int = CHUNK_BYTES) -> None:
        self._file = file
        largest = max((entry.bytes for entry in file.header.tensors), default=0)
        self._buffer = torch.empty(min(chunk_bytes, largest), dtype=torch.uint8)
        self._view = self._buffer.numpy().data
        self._strided = StridedReads()

    @property
    def chunk_bytes(self) -> int:
        """The largest read."""
        return len(self._view)

    def bytes(self, entry: TensorEntry, first: int = 0, count: int | None = None) -> memoryview:
        """`count` bytes of a tensor from byte `first` on (all of them if not told); at most a chunk.

        Where the file has strides or another byte order, they are whole elements.
        """
        size = entry.bytes - first if count is None else count
        view = self._view[:size]
        if entry.strides is None:
            self._file.read_into(view, entry.begin + first, entry.part)
        elif size:
            item = entry.type.bits // 8
            ranges = self._file.source.parts[entry.part]
            place = entry.begin, item, entry.shape, entry.strides, first // item
            self._strided.gather(ranges, *place, self._buffer[:size])
        if entry.is_big_endian:
            _swap(self._buffer[:size], entry)
        return view

    def elements(self, entry: TensorEntry, first: int, count: int) -> Tensor:
        """A flat tensor of `count` elements from element `first` on; at most a chunk."""
        item = entry.type.bits // 8
        self.bytes(entry, first * item, count * item)
        return self._buffer[: count * item].view(torch_dtype(find_format(entry.type.format)))

    def chunk_elements(self, entry: TensorEntry) -> int:
        """How many elements of that tensor a chunk holds."""
        return self._buffer.numel() * 8 // entry.type.bits

    def chunks(self, entry: TensorEntry) -> Iterator[tuple[int, Tensor]]:
        """The whole tensor: the first element's index and the elements, chunk by chunk."""
        step = self.chunk_elements(entry)
        for first in range(0, entry.elements, step or 1):
            yield first, self.elements(entry, first, min(step, entry.elements - first))

    def byte_chunks(self, entry: TensorEntry) -> Iterator[tuple[int, memoryview]]:
        """The tensor's bytes, whatever its dtype: offset in the tensor, and bytes."""
        step = self.chunk_bytes // entry.type.alignment * entry.type.alignment
        for first in range(0, entry.bytes, step or 1):
            yield first, self.bytes(entry, first, min(step, entry.bytes - first))


def _swap(data: Tensor, entry: TensorEntry) -> None:
    """Turns the bytes of each number around, in place."""
    number_bytes = entry.type.bits // 8 // (2 if entry.type.format == _TWO_NUMBERS else 1)
    data.numpy().view(f"u{number_bytes}").byteswap(inplace=True)

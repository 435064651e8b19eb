"""Reading tensors whose elements do not lie one after the other: few reads of bounded size, put in order in memory."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from app.weightfiles.byte_ranges import ByteRanges
from app.weightfiles.file_header import element_count

SCRATCH_BYTES = 4 << 20
_CHEAP_BYTES = 16 << 10
"""A read of so many bytes costs little more than one of a few."""
_DENSITY = 4
"""So many times the wanted elements may be read, rather than each run of them by itself."""
_MOST_READS = 1 << 16
"""Of which the offsets are listed at a time."""
_WORDS = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}


@dataclass(frozen=True, slots=True)
class _Box:
    """Elements to read, all combinations of indices: where the first one lies, and where they are to be put."""

    offset: int
    strides: tuple[int, ...]
    target: Tensor

    @property
    def sizes(self) -> tuple[int, ...]:
        return tuple(self.target.shape)

    def part(self, dimension: int, first: int, count: int) -> "_Box":
        offset = self.offset + first * self.strides[dimension]
        return _Box(offset, self.strides, self.target.narrow(dimension, first, count))

    def halves(self, dimension: int) -> Iterator["_Box"]:
        size = self.sizes[dimension]
        yield self.part(dimension, 0, size // 2)
        yield self.part(dimension, size // 2, size - size // 2)

    def folded(self, dimension: int, count: int) -> Iterator["_Box"]:
        """The dimension as two, the inner one of `count`, and what is left over by itself."""
        times = self.sizes[dimension] // count
        whole = self.part(dimension, 0, times * count)
        stride = self.strides[dimension]
        strides = (*self.strides[:dimension], stride * count, stride, *self.strides[dimension + 1 :])
        sizes = (*self.sizes[:dimension], times, count, *self.sizes[dimension + 1 :])
        yield _Box(whole.offset, strides, whole.target.view(sizes))
        left = self.sizes[dimension] - times * count
        if left:
            yield self.part(dimension, times * count, left)


class StridedReads:
    """Gathers elements through one buffer of at most 4 MiB, which is used again."""

    def __init__(self) -> None:
        self._scratch = torch.empty(0, dtype=torch.uint8)

    def gather(
        self,
        ranges: ByteRanges,
        begin: int,
        item_bytes: int,
        shape: Sequence[int],
        strides: Sequence[int],
        first: int,
        target: Tensor,
    ) -> None:
        """Fills `target` (bytes) with the elements from `first` on, in the order of their indices.

        The tensor's first element lies at byte `begin` of `ranges`.
        """
        if not self._scratch.numel():
            self._scratch = torch.empty(SCRATCH_BYTES, dtype=torch.uint8)
        words = target.view(_WORDS[item_bytes])
        waiting = list(_boxes(tuple(shape), tuple(strides), 0, first, words))
        while waiting:
            waiting += self._read(ranges, begin, item_bytes, waiting.pop())

    def _read(self, ranges: ByteRanges, begin: int, item: int, box: _Box) -> Iterator[_Box] | tuple[()]:
        """Reads a box, or gives the smaller ones that it is to be read as."""
        span = 1
        wanted = 1
        inner: list[int] = []
        for dimension in sorted(range(len(box.strides)), key=box.strides.__getitem__):
            size, stride = box.sizes[dimension], box.strides[dimension]
            longer = span + (size - 1) * stride
            distinct = wanted * size if stride else wanted
            room = SCRATCH_BYTES if stride <= _DENSITY * wanted else _CHEAP_BYTES
            if longer * item > room:
                count = (room // item - span) // stride + 1
                if count > 1:
                    return box.folded(dimension, count)
                break
            span, wanted = longer, distinct
            inner.append(dimension)
        outer = [dimension for dimension in range(len(box.strides)) if dimension not in inner]
        reads = element_count(tuple(box.sizes[dimension] for dimension in outer))
        if reads * span * item > SCRATCH_BYTES or reads > _MOST_READS:
            return box.halves(max(outer, key=box.sizes.__getitem__))
        self._read_spans(ranges, begin, item, box, outer, span)
        return ()

    def _read_spans(self, ranges: ByteRanges, begin: int, item: int, box: _Box, outer: list[int], span: int) -> None:
        """One read of `span` elements for each combination of the outer indices, then all into their places."""
        offsets = np.array([box.offset])
        strides = list(box.strides)
        step = span
        for dimension in reversed(outer):
            offsets = (np.arange(box.sizes[dimension])[:, None] * box.strides[dimension] + offsets).reshape(-1)
            strides[dimension] = step
            step *= box.sizes[dimension]
        count = span * item
        view = self._scratch.numpy().data
        for at, offset in enumerate(offsets.tolist()):
            ranges.read_into(view[at * count : (at + 1) * count], begin + offset * item)
        words = self._scratch[: step * item].view(_WORDS[item])
        box.target.copy_(torch.as_strided(words, box.sizes, strides))


def _boxes(shape: tuple[int, ...], strides: tuple[int, ...], offset: int, first: int, target: Tensor) -> Iterator[_Box]:
    """A run of elements as boxes: the rest of the slice that it begins in, whole slices, and the begin of the last."""
    if not target.numel():
        return
    if not shape:
        yield _Box(offset, (), target.view(()))
        return
    inside = element_count(shape[1:])
    index, skipped = divmod(first, inside)
    head = min((inside - skipped) % inside, target.numel())
    whole = (target.numel() - head) // inside
    at = offset + index * strides[0]
    if head:
        yield from _boxes(shape[1:], strides[1:], at, skipped, target[:head])
        at += strides[0]
    if whole:
        yield _Box(at, strides, target[head : head + whole * inside].view(whole, *shape[1:]))
    yield from _boxes(shape[1:], strides[1:], at + whole * strides[0], 0, target[head + whole * inside :])

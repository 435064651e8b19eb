"""The numbers of one weight in bands of bounded size, read from its file as often as a coder wants."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from math import prod

import torch
from torch import Tensor

from app.layouts.weights import Weight, WeightReader
from app.layouts.writing import Band

BAND_ELEMENTS = 1 << 21
"""float32 of a band take 8 MiB: small beside what a process is, large beside what a call costs."""


def matrix_shape(shape: tuple[int, ...]) -> tuple[int, int]:
    """A tensor as a matrix: rows are what the last dimension holds; a vector or scalar is one row."""
    return prod(shape[:-1]), shape[-1] if shape else 1


class WeightNumbers:
    """See `Numbers`; `advance` is told the bytes of the source that were read, in the last pass alone."""

    def __init__(
        self,
        weight: Weight,
        reader: WeightReader,
        advance: Callable[[int], None] = lambda _count: None,
        *,
        band_elements: int | None = None,
    ) -> None:
        self._weight = weight
        self._reader = reader
        self._advance = advance
        self._band_elements = band_elements or BAND_ELEMENTS
        self._told = 0
        self._buffer = torch.empty(0)

    @property
    def weight(self) -> Weight:
        """See `Numbers`."""
        return self._weight

    @property
    def shape(self) -> tuple[int, int]:
        """See `Numbers`."""
        return matrix_shape(self._weight.shape)

    def reshaped(self, shape: tuple[int, int]) -> "WeightNumbers":
        """See `Numbers`."""
        return self._of(replace(self._weight, shape=shape))

    def turned(self) -> "WeightNumbers":
        """See `Numbers`."""
        (entry, *_), (rows, columns) = self._weight.parts, self.shape
        down, across = entry.strides or (columns, 1)
        part = replace(entry, shape=(columns, rows), strides=(across, down))
        return self._of(replace(self._weight, shape=(columns, rows), parts=(part,)))

    def _of(self, weight: Weight) -> "WeightNumbers":
        return WeightNumbers(weight, self._reader, self._advance, band_elements=self._band_elements)

    def bands(self, unit_rows: int = 1, unit_columns: int | None = None) -> Iterator[Band]:
        """See `Numbers`."""
        rows, columns = self.shape
        if not rows * columns:
            return
        if unit_columns is not None and columns > max(self._band_elements, unit_columns):
            step = max(self._band_elements // unit_columns, 1) * unit_columns
            for row in range(rows):
                for column in range(0, columns, step):
                    count = min(step, columns - column)
                    yield Band(row, column, self._values(row * columns + column, count).view(1, count))
            return
        step = max(self._band_elements // columns // unit_rows, 1) * unit_rows
        for row in range(0, rows, step):
            count = min(step, rows - row)
            yield Band(row, 0, self._values(row * columns, count * columns).view(count, columns))

    def chunks(self) -> Iterator[tuple[int, Tensor]]:
        """See `Numbers`."""
        for first, chunk in self._reader.chunks(self._weight):
            yield first, chunk
            self._tell(first + chunk.numel())

    def byte_chunks(self, part: int = 0) -> Iterator[tuple[int, memoryview]]:
        """See `Numbers`."""
        for first, data in self._reader.tensors.byte_chunks(self._weight.parts[part]):
            yield first, data
            self._advance(len(data))

    def _values(self, first: int, count: int) -> Tensor:
        """float32 of elements, in a buffer of ours that is used again."""
        if self._buffer.numel() < count:
            self._buffer = torch.empty(count)
        values = self._buffer[:count]
        filled = 0
        while filled < count:
            # A chunk of the reader may be smaller than a band.
            part = self._part(first + filled, count - filled)
            values[filled : filled + part.numel()] = part
            filled += part.numel()
        self._tell(first + count)
        return values

    def _part(self, first: int, count: int) -> Tensor:
        """Elements from `first` on, at most a chunk of them; read in whole units of the weight's encoding."""
        encoding = self._weight.encoding
        unit = 1 if encoding is None else encoding.decoder.unit
        begin = first // unit * unit
        end = min(begin + self._reader.chunk_elements(self._weight), self._weight.elements)
        wanted = min(end, -(-(first + count) // unit) * unit)
        found = self._reader.elements(self._weight, begin, wanted - begin)
        return found[first - begin : first - begin + count]

    def _tell(self, elements: int) -> None:
        """Progress in the source's bytes: only what no pass has reached before counts."""
        done = self._weight.bytes * elements // max(self._weight.elements, 1)
        if done > self._told:
            self._advance(done - self._told)
            self._told = done

"""A look at a window of one tensor: a picture of its values or of one of its bits, and the numbers of a small window.

Read in the job's own process; every run of rows is pooled as it is read, so a tensor of any size needs one chunk.
"""

import base64
import math
import os
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from app.errors import NotFound, WeightFileError
from app.layouts.weights import Weight, WeightReader, find_weights
from app.metrics.code_counts import words_of
from app.tasks.grey_png import grey_png
from app.tasks.look_window import VALUES, LookWindow, MatrixShape
from app.tasks.threads import one_thread
from app.weightfiles.range_reader import WeightFile
from app.weightfiles.strict_json import shown

BINADES = 8
"""Between black and white: each halving of a magnitude is an eighth lighter."""
Grid = npt.NDArray[np.float64]


def look_at(path: str | os.PathLike[str], tensor: str, window: LookWindow) -> dict[str, Any]:
    """The document of a look: the picture, where it lies, and in small windows every code and number.

    Raises:
        NotFound: `look.no-tensor`.
        WeightFileError: `look.unreadable`, or the file breaks a rule of its container.
    """
    with one_thread(), WeightFile(path) as file:
        weight = next((weight for weight in find_weights(file) if weight.name == tensor), None)
        if weight is None:
            raise NotFound("look.no-tensor", tensor=shown(tensor))
        matrix = MatrixShape.of(weight.shape)
        inside = LookWindow.within(matrix, _sides(window), window.plane)
        if not weight.is_readable or inside != window or not weight.elements:
            raise WeightFileError("look.unreadable", tensor=shown(tensor))
        look = _Look(weight, matrix, window)
        for first, elements in _elements(WeightReader(file), weight, *_span(matrix, window, weight.elements)):
            look.add(first, elements)
        file.ensure_unchanged()
        return look.document()


def _sides(window: LookWindow) -> dict[str, int]:
    return {"top": window.top, "left": window.left, "rows": window.rows, "columns": window.columns}


def _span(matrix: MatrixShape, window: LookWindow, elements: int) -> tuple[int, int]:
    first = window.top * matrix.columns
    return first, min((window.top + window.rows) * matrix.columns, elements)


def _elements(reader: WeightReader, weight: Weight, first: int, end: int) -> Iterator[tuple[int, Tensor]]:
    """The elements from `first` to `end`, in whole units of the weight's encoding."""
    unit = weight.encoding.decoder.unit if weight.encoding else 1
    step = reader.chunk_elements(weight)
    start = first - first % unit
    while start < end:
        count = min(step, -(-(end - start) // unit) * unit, weight.elements - start)
        chunk = reader.elements(weight, start, count)
        skipped = max(first - start, 0)
        yield start + skipped, chunk[skipped : min(count, end - start)].contiguous()
        start += count


class _Look:
    """Pools the elements of the window that it is fed into cells."""

    def __init__(self, weight: Weight, matrix: MatrixShape, window: LookWindow) -> None:
        self._weight = weight
        self._matrix = matrix
        self._window = window
        self._cells: Grid = np.zeros(window.cells)
        self._counts: Grid = np.zeros(window.cells)
        self._strange = np.zeros(window.cells, dtype=np.bool_)
        self._codes: dict[tuple[int, int], tuple[str, float]] = {}

    def add(self, first: int, elements: Tensor) -> None:
        """Elements in row-major order from element `first` of the tensor on."""
        start, columns = 0, self._matrix.columns
        while start < elements.numel():
            row, column = divmod(first + start, columns)
            left = elements.numel() - start
            rows, width = (left // columns, columns) if column == 0 and left >= columns else (1, 0)
            width = width or min(columns - column, left)
            self._add_block(row, column, elements[start : start + rows * width].view(rows, width))
            start += rows * width

    def _add_block(self, row: int, column: int, block: Tensor) -> None:
        window = self._window
        low, high = max(column, window.left), min(column + block.shape[1], window.left + window.columns)
        if low >= high:
            return
        seen = block[:, low - column : high - column].contiguous()
        if window.has_numbers:
            self._note_numbers(row - window.top, low - window.left, seen)
        if window.plane == VALUES:
            self._pool(row - window.top, low - window.left, *_magnitudes(seen))
        else:
            ones = _plane(seen, int(window.plane))
            self._pool(row - window.top, low - window.left, ones, None)

    def _pool(self, row: int, column: int, values: Grid, strange: npt.NDArray[np.bool_] | None) -> None:
        down, across = self._window.cell
        rows, row_starts = _cells_of(row, values.shape[0], down)
        columns, column_starts = _cells_of(column, values.shape[1], across)
        place = (slice(rows, rows + len(row_starts)), slice(columns, columns + len(column_starts)))
        if strange is None:
            sums = np.add.reduceat(np.add.reduceat(values, column_starts, axis=1), row_starts, axis=0)
            self._cells[place] += sums
            ends = np.diff([*row_starts, values.shape[0]])[:, None] * np.diff([*column_starts, values.shape[1]])
            self._counts[place] += ends
            return
        largest = np.maximum.reduceat(np.maximum.reduceat(values, column_starts, axis=1), row_starts, axis=0)
        self._cells[place] = np.maximum(self._cells[place], largest)
        any_strange = np.logical_or.reduceat(np.logical_or.reduceat(strange, column_starts, axis=1), row_starts, axis=0)
        self._strange[place] |= any_strange

    def _note_numbers(self, row: int, column: int, seen: Tensor) -> None:
        digits = seen.dtype.itemsize * 2
        codes = words_of(seen).view(f"<u{seen.dtype.itemsize}").reshape(seen.shape)
        numbers = _numbers(seen)
        for index in np.ndindex(*seen.shape):
            code = f"0x{int(codes[index]):0{digits}x}"
            self._codes[row + index[0], column + index[1]] = (code, float(numbers[index]))

    def document(self) -> dict[str, Any]:
        """As JSON has it; numbers that are none come as texts."""
        window, height, width = self._window, *self._window.cells
        largest = float(self._cells.max())
        shades = self._shades(largest)
        document: dict[str, Any] = {
            "tensor": self._weight.name,
            "format": self._weight.format,
            "matrix": [self._matrix.rows, self._matrix.columns],
            "window": window.to_json(),
            "cell": list(window.cell),
            "width": width,
            "height": height,
            "largest": largest if window.plane == VALUES else None,
            "ones": None if window.plane == VALUES else float(self._cells.sum() / max(self._counts.sum(), 1.0)),
            "strange": int(self._strange.sum()),
            "png": base64.b64encode(grey_png(shades.tobytes(), width, height)).decode("ascii"),
            "numbers": None,
        }
        if window.has_numbers:
            document["numbers"] = [
                [self._number(row, column) for column in range(window.columns)] for row in range(window.rows)
            ]
        return document

    def _number(self, row: int, column: int) -> list[Any] | None:
        found = self._codes.get((row, column))
        if found is None:  # behind the end of a tensor of one dimension
            return None
        code, value = found
        return [code, value if math.isfinite(value) else str(value)]

    def _shades(self, largest: float) -> npt.NDArray[np.uint8]:
        if self._window.plane != VALUES:
            shares = np.divide(self._cells, self._counts, out=np.zeros_like(self._cells), where=self._counts > 0)
            return _bytes(shares * 255)
        shades = np.zeros(self._cells.shape)
        is_there = self._cells > 0
        if is_there.any():
            # The quotient of two numbers near either end of float64 stays within it: logarithms are subtracted.
            steps = np.log2(self._cells[is_there]) - math.log2(largest)
            shades[is_there] = np.clip(255 * (1 + steps / BINADES), 6, 255)
        shades[self._strange] = 255
        return _bytes(shades)


def _bytes(shades: Grid) -> npt.NDArray[np.uint8]:
    found: npt.NDArray[np.uint8] = np.rint(shades).astype(np.uint8)
    return found


def _cells_of(first: int, count: int, size: int) -> tuple[int, npt.NDArray[np.int64]]:
    """The first cell of a run, and where in the run each of its cells begins."""
    cell = first // size
    last = (first + count - 1) // size
    return cell, np.maximum(np.arange(cell, last + 1) * size - first, 0)


def _numbers(seen: Tensor) -> Grid:
    plain = seen.view(torch.uint8) if seen.dtype is torch.bool else seen
    numbers: Grid = plain.to(torch.float64).numpy()
    return numbers


def _magnitudes(seen: Tensor) -> tuple[Grid, npt.NDArray[np.bool_]]:
    numbers = np.abs(_numbers(seen))
    strange = ~np.isfinite(numbers)
    return np.where(strange, 0.0, numbers), strange


def _plane(seen: Tensor, bit: int) -> Grid:
    """Bit `bit` of each code, counted from the least significant one."""
    width = seen.dtype.itemsize * 8
    words = words_of(seen).reshape(*seen.shape, -1)
    piece = min(bit, width - 1) // 16
    return ((words[..., piece] >> (min(bit, width - 1) % 16)) & 1).astype(np.float64)

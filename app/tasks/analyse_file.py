"""What a weight file holds: its header, and exact figures of every weight."""

import os
import time
from collections.abc import Callable, Iterator
from typing import Any

from torch import Tensor

from app.layouts.weights import Weight, WeightReader, find_weights
from app.tasks.block_look import block_look
from app.tasks.file_outline import Outlined, outline_document
from app.tasks.list_tensors import left_out
from app.tasks.progress import Progress, no_progress
from app.tasks.tensor_figures import DETAILS, UNKNOWN, channel_bins, tensor_figures
from app.tasks.threads import one_thread
from app.weightfiles.range_reader import WeightFile

Part = Callable[[dict[str, Any]], None]
"""Told what is known so far: `{"outline": document}` first, then `{"rows": [[place, row, details], ...]}`."""
_PART_SECONDS = 0.4
_MOST_ROWS = 200


def analyse_file(
    path: str | os.PathLike[str], progress: Progress = no_progress, on_part: Part | None = None
) -> dict[str, Any]:
    """The analysis document of a weight file; statistics are of the finite elements, null where there are none.

    With `on_part`, the details of each tensor are told to it and to nobody else, so that they need not be held.

    Raises:
        WeightFileError: the file breaks a rule of its container, or changes meanwhile.
    """
    with one_thread(), WeightFile(path) as file:
        weights = find_weights(file)
        header = file.header
        document = outline_document(header.kind, header.file_bytes, header.metadata, map(_outlined, weights))
        if on_part is not None:
            on_part({"outline": document})
        rows = _Rows(document["tensors"], on_part)
        analysis = _Analysis(WeightReader(file), progress, channel_bins(len(weights)))
        for weight in weights:
            rows.add(analysis.figures(weight))
        rows.flush()
        file.ensure_unchanged()
        return {**document, **left_out(header), "tensors": rows.rows}


def _outlined(weight: Weight) -> Outlined:
    encoding = weight.encoding
    layout, scheme = (encoding.layout, encoding.scheme) if encoding else (None, None)
    return Outlined(weight.name, weight.format, weight.shape, weight.bytes, weight.elements, layout, scheme)


class _Rows:
    """The rows in the order of the outline, told on in batches."""

    def __init__(self, outlines: list[dict[str, Any]], on_part: Part | None) -> None:
        self.rows: list[dict[str, Any]] = []
        self._outlines = outlines
        self._on_part = on_part
        self._batch: list[list[Any]] = []
        self._told_at = time.monotonic()

    def add(self, figures: dict[str, Any]) -> None:
        place = len(self.rows)
        row = {**self._outlines[place], **figures}
        if self._on_part is not None:
            details = {name: row.pop(name) for name in (*DETAILS, "stored", "block") if name in row}
            self._batch.append([place, row, details])
            row = {name: value for name, value in row.items() if name != "histogram"}
            if len(self._batch) >= _MOST_ROWS or time.monotonic() - self._told_at >= _PART_SECONDS:
                self.flush()
        self.rows.append(row)

    def flush(self) -> None:
        if self._on_part is not None and self._batch:
            self._on_part({"rows": self._batch})
            self._batch = []
            self._told_at = time.monotonic()


class _Analysis:
    """The figures, and how far they are: bytes of the file, whatever is made of them."""

    def __init__(self, reader: WeightReader, progress: Progress, most_bins: int) -> None:
        self._reader = reader
        self._progress = progress
        self._most_bins = most_bins
        self._done = 0

    def figures(self, weight: Weight) -> dict[str, Any]:
        found = dict(UNKNOWN)
        if weight.is_readable and weight.elements:
            found = tensor_figures(self._readings(weight), weight.shape, weight.format, self._most_bins)
        elif weight.is_readable:
            found = {**UNKNOWN, "zeros": 0, "nans": 0, "infinities": 0}
        if weight.encoding is not None:
            found["stored"] = [_stored(part) for part in weight.parts]
            found["block"] = block_look(self._reader, weight)
        self._done += weight.bytes
        self._progress(self._done, weight.name)
        return found

    def _readings(self, weight: Weight) -> Callable[[], Iterator[tuple[int, Tensor]]]:
        """Numbers of more than 16 bits are read twice: each reading then counts for half."""
        share = 0.0

        def reading() -> Iterator[tuple[int, Tensor]]:
            nonlocal share
            for first, chunk in self._reader.chunks(weight):
                yield first, chunk
                readings = 1 if chunk.dtype.itemsize <= 2 else 2
                share += chunk.numel() / weight.elements / readings
                self._progress(self._done + int(weight.bytes * min(share, 1.0)), weight.name)

        return reading


def _stored(part: Any) -> dict[str, Any]:
    return {"name": part.name, "dtype": part.type.format, "shape": list(part.shape), "bytes": part.bytes}

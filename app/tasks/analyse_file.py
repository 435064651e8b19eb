"""What a weight file holds: its header, and exact statistics of every tensor."""

import os
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from torch import Tensor

from app.metrics.statistics import Histogram, StatisticsPass, histogram_pass
from app.tasks.progress import Progress, no_progress
from app.tasks.threads import one_thread
from app.weightfiles.file_header import FileHeader, TensorEntry
from app.weightfiles.range_reader import WeightFile
from app.weightfiles.tensor_reader import TensorReader

_UNKNOWN = dict.fromkeys(("min", "max", "mean", "std", "zeros", "nans", "infinities", "histogram"))


def analyse_file(path: str | os.PathLike[str], progress: Progress = no_progress) -> dict[str, Any]:
    """The analysis document of a weight file; statistics are of the finite elements, null where there are none.

    Raises:
        WeightFileError: the file breaks a rule of its container, or changes meanwhile.
    """
    with one_thread(), WeightFile(path) as file:
        rows = _Analysis(TensorReader(file), progress).rows(file.header)
        file.ensure_unchanged()
        return {
            "bytes": file.header.file_bytes,
            "kind": "safetensors",
            "metadata": dict(file.header.metadata),
            "totals": _totals(file.header),
            "tensors": rows,
        }


def _totals(header: FileHeader) -> dict[str, Any]:
    by_dtype: dict[str, dict[str, int]] = {}
    for entry in header.tensors:
        total = by_dtype.setdefault(entry.type.format, {"tensors": 0, "bytes": 0})
        total["tensors"] += 1
        total["bytes"] += entry.bytes
    return {
        "tensors": len(header.tensors),
        "parameters": sum(entry.elements for entry in header.tensors),
        "bytes": sum(entry.bytes for entry in header.tensors),
        "by_dtype": by_dtype,
    }


class _Analysis:
    """The rows, and how far they are: the two passes over a tensor count half its bytes each."""

    def __init__(self, reader: TensorReader, progress: Progress) -> None:
        self._reader = reader
        self._progress = progress
        self._done = 0

    def rows(self, header: FileHeader) -> list[dict[str, Any]]:
        rows = []
        for entry in header.tensors:
            start = self._done
            rows.append(self._row(entry))
            self._done = start + entry.bytes
            self._progress(self._done, entry.name)
        return rows

    def _row(self, entry: TensorEntry) -> dict[str, Any]:
        return {
            "name": entry.name,
            "dtype": entry.type.format,
            "shape": list(entry.shape),
            "bytes": entry.bytes,
            "elements": entry.elements,
            **(self._figures(entry) if entry.type.is_readable else _UNKNOWN),
        }

    def _figures(self, entry: TensorEntry) -> dict[str, Any]:
        gathered = StatisticsPass()
        for chunk in self._chunks(entry):
            gathered.add(chunk)
        statistics = gathered.statistics()
        histogram = None
        if statistics.min is not None and statistics.max is not None:
            histogram = histogram_pass(self._chunks(entry), statistics.min, statistics.max)
        return {**asdict(statistics), "histogram": None if histogram is None else _histogram_document(histogram)}

    def _chunks(self, entry: TensorEntry) -> Iterator[Tensor]:
        for _, chunk in self._reader.chunks(entry):
            yield chunk
            self._done += chunk.nbytes // 2
            self._progress(self._done, entry.name)


def _histogram_document(histogram: Histogram) -> dict[str, Any]:
    return {"low": histogram.low, "high": histogram.high, "counts": list(histogram.counts)}

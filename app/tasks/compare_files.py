"""The error of every tensor of a compressed file against its original, both read back from disk."""

import os
from typing import Any

from app.errors import WeightFileError
from app.metrics.error_sums import NO_ERROR, ErrorFigures
from app.tasks.progress import Advance, Progress, advance_from, no_progress
from app.tasks.stored_pairs import PackedPair, plain_error
from app.tasks.tensor_report import packed_text
from app.tasks.threads import one_thread
from app.weightfiles.file_header import TensorEntry
from app.weightfiles.range_reader import WeightFile
from app.weightfiles.tensor_reader import TensorReader

PathLike = str | os.PathLike[str]


def compare_files(original: PathLike, compressed: PathLike, progress: Progress = no_progress) -> dict[str, Any]:
    """The comparison: `{"bytes_before", "bytes_after", "ratio", "tensors", "missing", "unexpected"}`.

    `missing` names tensors that only the original has, `unexpected` those that only the compressed file has.

    Raises:
        WeightFileError: either file breaks a rule, or two tensors of a name cannot be compared.
    """
    with one_thread(), WeightFile(original) as before, WeightFile(compressed) as after:
        comparison = _Comparison(before, after)
        rows = comparison.rows(progress)
        if not rows:
            raise WeightFileError("compare.nothing-common")
        return {
            "bytes_before": before.header.file_bytes,
            "bytes_after": after.header.file_bytes,
            "ratio": before.header.file_bytes / after.header.file_bytes,
            "tensors": rows,
            "missing": comparison.missing,
            "unexpected": [name for name in comparison.stored if name not in comparison.used],
        }


class _Comparison:
    """Pairs of tensors: the same name, or the three tensors of packed codes."""

    def __init__(self, before: WeightFile, after: WeightFile) -> None:
        self.stored = {entry.name: entry for entry in after.header.tensors}
        self.used: set[str] = set()
        self.missing: list[str] = []
        self._entries = before.header.tensors
        self._before = TensorReader(before)
        self._after = TensorReader(after)

    def rows(self, progress: Progress) -> list[dict[str, Any]]:
        rows = []
        done = 0
        for entry in self._entries:
            stored = self._stored(entry)
            if stored:
                self.used.update(part.name for part in stored)
                advance = advance_from(done, entry.name, progress)
                rows.append(_row(entry, stored, self._error(entry, stored, advance)))
            else:
                self.missing.append(entry.name)
            done += entry.bytes
            progress(done, entry.name)
        return rows

    def _stored(self, entry: TensorEntry) -> tuple[TensorEntry, ...]:
        if entry.name in self.stored:
            return (self.stored[entry.name],)
        packed = tuple(f"{entry.name}_{part}" for part in ("packed", "scale", "shape"))
        return tuple(self.stored[name] for name in packed) if all(name in self.stored for name in packed) else ()

    def _error(self, entry: TensorEntry, stored: tuple[TensorEntry, ...], advance: Advance) -> ErrorFigures:
        if len(stored) == 1:
            return plain_error(entry, self._before, stored[0], self._after, advance)
        packed, scale, shape = stored
        return PackedPair(entry, self._before, (packed, scale, shape), self._after).error(advance)


def _row(entry: TensorEntry, stored: tuple[TensorEntry, ...], figures: ErrorFigures) -> dict[str, Any]:
    bytes_after = sum(part.bytes for part in stored)
    return {
        "name": entry.name,
        "dtype": entry.type.format,
        "shape": list(entry.shape),
        # Another format is another storage, whatever it lost; the same format with another value is a change too.
        "kept": len(stored) == 1 and stored[0].type == entry.type and figures == NO_ERROR,
        "stored_as": stored[0].type.format if len(stored) == 1 else packed_text(stored[1].type.format),
        "bytes_before": entry.bytes,
        "bytes_after": bytes_after,
        "bits_per_weight": bytes_after * 8 / entry.elements if entry.elements else None,
        **figures.to_json(),
    }

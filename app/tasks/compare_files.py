"""The error of every weight of a compressed file against its original, both read back from disk."""

import os
from typing import Any

from app.errors import WeightFileError
from app.layouts.gguf_original import original_weights
from app.layouts.tied_weights import tied_names
from app.layouts.weights import Weight, WeightReader, find_weights
from app.metrics.error_sums import NO_ERROR, ErrorFigures
from app.tasks.progress import Progress, advance_from, no_progress
from app.tasks.stored_pairs import is_kept, pair_error
from app.tasks.threads import one_thread
from app.weightfiles.range_reader import WeightFile

PathLike = str | os.PathLike[str]


def compare_files(original: PathLike, compressed: PathLike, progress: Progress = no_progress) -> dict[str, Any]:
    """The comparison: `{"bytes_before", "bytes_after", "ratio", "tensors", "missing", "unexpected"}`.

    Weights are paired by name, whatever their layouts and containers; one that is stored under another's name, as the
    metadata of tied tensors tells, is compared with that. `missing` names weights that only the original has,
    `unexpected` those that only the compressed file has.

    Raises:
        WeightFileError: either file breaks a rule, or two weights of a name cannot be compared.
    """
    with one_thread(), WeightFile(original) as before, WeightFile(compressed) as after:
        comparison = _Comparison(before, after)
        rows = comparison.rows(progress)
        if not rows:
            raise WeightFileError("compare.nothing-common")
        for file in (before, after):
            file.ensure_unchanged()
        return {
            "bytes_before": before.header.file_bytes,
            "bytes_after": after.header.file_bytes,
            "ratio": before.header.file_bytes / after.header.file_bytes,
            "tensors": rows,
            "missing": comparison.missing,
            "unexpected": [name for name in comparison.stored if name not in comparison.used],
        }


class _Comparison:
    """Pairs of weights of the same name."""

    def __init__(self, before: WeightFile, after: WeightFile) -> None:
        self._weights, found = find_weights(before), find_weights(after)
        if before.header.kind != after.header.kind:
            # llama.cpp has names and an order of rows of its own.
            self._weights = original_weights(before.header, self._weights)
            found = original_weights(after.header, found)
        self.stored = {weight.name: weight for weight in found}
        self.used: set[str] = set()
        self.missing: list[str] = []
        self._tied = tied_names(after.header.metadata, self.stored)
        self._before = WeightReader(before)
        self._after = WeightReader(after)

    def rows(self, progress: Progress) -> list[dict[str, Any]]:
        rows = []
        done = 0
        for weight in self._weights:
            stored = self.stored.get(self._tied.get(weight.name, weight.name))
            if stored is None:
                self.missing.append(weight.name)
            else:
                self.used.add(stored.name)
                advance = advance_from(done, weight.name, progress)
                figures = pair_error(weight, self._before, stored, self._after, advance)
                rows.append(_row(weight, stored, figures))
            done += weight.bytes
            progress(done, weight.name)
        return rows


def _row(weight: Weight, stored: Weight, figures: ErrorFigures) -> dict[str, Any]:
    return {
        "name": weight.name,
        "dtype": weight.format,
        "shape": list(weight.shape),
        "source": None if weight.encoding is None else weight.stored_as,
        # Another format is another storage, whatever it lost; the same format with another value is a change too.
        "kept": is_kept(weight, stored) and figures == NO_ERROR,
        "stored_as": stored.stored_as,
        "bytes_before": weight.bytes,
        "bytes_after": stored.bytes,
        "bits_per_weight": stored.bytes * 8 / weight.elements if weight.elements else None,
        **figures.to_json(),
    }

"""Any readable source back to plain floats in safetensors: each weight decoded, in chunks, once."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from app.errors import InvalidInput
from app.formats import FloatFormat, find_format
from app.layouts.gguf_original import original_weights
from app.layouts.weights import WeightReader, find_weights
from app.metrics.blocks import blocks
from app.schemes.casts import CastCounts, cast_block
from app.tasks.expand_plan import ExpandedWeight, ExpandPlan, plan_expansion
from app.tasks.expand_target import ExpandTarget
from app.tasks.progress import Progress, advance_from, no_progress
from app.tasks.threads import one_thread
from app.weightfiles.file_layout import FileLayout
from app.weightfiles.part_file import PartFile, sha256_of
from app.weightfiles.range_reader import WeightFile

PathLike = str | os.PathLike[str]
DTYPES = ("float64", "float32", "bfloat16", "float16")
"""What floats may be written as."""


def expand_file(
    source: PathLike,
    target: PathLike,
    *,
    dtype: str | None = None,
    force: bool = False,
    progress: Progress = no_progress,
) -> dict[str, Any]:
    """Writes all weights of `source` as plain numbers, and tells what was done to each.

    `target` is one file if it ends in `.safetensors`, else a folder: in as many shards as the source has, with the
    files of the model beside them and its config without the quantization. Floats are written in the dtype that the
    owner of their layout computes in, or all in `dtype`; whole numbers as they are. The same input gives the same
    bytes.

    Raises:
        InvalidInput: `expand.dtype`, `output.is-source`.
        Conflict: `output.exists`, `output.not-writable`, `output.no-folder`.
        WeightFileError: the source breaks a rule; `expand.unreadable`, a weight that is no numbers to us.
        StorageFull: the disk has no room.
    """
    if dtype is not None and dtype not in DTYPES:
        raise InvalidInput("expand.dtype", dtype=dtype[:40], known=", ".join(DTYPES))
    output = ExpandTarget(Path(target), Path(source))
    output.check(force=force)
    with one_thread(), WeightFile(source) as file:
        weights = original_weights(file.header, find_weights(file))
        plan = plan_expansion(file, weights, dtype, is_folder=output.is_folder)
        with output.writing(plan) as paths:
            rows = _Expansion(file, progress).rows(plan, paths)
            output.write_companions(file.source, plan, dtype)
        return {
            "bytes_before": file.header.file_bytes,
            "bytes_after": sum(each.layout.file_bytes for each in plan.files),
            "files": [_file_row(path) for path in paths],
            "tensors": rows,
            "tied": plan.tied,
        }


def _file_row(path: Path) -> dict[str, Any]:
    return {"name": path.name, "bytes": path.stat().st_size, "sha256": sha256_of(path)}


class _Expansion:
    """All files being written."""

    def __init__(self, file: WeightFile, progress: Progress) -> None:
        self._file = file
        self._reader = WeightReader(file)
        self._progress = progress
        self._done = 0

    def rows(self, plan: ExpandPlan, paths: Sequence[Path]) -> list[dict[str, Any]]:
        """Writes every part, and gives a row for each weight."""
        rows = []
        for path, planned in zip(paths, plan.files, strict=True):
            with PartFile(path, create=True) as part:
                part.reserve(planned.layout.file_bytes)
                part.write(planned.layout.head, 0)
                rows += [self._write(item, planned.layout, part) for item in planned.weights]
                self._file.ensure_unchanged()
                part.sync()
        return rows

    def _write(self, item: ExpandedWeight, layout: FileLayout, part: PartFile) -> dict[str, Any]:
        weight, counts = item.weight, CastCounts()
        advance = advance_from(self._done, weight.name, self._progress)
        written = 0
        for data in self._data(item, counts):
            for name in item.names:
                part.write(data, layout.begins[name] + written)
            written += len(data)
            advance(len(data) * weight.bytes // item.bytes)
        self._done += weight.bytes
        self._progress(self._done, weight.name)
        return {
            "name": weight.name,
            "stored_as": weight.stored_as,
            "dtype": item.format,
            "shape": list(weight.shape),
            "bytes_before": weight.bytes,
            "bytes_after": item.bytes,
            "overflowed": counts.overflowed,
        }

    def _data(self, item: ExpandedWeight, counts: CastCounts) -> Iterator[memoryview]:
        weight = item.weight
        if not weight.is_readable:
            for _, view in self._reader.tensors.byte_chunks(weight.parts[0]):
                yield view
            return
        for _, chunk in self._reader.chunks(weight):
            yield _bytes_of(chunk if item.format == weight.format else _cast(chunk, item.format, counts))


def _cast(chunk: Tensor, name: str, counts: CastCounts) -> Tensor:
    target = find_format(name)
    assert isinstance(target, FloatFormat)
    return torch.cat([cast_block(block, target, counts) for block in blocks(chunk)])


def _bytes_of(numbers: Tensor) -> memoryview:
    return numbers.contiguous().view(torch.uint8).numpy().data

"""The steps of a compression, each of which may be repeated: lay out `OUTPUT.part`, fill it, rename it."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from app.errors import Conflict
from app.metrics.error_sums import ErrorFigures
from app.schemes.casts import CastCounts
from app.tasks.compress_options import CompressOptions
from app.tasks.compress_tensor import Advance, Int8Tensor, Write, cast_tensor, copy_tensor
from app.tasks.file_plan import FilePlan, TensorPlan, plan_file
from app.tasks.progress import Progress, no_progress
from app.tasks.tensor_report import compressed_row, kept_row
from app.tasks.threads import one_thread
from app.weightfiles.part_file import PartFile, part_path, publish, sha256_of
from app.weightfiles.range_reader import WeightFile
from app.weightfiles.tensor_reader import TensorReader

PathLike = str | os.PathLike[str]


def plan_compression(source: PathLike, output: PathLike, options: CompressOptions) -> dict[str, Any]:
    """Checks source and options and lays out `output.part`: `{"steps", "output_bytes", "bytes"}`.

    Raises:
        WeightFileError: the source cannot be compressed so.
        StorageFull: the disk has no room for the output.
    """
    with WeightFile(source) as file:
        plan = plan_file(file.header, options)
    with PartFile(Path(output), create=True) as part:
        part.reserve(plan.layout.file_bytes)
        part.write(plan.layout.head, 0)
        part.sync()
    return {"steps": len(plan.steps), "output_bytes": plan.layout.file_bytes, "bytes": plan.bytes_to_read}


def run_step(
    source: PathLike, output: PathLike, options: CompressOptions, step: int, progress: Progress = no_progress
) -> list[dict[str, Any]]:
    """Writes the tensors of one step into `output.part`, syncs, and gives their report rows.

    Raises:
        WeightFileError: a tensor that the scheme refuses, or a source that changed.
        Conflict: the part is not the one that was planned.
    """
    with one_thread(), WeightFile(source) as file, PartFile(Path(output)) as part:
        plan = plan_file(file.header, options)
        if not part.starts_with(plan.layout.head):
            raise Conflict("output.part-differs", name=Path(output).name)
        rows = []
        done = plan.bytes_before_step(step)
        reader = TensorReader(file)
        for index in plan.steps[step]:
            tensor = plan.tensors[index]
            rows.append(_run_tensor(plan, tensor, reader, part, _advance_from(done, tensor.entry.name, progress)))
            done += tensor.entry.bytes
        file.ensure_unchanged()
        part.sync()
    return rows


def _run_tensor(
    plan: FilePlan, tensor: TensorPlan, reader: TensorReader, part: PartFile, advance: Advance
) -> dict[str, Any]:
    write = _writer(plan, part)
    if tensor.kept is not None:
        copy_tensor(tensor, reader, write, advance)
        return kept_row(tensor)
    figures: ErrorFigures
    counts = CastCounts()
    if plan.options.card.is_cast:
        figures, counts = cast_tensor(tensor, reader, write, advance)
    else:
        assert plan.options.granularity is not None
        figures = Int8Tensor(tensor, reader, write, advance).run(plan.options.granularity)
    return compressed_row(tensor, plan.options, figures, counts)


def _writer(plan: FilePlan, part: PartFile) -> Write:
    def write(name: str, offset: int, data: Tensor | memoryview) -> None:
        part.write(_bytes_of(data) if isinstance(data, Tensor) else data, plan.layout.begins[name] + offset)

    return write


def _bytes_of(tensor: Tensor) -> memoryview:
    flat = tensor.contiguous().view(-1)
    return flat.view(torch.uint8).numpy().data


def _advance_from(start: int, name: str, progress: Progress) -> Advance:
    done = start

    def advance(count: int) -> None:
        nonlocal done
        done += count
        progress(done, name)

    return advance


def finish_compression(
    source: PathLike, output: PathLike, options: CompressOptions, rows: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """Renames `output.part` to `output`, durably, and gives the report; once more, it gives the same report.

    Raises:
        Conflict: neither the part nor the output is the file that was planned.
    """
    output = Path(output)
    with WeightFile(source) as file:
        plan = plan_file(file.header, options)
        source_bytes = file.header.file_bytes
    is_renamed = not part_path(output).exists()
    written = output if is_renamed else part_path(output)
    _ensure_planned(written, plan, output.name)
    digest = sha256_of(written)
    if not is_renamed:
        with PartFile(output) as part:
            part.sync()
        publish(output)
    return _report(plan, source_bytes, digest, rows)


def _ensure_planned(written: Path, plan: FilePlan, name: str) -> None:
    try:
        with written.open("rb") as file:
            head = file.read(len(plan.layout.head))
            size = os.fstat(file.fileno()).st_size
    except FileNotFoundError:
        raise Conflict("output.part-missing", name=name) from None
    if head != plan.layout.head or size != plan.layout.file_bytes:
        raise Conflict("output.part-differs", name=name)


def _report(plan: FilePlan, source_bytes: int, digest: str, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    options = plan.options
    assert len(rows) == len(plan.tensors), "a report needs the rows of every step"
    return {
        "scheme": options.scheme,
        "granularity": options.granularity,
        "symmetric": None if options.card.is_cast else options.symmetric,
        "scale": options.scale,
        "layout": options.card.layout.value,
        "source": {"bytes": source_bytes},
        "bytes_before": source_bytes,
        "bytes_after": plan.layout.file_bytes,
        "ratio": source_bytes / plan.layout.file_bytes,
        "sha256": digest,
        "tensors": list(rows),
    }

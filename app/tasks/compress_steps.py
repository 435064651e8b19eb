"""The steps of a compression, each of which may be repeated: lay out `OUTPUT.part`, fill it, rename it."""

import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import torch
from torch import Tensor

from app.errors import Conflict
from app.metrics.error_sums import ErrorFigures
from app.schemes.casts import CastCounts
from app.tasks.compress_options import CompressOptions
from app.tasks.compress_tensor import Int8Tensor, Write, cast_tensor, copy_tensor
from app.tasks.file_plan import FilePlan, TensorPlan, plan_file
from app.tasks.progress import Advance, Progress, advance_from, no_progress
from app.tasks.tensor_report import compressed_row, kept_row
from app.tasks.threads import one_thread
from app.weightfiles.part_file import PartFile, part_path, publish, sha256_of
from app.weightfiles.range_reader import WeightFile
from app.weightfiles.tensor_reader import TensorReader

PathLike = str | os.PathLike[str]


class Compression:
    """One compression of `source` into `output`, planned once from the header; a context manager.

    The source stays open meanwhile, so all steps read the file that was planned, whatever its name leads to later.
    """

    def __init__(self, source: PathLike, output: PathLike, options: CompressOptions) -> None:
        """Opens the source and checks what is asked for.

        Raises:
            WeightFileError: the source cannot be compressed so.
        """
        self._output = Path(output)
        self._file = WeightFile(source)
        try:
            self.plan = plan_file(self._file.header, options)
        except BaseException:
            self._file.close()
            raise
        self._reader = TensorReader(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def lay_out(self) -> None:
        """Makes `output.part`, of its full length, with the header in it.

        Raises:
            Conflict: `output.*`, it cannot be written there.
            StorageFull: the disk has no room for the output.
        """
        layout = self.plan.layout
        with PartFile(self._output, create=True) as part:
            part.reserve(layout.file_bytes)
            part.write(layout.head, 0)
            part.sync()

    def run_step(self, step: int, progress: Progress = no_progress) -> list[dict[str, Any]]:
        """Writes the tensors of one step into `output.part`, syncs, and gives their report rows.

        Raises:
            WeightFileError: a tensor that the scheme refuses, or a source that changed since it was opened.
            Conflict: the part is not the one that was planned.
        """
        plan = self.plan
        with one_thread(), PartFile(self._output) as part:
            if not part.starts_with(plan.layout.head):
                raise Conflict("output.part-differs", name=self._output.name)
            rows = []
            done = plan.bytes_before_step(step)
            for index in plan.steps[step]:
                tensor = plan.tensors[index]
                advance = advance_from(done, tensor.entry.name, progress)
                rows.append(_run_tensor(plan, tensor, self._reader, part, advance))
                done += tensor.entry.bytes
            self._file.ensure_unchanged()
            part.sync()
        return rows

    def finish(self, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """Renames `output.part` to `output`, durably, and gives the report; once more, it gives the same report.

        Raises:
            Conflict: neither the part nor the output is the file that was planned.
        """
        output = self._output
        is_renamed = not part_path(output).exists()
        written = output if is_renamed else part_path(output)
        _ensure_planned(written, self.plan, output.name)
        digest = sha256_of(written)
        if not is_renamed:
            with PartFile(output) as part:
                part.sync()
            publish(output)
        return _report(self.plan, self._file.header.file_bytes, digest, rows)


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

"""The steps of a compression, each of which may be repeated: lay out `OUTPUT.part`, fill it, rename it."""

import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import torch
from torch import Tensor

from app.errors import Conflict
from app.layouts.numbers import WeightNumbers
from app.layouts.weights import WeightReader, find_weights
from app.layouts.writing import Write
from app.tasks.compress_options import CompressOptions
from app.tasks.compress_report import report_of
from app.tasks.file_plan import FilePlan, OutputFile, TensorPlan, plan_file
from app.tasks.memory import give_back_large_blocks
from app.tasks.progress import Progress, advance_from, no_progress
from app.tasks.tensor_report import tensor_row
from app.tasks.threads import one_thread
from app.weightfiles.part_file import PartFile, part_path, publish, sha256_of
from app.weightfiles.range_reader import WeightFile

PathLike = str | os.PathLike[str]


class Compression:
    """One compression of `source`, planned once from the headers; a context manager.

    The source stays open meanwhile, so all steps read the file that was planned, whatever its name leads to later.
    """

    def __init__(
        self, source: PathLike, output: PathLike, options: CompressOptions, *, is_folder: bool = False
    ) -> None:
        """Opens the source and checks what is asked for; `output` is one file, or a folder for several.

        Raises:
            WeightFileError: the source cannot be compressed so.
        """
        self._file = WeightFile(source)
        try:
            weights = find_weights(self._file)
            self.plan: FilePlan = plan_file(self._file, weights, options, is_one_file=not is_folder)
        except BaseException:
            self._file.close()
            raise
        self._reader = WeightReader(self._file)
        self.move_to(Path(output), is_folder=is_folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def move_to(self, output: Path, *, is_folder: bool) -> None:
        """Says where the files are to be written."""
        self.outputs: tuple[Path, ...] = (
            tuple(output / file.name for file in self.plan.files) if is_folder else (output,)
        )

    @property
    def source(self) -> WeightFile:
        """What is compressed."""
        return self._file

    def lay_out(self) -> None:
        """Makes the `.part` of each output, of its full length, with the header in it.

        Raises:
            Conflict: `output.*`, it cannot be written there.
            StorageFull: the disk has no room for the output.
        """
        for output, file in zip(self.outputs, self.plan.files, strict=True):
            with PartFile(output, create=True) as part:
                part.reserve(file.layout.file_bytes)
                part.write(file.layout.head, 0)
                for offset, data in file.layout.inner:
                    part.write(data, offset)
                part.sync()

    def run_step(self, step: int, progress: Progress = no_progress) -> list[dict[str, Any]]:
        """Writes the tensors of one step into their `.part`, syncs, and gives their report rows.

        Raises:
            WeightFileError: a tensor that the scheme refuses, or a source that changed since it was opened.
            Conflict: the part is not the one that was planned.
        """
        plan = self.plan
        tensors = [plan.tensors[index] for index in plan.steps[step]]
        output, file = self.outputs[tensors[0].file], plan.files[tensors[0].file]
        give_back_large_blocks()
        with one_thread(), PartFile(output) as part:
            if not part.starts_with(file.layout.head):
                raise Conflict("output.part-differs", name=output.name)
            rows = []
            done = plan.bytes_before_step(step)
            for tensor in tensors:
                rows.append(self._run_tensor(tensor, _writer(file, part), done, progress))
                done += tensor.weight.bytes
            self._file.ensure_unchanged()
            part.sync()
        return rows

    def _run_tensor(self, tensor: TensorPlan, write: Write, done: int, progress: Progress) -> dict[str, Any]:
        advance = advance_from(done, tensor.weight.name, progress)
        numbers = WeightNumbers(tensor.weight, self._reader, advance)
        return tensor_row(tensor, tensor.coder.write(numbers, write), self.plan.description.notes)

    def finish(self, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """Renames each `.part`, durably, and gives the report; once more, it gives the same report.

        Raises:
            Conflict: neither the part nor the output is the file that was planned.
        """
        digests = [self._publish(output, file) for output, file in zip(self.outputs, self.plan.files, strict=True)]
        return report_of(self.plan, self._file.header.file_bytes, digests, rows)

    def _publish(self, output: Path, file: OutputFile) -> str:
        is_renamed = not part_path(output).exists()
        written = output if is_renamed else part_path(output)
        _ensure_planned(written, file, output.name)
        digest = sha256_of(written)
        if not is_renamed:
            with PartFile(output) as part:
                part.sync()
            publish(output)
        return digest


def _writer(file: OutputFile, part: PartFile) -> Write:
    begins = file.layout.begins

    def write(name: str, offset: int, data: Tensor | memoryview) -> None:
        part.write(_bytes_of(data) if isinstance(data, Tensor) else data, begins[name] + offset)

    return write


def _bytes_of(tensor: Tensor) -> memoryview:
    flat = tensor.contiguous().view(-1)
    return flat.view(torch.uint8).numpy().data


def _ensure_planned(written: Path, file: OutputFile, name: str) -> None:
    try:
        with written.open("rb") as opened:
            head = opened.read(len(file.layout.head))
            size = os.fstat(opened.fileno()).st_size
    except FileNotFoundError:
        raise Conflict("output.part-missing", name=name) from None
    if head != file.layout.head or size != file.layout.file_bytes:
        raise Conflict("output.part-differs", name=name)

"""Compressing a weight file: planned from its header, run in steps that may be repeated, finished by a rename."""

import os
from collections.abc import Sequence
from typing import Any

from app.tasks.compress_options import CompressOptions
from app.tasks.progress import Progress, no_progress

Path = str | os.PathLike[str]


def plan_compression(source: Path, output: Path, options: CompressOptions) -> dict[str, Any]:
    """Checks source and options and lays out `output.part`: `{"steps", "output_bytes", "bytes"}`."""
    raise NotImplementedError


def run_step(
    source: Path, output: Path, options: CompressOptions, step: int, progress: Progress = no_progress
) -> list[dict[str, Any]]:
    """Writes the tensors of one step into `output.part` and gives their report rows."""
    raise NotImplementedError


def finish_compression(
    source: Path, output: Path, options: CompressOptions, rows: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """Renames `output.part` to `output`, durably, and gives the report."""
    raise NotImplementedError


def compress_file(
    source: Path,
    target: Path,
    options: CompressOptions,
    *,
    report: Path | None = None,
    force: bool = False,
    progress: Progress = no_progress,
) -> dict[str, Any]:
    """All steps at once, for the command line; `report` is where the report is also written."""
    raise NotImplementedError

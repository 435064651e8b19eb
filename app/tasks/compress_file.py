"""Compressing a weight file from the command line: all steps at once, with its config and report beside it."""

import contextlib
import json
from pathlib import Path
from typing import Any

from app.errors import Conflict, InvalidInput
from app.layouts.plain_writing import CONFIG_KEY
from app.storage import PART_SUFFIX
from app.tasks.compress_options import CompressOptions
from app.tasks.compress_steps import Compression, PathLike
from app.tasks.file_plan import FilePlan
from app.tasks.model_config import MergedConfig, tells_of_another_model
from app.tasks.progress import Progress, no_progress
from app.weightfiles.part_file import discard_part, let_others_read, write_durably

MODEL_FILE = "model.safetensors"
CONFIG_FILE = "config.json"


def compress_file(
    source: PathLike,
    target: PathLike,
    options: CompressOptions,
    *,
    report: PathLike | None = None,
    force: bool = False,
    progress: Progress = no_progress,
) -> dict[str, Any]:
    """Compresses `source` into `target`: a file if that ends in `.safetensors`, else a new folder.

    What is there already is refused without `force`; nothing has its name before it is whole. Where the layout has a
    quantization config, the report's `config` says whether a config.json was `written`, or the original's own `kept`.

    Raises:
        InvalidInput: `output.is-source`, `output.is-report`.
        Conflict: `output.exists`; `output.config-differs`, a config.json that is not ours to merge into;
            `output.no-folder` or `output.not-writable`, for the result or the report.
        WeightFileError: the source cannot be compressed so.
        StorageFull: the disk has no room.
    """
    source, target = Path(source), Path(target)
    output = target if target.suffix == ".safetensors" else target / MODEL_FILE
    try:
        _check_target(source, target, output, force=force)
        if report is not None:
            _check_report(Path(report), source, output)
    except OSError:
        # A name that is too long, or a folder that may not be entered.
        raise Conflict("output.not-writable", name=target.name) from None
    with Compression(source, output, options) as compression:
        config = _config(compression.plan, source, output, force=force)
        if output is not target:
            _make_folder(target)
        document = _run(compression, target, output, progress)
        if compression.plan.description.config:
            document["config"] = "kept" if config is None else "written"
    let_others_read(output)
    if config is not None:
        write_durably(config.path, config.text)
    if report is not None:
        write_durably(Path(report), json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    return document


def _run(compression: Compression, target: Path, output: Path, progress: Progress) -> dict[str, Any]:
    """All steps; what they wrote is removed when one fails."""
    try:
        compression.lay_out()
        rows: list[dict[str, Any]] = []
        for step in range(len(compression.plan.steps)):
            rows += compression.run_step(step, progress)
        return compression.finish(rows)
    except Conflict:
        # Somebody else's part: it is not ours to remove.
        raise
    except BaseException:
        discard_part(output)
        if output is not target:
            with contextlib.suppress(OSError):
                target.rmdir()
        raise


def _check_target(source: Path, target: Path, output: Path, *, force: bool) -> None:
    for path in (target, output):
        if path.exists() and path.samefile(source):
            raise InvalidInput("output.is-source", name=path.name)
    if not force and (output.exists() or (output is not target and _holds_something(target))):
        raise Conflict("output.exists", name=target.name)
    if _is_special(output):
        raise Conflict("output.not-writable", name=output.name)


def _check_report(report: Path, source: Path, output: Path) -> None:
    if report.resolve() in {source.resolve(), output.resolve(), output.with_name(CONFIG_FILE).resolve()}:
        raise InvalidInput("output.is-report", name=report.name)
    if report.is_symlink() or _is_special(report):
        raise Conflict("output.not-writable", name=report.name)
    # The folder of the result may be about to be made.
    if not report.parent.is_dir() and report.parent.resolve() != output.parent.resolve():
        raise Conflict("output.no-folder", name=report.name)


def _is_special(path: Path) -> bool:
    """Whether something is there that is no file: a folder, or a device or pipe, which a new file would replace."""
    return path.exists() and not path.is_file()


def _holds_something(folder: Path) -> bool:
    """Whether the folder's name is taken; a part that a killed run left behind does not count."""
    if not folder.is_dir():
        return folder.exists()
    return any(not entry.name.endswith(PART_SUFFIX) for entry in folder.iterdir())


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o755, exist_ok=True)
    except FileNotFoundError:
        raise Conflict("output.no-folder", name=folder.name) from None
    except OSError:
        raise Conflict("output.not-writable", name=folder.name) from None


def _config(plan: FilePlan, source: Path, output: Path, *, force: bool) -> MergedConfig | None:
    if not plan.description.config:
        return None
    path = output.with_name(CONFIG_FILE)
    if not force and tells_of_another_model(path) and path.parent.resolve() == source.parent.resolve():
        # The original's own: merged, the original would no longer load.
        return None
    model = path if path.exists() else source.with_name(CONFIG_FILE)
    return MergedConfig.of(path, model, plan.description.config[CONFIG_KEY], force=force)

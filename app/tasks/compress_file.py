"""Compressing weights from the command line: all steps at once, with config, manifest and report beside the result."""

import json
from pathlib import Path
from typing import Any

from app import __version__
from app.errors import Conflict
from app.tasks.compress_options import CompressOptions
from app.tasks.compress_report import plan_document
from app.tasks.compress_steps import Compression, PathLike
from app.tasks.compress_target import CONFIG_FILE, CompressTarget, copy_beside
from app.tasks.file_plan import FilePlan
from app.tasks.model_config import MergedConfig, model_config, tells_of_another_model
from app.tasks.progress import Progress, no_progress
from app.tasks.shards import index_name
from app.weightfiles.part_file import let_others_read, write_durably
from app.weightfiles.source import Source

_NOT_CARRIED = frozenset({CONFIG_FILE, "quantize_config.json", "quant_config.json", "hf_quant_config.json"})
"""Files that say how the source is quantized, or are written anew."""


def compress_file(
    source: PathLike,
    target: PathLike,
    options: CompressOptions,
    *,
    report: PathLike | None = None,
    force: bool = False,
    progress: Progress = no_progress,
) -> dict[str, Any]:
    """Compresses `source` into `target`: a file if that ends like one of weights, else a folder.

    What is there already is refused without `force`; nothing has its name before it is whole. Where the layout has a
    quantization config, the report's `config` says whether a config.json was `written`, or the original's own `kept`.

    Raises:
        InvalidInput: `output.is-source`, `output.is-report`, `output.suffix`, `output.shards`.
        Conflict: `output.exists`; `output.config-differs`, a config.json that is not ours to merge into;
            `output.no-folder` or `output.not-writable`, for the result or the report.
        WeightFileError: the source cannot be compressed so.
        StorageFull: the disk has no room.
    """
    source, target = Path(source), Path(target)
    place = CompressTarget(target, source, options.output_layout.suffix, force=force)
    if report is not None:
        place.check_report(Path(report), source)
    options.check_shards(is_folder=place.is_folder)
    with Compression(source, place.place, options, is_folder=place.is_folder) as compression:
        config = _config(compression, place, source, force=force)
        place.make_folder()
        try:
            document = _run(compression, progress)
            if compression.plan.description.config:
                document["config"] = "kept" if config is None else "written"
            _write_beside(compression, place, config, document)
            place.give_name()
        except BaseException as error:
            # Somebody else's part is not ours to remove.
            if not (isinstance(error, Conflict) and error.code == "output.busy"):
                place.discard(compression.outputs)
            raise
    if report is not None:
        write_durably(Path(report), json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    return document


def plan_only(source: PathLike, target: PathLike, options: CompressOptions) -> dict[str, Any]:
    """What `compress_file` would do, tensor by tensor; nothing is written.

    Raises:
        WeightFileError: the source cannot be compressed so.
    """
    is_folder = Path(target).suffix != options.output_layout.suffix
    options.check_shards(is_folder=is_folder)
    with Compression(source, Path(target), options, is_folder=is_folder) as compression:
        return plan_document(compression.plan, compression.source.header.file_bytes)


def _run(compression: Compression, progress: Progress) -> dict[str, Any]:
    compression.lay_out()
    rows: list[dict[str, Any]] = []
    for step in range(len(compression.plan.steps)):
        rows += compression.run_step(step, progress)
    document = compression.finish(rows)
    for output in compression.outputs:
        let_others_read(output)
    return document


def _config(compression: Compression, place: CompressTarget, source: Path, *, force: bool) -> MergedConfig | None:
    """The config.json to write, or None: of a folder always, beside a single file where there is something to say."""
    description = compression.plan.description
    if not place.is_folder and not description.config:
        return None
    path = place.beside(CONFIG_FILE)
    is_source_own = not place.is_folder and path.parent.resolve() == source.resolve().parent
    if not force and is_source_own and tells_of_another_model(path):
        # The original's own: merged, the original would no longer load.
        return None
    text = compression.source.source.companion(CONFIG_FILE)
    if path.exists() and not place.is_folder:
        text = path.read_bytes()
    if text is None and not description.config:
        return None
    dropped = description.dropped_config
    return MergedConfig.of(
        path, model_config(text), description.config, dropped=dropped, force=force or place.is_folder
    )


def _write_beside(
    compression: Compression, place: CompressTarget, config: MergedConfig | None, document: dict[str, Any]
) -> None:
    """All that belongs to the result but its weights."""
    if place.is_folder:
        _carry(compression.source.source, place)
        _write_index(compression.plan, place)
    if config is not None:
        write_durably(config.path, config.text)
    write_durably(place.manifest, _json(manifest_of(compression.plan, document)))


def _carry(source: Source, place: CompressTarget) -> None:
    for name, ranges in source.companions.items():
        if name not in _NOT_CARRIED and not name.endswith(".index.json") and Path(name).name == name:
            copy_beside(ranges, place.beside(name))


def _write_index(plan: FilePlan, place: CompressTarget) -> None:
    if len(plan.files) == 1:
        return
    found = {stored.name: plan.files[tensor.file].name for tensor in plan.tensors for stored in tensor.stored}
    total = sum(tensor.bytes_after for tensor in plan.tensors)
    name = index_name(plan.options.output_layout.file_name)
    index = {"metadata": {"total_size": total}, "weight_map": dict(sorted(found.items()))}
    write_durably(place.beside(name), _json(index))


def manifest_of(plan: FilePlan, report: dict[str, Any]) -> dict[str, Any]:
    """What was done with what: the same for the same input and options."""
    figures = ("name", "kept", "reason", "scheme", "options", "sqnr_db", "mse", "max_abs_error", "cosine")
    return {
        "tool": "bitlens",
        "version": __version__,
        "options": plan.options.to_json(),
        "layout": report["layout"],
        "files": report["files"],
        "tied": report["tied"],
        "tensors": [{name: row[name] for name in figures} for row in report["tensors"]],
    }


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"

"""The two kinds of job as dbos workflows: steps whose results are kept, so that a restart goes on behind the last one.

A step's result holds rows, names and sizes only; bytes and documents go to storage and records inside the step.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from dbos import DBOS, StepOptions
from dbos import error as dbos_error

from app.errors import AppError
from app.jobs.client import JobClient, after_id
from app.jobs.looker import Looker
from app.jobs.options import ANALYSE, ANALYSE_RESULT, COMPRESS, LOOK, MIB
from app.jobs.process import JobProcess, ProcessPlan
from app.jobs.progress import ProgressWriter
from app.records import Records, is_server_away
from app.storage import PART_SUFFIX, LocalStorage

_MOST_STARTS = 100
"""Of one workflow, by workers that died; the next one is given up."""
_MOST_LOOKS = 3
_KEPT_LOOKS = 64
"""Documents of looks that lie beside a file; older ones are made again when somebody asks."""
_SLACK_BYTES = 64 * MIB
_LOOKS_FOR_SERVER = 720
_LOOK_SECONDS = 5.0
"""An hour in all."""


@dataclass(frozen=True, slots=True)
class Workshop:
    """What every job of a worker needs."""

    records: Records
    storage: LocalStorage
    jobs: JobClient
    process_plan: ProcessPlan
    running: dict[str, JobProcess]
    """The processes at work, so that an ending worker can end them."""
    looker: Looker

    @contextmanager
    def process(self, job_id: str) -> Iterator[JobProcess]:
        """A process for one job, not started before its first step."""
        with JobProcess(self.process_plan, job_id) as process:
            self.running[job_id] = process
            try:
                yield process
            finally:
                self.running.pop(job_id, None)

    def stopper(self, job_id: str) -> Callable[[], None]:
        """To be called now and then while a job runs: raises once it is cancelled."""

        def check() -> None:
            if self.jobs.is_cancelled(job_id):
                raise dbos_error.DBOSWorkflowCancelledError(f"Job {job_id} was cancelled.")

        return check


def register_workflows(workshop: Workshop) -> None:
    """Makes the workflows known to dbos, which is process-wide; call it once, before the launch."""

    @DBOS.workflow(name=ANALYSE, max_recovery_attempts=_MOST_STARTS)
    def analyse(file_id: str, source_key: str) -> None:
        with workshop.process(file_id) as process:
            try:
                DBOS.run_step(_step("analyse"), _analyse, workshop, process, file_id, source_key)
            except AppError as error:
                DBOS.run_step(_step("refuse"), workshop.records.refuse_file, file_id, error.code, dict(error.figures))
                raise

    @DBOS.workflow(name=LOOK, max_recovery_attempts=_MOST_LOOKS)
    def look(look_id: str, source_key: str, look_key: str, arguments: Mapping[str, Any]) -> None:
        DBOS.run_step(_step("look"), _look, workshop, look_id, source_key, look_key, arguments)

    @DBOS.workflow(name=ANALYSE_RESULT, max_recovery_attempts=_MOST_LOOKS)
    def analyse_result(analysis_id: str, job_id: str, result_key: str) -> None:
        with workshop.process(analysis_id) as process:
            DBOS.run_step(_step("analyse"), _analyse_result, workshop, process, job_id, result_key)

    @DBOS.workflow(name=COMPRESS, max_recovery_attempts=_MOST_STARTS)
    def compress(job_id: str, source_key: str, result_key: str, options: Mapping[str, Any]) -> None:
        with workshop.process(job_id) as process:
            job = _Compression(workshop, process, job_id, source_key, result_key, options)
            try:
                job.run()
            except AppError:
                job.clean_up()
                raise
            except BaseException:
                # Cancelled, or taken over by another worker, who then needs what was written.
                if workshop.jobs.is_cancelled(job_id):
                    job.clean_up()
                raise


def _step(name: str) -> StepOptions:
    """A step that is run again when the server of the records went away in it; all other errors are its outcome."""
    return {
        "name": name,
        "retries_allowed": True,
        "max_attempts": _LOOKS_FOR_SERVER,
        "interval_seconds": _LOOK_SECONDS,
        "backoff_rate": 1.0,
        "should_retry": is_server_away,
    }


def _analyse(workshop: Workshop, process: JobProcess, file_id: str, source_key: str) -> dict[str, Any]:
    progress = ProgressWriter(workshop.storage.size(source_key), steps=1)
    document = process.call(
        "analyse",
        {"source": str(workshop.storage.path(source_key))},
        file_bytes=_SLACK_BYTES,
        on_progress=lambda done, tensor: progress.report(1, done, tensor),
        check=workshop.stopper(file_id),
        on_part=lambda part: _save_part(workshop.records, file_id, part),
    )
    workshop.records.save_analysis(file_id, document)
    return {}


def _save_part(records: Records, file_id: str, part: Mapping[str, Any]) -> None:
    if "outline" in part:
        records.save_outline(file_id, part["outline"])
    else:
        records.save_tensors(file_id, part["rows"])


def _analyse_result(workshop: Workshop, process: JobProcess, job_id: str, result_key: str) -> dict[str, Any]:
    def save(part: Mapping[str, Any]) -> None:
        if "rows" in part:
            workshop.records.save_result_tensors(job_id, part["rows"])

    process.call(
        "analyse",
        {"source": str(workshop.storage.path(result_key))},
        file_bytes=_SLACK_BYTES,
        on_progress=lambda _done, _tensor: None,
        check=workshop.stopper(after_id(job_id)),
        on_part=save,
    )
    return {}


def _look(
    workshop: Workshop, look_id: str, source_key: str, look_key: str, arguments: Mapping[str, Any]
) -> dict[str, Any]:
    given = {"source": str(workshop.storage.path(source_key)), **arguments}
    document = workshop.looker.look(look_id, source_key, given, workshop.stopper(look_id))
    with workshop.storage.writer(look_key) as writer:
        writer.write(json.dumps(document, allow_nan=False).encode())
        writer.commit()
    _forget_old_looks(workshop.storage, look_key)
    return {}


def _forget_old_looks(storage: LocalStorage, look_key: str) -> None:
    looks = [path for path in storage.path(look_key).parent.glob("look-*.json") if not path.is_symlink()]
    for path in sorted(looks, key=lambda each: each.stat().st_mtime_ns)[:-_KEPT_LOOKS]:
        path.unlink(missing_ok=True)


class _Compression:
    """One compression in progress; every method named in a step may be run again and does the same."""

    def __init__(
        self,
        workshop: Workshop,
        process: JobProcess,
        job_id: str,
        source_key: str,
        result_key: str,
        options: Mapping[str, Any],
    ) -> None:
        self._workshop = workshop
        self._process = process
        self._job_id = job_id
        self._source_key = source_key
        self._result_key = result_key
        self._options = options
        self._check = workshop.stopper(job_id)

    def run(self) -> None:
        """The workflow's body: the same steps in the same order at every start."""
        plan = DBOS.run_step(_step("plan"), self._plan)
        progress = ProgressWriter(plan["bytes"], plan["steps"])
        rows: list[Any] = []
        for step in range(plan["steps"]):
            rows += DBOS.run_step(_step(f"compress {step}"), self._compress, step, plan["output_bytes"], progress)
        DBOS.run_step(_step("finish"), self._finish, rows, plan["output_bytes"], progress)

    def clean_up(self) -> None:
        """Removes what a job that will never be done had written."""
        self._workshop.storage.delete(self._result_key + PART_SUFFIX)

    def _plan(self) -> dict[str, Any]:
        self._workshop.storage.prepare(self._result_key)
        source_bytes = self._workshop.storage.size(self._source_key)
        # No scheme makes what a tensor holds larger, but a header may grow.
        return self._call("plan", {}, file_bytes=2 * source_bytes + _SLACK_BYTES)

    def _compress(self, step: int, output_bytes: int, progress: ProgressWriter) -> list[Any]:
        result = self._call("compress", {"step": step}, output_bytes + _SLACK_BYTES, progress, step + 1)
        return list(result["tensors"])

    def _finish(self, rows: list[Any], output_bytes: int, progress: ProgressWriter) -> dict[str, Any]:
        report = self._call("finish", {"rows": rows}, output_bytes + _SLACK_BYTES)
        result_bytes = self._workshop.storage.size(self._result_key)
        self._workshop.records.save_report(self._job_id, report, result_bytes)
        self._workshop.jobs.start_result_analysis(self._job_id, self._result_key)
        progress.finish()
        return {"sha256": report.get("sha256"), "bytes": result_bytes}

    def _call(
        self,
        name: str,
        arguments: Mapping[str, Any],
        file_bytes: int,
        progress: ProgressWriter | None = None,
        step: int = 0,
    ) -> dict[str, Any]:
        storage = self._workshop.storage
        paths = {"source": str(storage.path(self._source_key)), "output": str(storage.path(self._result_key))}

        def on_progress(done: int, tensor: str) -> None:
            if progress is not None:
                progress.report(step, done, tensor)

        return self._process.call(
            name,
            {**paths, "options": dict(self._options), **arguments},
            file_bytes=file_bytes,
            on_progress=on_progress,
            check=self._check,
        )

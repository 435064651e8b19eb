"""Giving work to workers and asking how far it is: for the web, which does none of it itself."""

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from dbos import DBOS, DBOSClient, WorkflowStatus

from app.errors import AppError
from app.jobs.options import ANALYSE, ANALYSE_RESULT, APPLICATION, COMPRESS, LOOK, LOOKS, PROGRESS, QUEUE, VERSION
from app.jobs.serializer import JsonSerializer
from app.jobs.states import JobState, State
from app.records import database_failures, full_disk
from app.storage import private_file

_UNFINISHED = ["ENQUEUED", "DELAYED", "PENDING"]
_STATES = {
    "ENQUEUED": State.QUEUED,
    "DELAYED": State.QUEUED,
    "PENDING": State.RUNNING,
    "SUCCESS": State.DONE,
    "ERROR": State.FAILED,
    "MAX_RECOVERY_ATTEMPTS_EXCEEDED": State.FAILED,
    "CANCELLED": State.CANCELLED,
}


class JobClient:
    """Safe for several threads. Works before any worker has started: it makes the database itself if need be.

    A lost connection is an error at once, unless `waits_for_server`: a job should rather stand still than fail.
    """

    def __init__(self, database_url: str, *, waits_for_server: bool = False) -> None:
        prepare_jobs_database(database_url)
        self._client = DBOSClient(
            system_database_url=database_url,
            serializer=JsonSerializer(),
            application_name=APPLICATION,
            system_database_pool_size=8,
            lazy=True,
            retry_connection_errors=waits_for_server,
        )

    def close(self) -> None:
        """Gives the connections back."""
        self._client.destroy()

    def start_analysis(self, file_id: str, source_key: str) -> str:
        """Queues the analysis of a stored file; its job has the file's id. Asking again changes nothing."""
        return self._enqueue(ANALYSE, file_id, source_key)

    def start_compression(self, job_id: str, source_key: str, result_key: str, options: Mapping[str, Any]) -> str:
        """Queues a compression under the id of its record. Asking again changes nothing."""
        return self._enqueue(COMPRESS, job_id, source_key, result_key, dict(options))

    def start_look(self, look_id: str, source_key: str, look_key: str, arguments: Mapping[str, Any]) -> str:
        """Queues a look at a part of a tensor, whose document will lie under `look_key`."""
        return self._enqueue(LOOK, look_id, source_key, look_key, dict(arguments), queue=LOOKS)

    def start_result_analysis(self, job_id: str, result_key: str) -> str:
        """Queues the analysis of what a job made."""
        return self._enqueue(ANALYSE_RESULT, after_id(job_id), job_id, result_key, queue=LOOKS)

    def unfinished_looks(self) -> int:
        """How many looks, of all owners, are queued or running."""
        return len(self._list(status=_UNFINISHED, queue_name=LOOKS))

    def state(self, job_id: str) -> JobState:
        """Where a job stands; one that nobody knows (any more) is `expired`."""
        return self.states([job_id])[job_id]

    def states(self, job_ids: Collection[str]) -> dict[str, JobState]:
        """The same for several, in one look."""
        found = {status.workflow_id: status for status in self._list(workflow_ids=list(job_ids))} if job_ids else {}
        return {job_id: self._describe(found.get(job_id)) for job_id in job_ids}

    def cancel(self, job_id: str) -> None:
        """Stops a queued job at once and a running one within seconds; one that has ended stays as it is."""
        with full_disk():
            self._client.cancel_workflow(job_id)

    def forget(self, job_ids: Iterable[str]) -> None:
        """Removes what is known of ended jobs, which are `expired` from then on."""
        ids = list(job_ids)
        if ids:
            self._client.delete_workflows(ids)

    def forget_ended(self, before: float) -> None:
        """The same for whatever ended before then; nobody can ask for it any more."""
        moment = datetime.fromtimestamp(before, UTC).isoformat()
        self.forget(status.workflow_id for status in self._list(completed_before=moment))

    def unfinished_ids(self) -> set[str]:
        """The jobs and analyses, of all owners, that are queued or running."""
        return {status.workflow_id for status in self._list(status=_UNFINISHED)}

    def unfinished(self) -> int:
        """How many that are, without looks."""
        return len(self._list(status=_UNFINISHED, queue_name=QUEUE))

    def is_cancelled(self, job_id: str) -> bool:
        """Whether a running job should stop: cancelled, or forgotten altogether."""
        found = self._list(workflow_ids=[job_id])
        return not found or found[0].status == "CANCELLED"

    def register_queue(self, name: str, concurrency: int, poll_seconds: float) -> None:
        """Makes the queue known, so that a worker listens to it from its first moment."""
        self._client.register_queue(name, worker_concurrency=concurrency, polling_interval_sec=poll_seconds)

    def restart_other_versions(self) -> list[str]:
        """Begins anew, under this version, what another version left unfinished; call it while no other worker lives.

        Continuing in the middle could join the bytes of two versions in one file.
        """
        restarted = []
        for status in self._list(status=_UNFINISHED):
            if status.app_version != VERSION:
                self._client.cancel_workflow(status.workflow_id)
                queue = status.queue_name or QUEUE
                self._client.rewind_workflow(status.workflow_id, application_version=VERSION, queue_name=queue)
                restarted.append(status.workflow_id)
        return restarted

    def _enqueue(self, workflow: str, job_id: str, *arguments: Any, queue: str = QUEUE) -> str:
        with full_disk():
            self._client.enqueue(
                {"workflow_name": workflow, "queue_name": queue, "workflow_id": job_id, "app_version": VERSION},
                job_id,
                *arguments,
            )
        return job_id

    def _list(self, **conditions: Any) -> list[WorkflowStatus]:
        return self._client.list_workflows(load_input=False, load_output=False, **conditions)

    def _describe(self, status: WorkflowStatus | None) -> JobState:
        if status is None:
            return JobState(State.EXPIRED)
        state = _STATES[status.status]
        progress: Mapping[str, Any] = {}
        if state is not State.QUEUED:
            progress = self._client.get_event(status.workflow_id, PROGRESS, timeout_seconds=0) or {}
        code, figures = self._error_of(status) if state is State.FAILED else (None, {})
        return JobState(
            state=state,
            **progress,
            queued_at=_seconds(status.created_at),
            started_at=_seconds(status.dequeued_at),
            finished_at=_seconds(status.completed_at),
            error_code=code,
            error_figures=figures,
        )

    def _error_of(self, status: WorkflowStatus) -> tuple[str, Mapping[str, Any]]:
        if status.status == "MAX_RECOVERY_ATTEMPTS_EXCEEDED":
            return "job.worker-crashed", {}
        error = self._client.retrieve_workflow(status.workflow_id).get_status().error
        return (error.code, error.figures) if isinstance(error, AppError) else ("job.failed", {})


def after_id(job_id: str) -> str:
    """The workflow that analyses what a job made."""
    return f"{job_id}.after"


def prepare_jobs_database(database_url: str) -> None:
    """Makes or updates the tables; safe to do from several processes at once."""
    path = sa.make_url(database_url).database if database_url.startswith("sqlite") else None
    if path and path != ":memory:":
        private_file(Path(path))
    with database_failures(database_url):
        DBOS.migrate(database_url)


def _seconds(milliseconds: int | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000

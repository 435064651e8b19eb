"""The use cases of an owner's files and jobs, for the web: store, look at, compress, fetch, remove.

Knows no request and no page. Every look-up names the owner; what belongs to somebody else is not there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.errors import Busy, Conflict, NotFound, StorageFull
from app.jobs.client import JobClient
from app.jobs.states import JobState, State
from app.records import FileRecord, JobRecord, Records, new_id
from app.storage import Storage, owner_key
from app.tasks.compress_options import CompressOptions
from app.tasks.tensor_views import OutlineCache, TensorViews
from app.tasks.upload import Upload, UploadLimits, shown_name

UPLOAD_NAME = "upload.safetensors"
_ANALYSED = JobState(State.DONE)
_EXPIRED = JobState(State.EXPIRED)


@dataclass(frozen=True, slots=True)
class FileView:
    """A file and how far its analysis is."""

    record: FileRecord
    analysis: JobState

    @property
    def is_ready(self) -> bool:
        return self.record.is_analysed


@dataclass(frozen=True, slots=True)
class JobView:
    """A job and how far it is."""

    record: JobRecord
    state: JobState


@dataclass(frozen=True, slots=True)
class Result:
    """What a finished job made."""

    source_name: str
    """What the owner called the file that it was made from."""
    path: Path
    bytes: int
    sha256: str


class Workspace(TensorViews):
    """Safe for several threads: of its own it holds what it has read."""

    def __init__(
        self, records: Records, storage: Storage, jobs: JobClient, limits: UploadLimits, *, max_queued_jobs: int
    ) -> None:
        self._records = records
        self._storage = storage
        self._jobs = jobs
        self._limits = limits
        self._max_queued_jobs = max_queued_jobs
        self._outlines = OutlineCache()

    def ensure_ready(self) -> None:
        """Can the databases be read, and is there room on the disk?

        Raises:
            StorageFull: `storage.full`.
        """
        self._records.owner_of("")
        self._jobs.unfinished()
        if self._storage.free_bytes() == 0:
            raise StorageFull("storage.full")

    def create_owner(self) -> str:
        """A new owner's secret."""
        return self._records.create_owner()

    def owner_of(self, secret: str) -> str | None:
        """The owner who has that secret."""
        return self._records.owner_of(secret)

    def begin_upload(self, owner: str, expected_bytes: int) -> Upload:
        """Room for one more file; `expected_bytes` is what the client says that it will send, or 0.

        Raises:
            TooLarge, Conflict, StorageFull, Busy: a limit would be passed.
        """
        self._ensure_queue_room()
        if len(self._records.list_files(owner)) >= self._limits.max_owner_files:
            raise Conflict("upload.too-many-files", limit=self._limits.max_owner_files)
        left = self._limits.max_owner_bytes - self._records.bytes_of(owner)
        file_id = new_id()
        key = owner_key(owner, file_id, UPLOAD_NAME)
        return Upload(self._storage, key, self._limits, owner_bytes_left=left, expected_bytes=expected_bytes)

    def add_upload(self, owner: str, upload: Upload, name: str) -> FileView:
        """Checks what was received, records it and starts its analysis.

        Raises:
            WeightFileError: it is no weight file that can be read; nothing of it stays.
        """
        stored = upload.commit()
        try:
            outline = upload.check()
            record = self._records.add_file(
                owner, shown_name(name), stored.bytes, stored.sha256, upload.key, file_id=upload.file_id
            )
        except BaseException:
            self._storage.delete(upload.key)
            raise
        if outline is not None:
            self._records.save_outline(record.id, outline)
        self._jobs.start_analysis(record.id, record.key)
        return self.file(owner, record.id)

    def files(self, owner: str | None) -> list[FileView]:
        """Newest first; somebody unknown has none."""
        records = self._records.list_files(owner) if owner else []
        states = self._jobs.states([record.id for record in records if not record.is_analysed])
        return [FileView(record, states.get(record.id, _ANALYSED)) for record in records]

    def file(self, owner: str | None, file_id: str) -> FileView:
        """One file.

        Raises:
            NotFound: `record.unknown`.
        """
        record = self._records.find_file(_known(owner), file_id)
        return FileView(record, _ANALYSED if record.is_analysed else self._jobs.state(record.id))

    def analysis(self, owner: str | None, file_id: str) -> Mapping[str, Any] | None:
        """What the analysis found; None while there is none."""
        record = self._records.find_file(_known(owner), file_id)
        document = self._records.analysis(record.id)
        if document is None or "tensors" not in document:
            return document
        figures = self._records.tensor_figures(record.id, range(len(document["tensors"])))
        tensors = [{**row, **figures.get(place, {})} for place, row in enumerate(document["tensors"])]
        return {**document, "tensors": tensors}

    def remove_file(self, owner: str | None, file_id: str) -> None:
        """Forgets a file and removes its bytes; unfinished jobs that read it are cancelled, results stay.

        Raises:
            NotFound: `record.unknown`.
        """
        owner = _known(owner)
        record = self._records.find_file(owner, file_id)
        states = self._jobs.states([record.id, *self._records.jobs_of_file(record.id)])
        for job_id, state in states.items():
            if not state.state.is_final:
                self._jobs.cancel(job_id)
        # The bytes first: on a full disk it is their room that lets the records be changed.
        self._storage.delete_tree(record.key.rpartition("/")[0])
        self._records.remove_file(owner, file_id)

    def start_job(self, owner: str | None, file_id: str, options: CompressOptions) -> str:
        """Begins a compression and gives its id.

        Raises:
            NotFound: `record.unknown`.
            InvalidInput: `output.shards`: what a job makes is one file.
            Conflict: `job.file-not-ready`.
            Busy: `job.queue-full`.
        """
        options.check_shards(is_folder=False)
        owner = _known(owner)
        found = self.file(owner, file_id)
        if not found.is_ready:
            raise Conflict("job.file-not-ready")
        self._ensure_queue_room()
        job = self._records.add_job(owner, found.record.id, options.to_json())
        self._jobs.start_compression(job.id, found.record.key, job.result_key, job.options)
        return job.id

    def jobs(self, owner: str | None, file_id: str | None = None) -> list[JobView]:
        """Newest first, all or those made from one file."""
        listed = self._records.list_jobs(owner) if owner else []
        records = [record for record in listed if file_id in (None, record.file)]
        states = self._jobs.states([record.id for record in records if record.expired_at is None])
        return [JobView(record, states.get(record.id, _EXPIRED)) for record in records]

    def job(self, owner: str | None, job_id: str) -> JobView:
        """One job.

        Raises:
            NotFound: `record.unknown`.
        """
        record = self._records.find_job(_known(owner), job_id)
        return JobView(record, _EXPIRED if record.expired_at is not None else self._jobs.state(record.id))

    def end_job(self, owner: str | None, job_id: str) -> None:
        """Cancels a job that is under way; removes one that has ended, with its result.

        Raises:
            NotFound: `record.unknown`.
        """
        found = self.job(owner, job_id)
        if not found.state.state.is_final:
            self._jobs.cancel(job_id)
            return
        self._storage.delete(found.record.result_key)
        self._records.remove_job(found.record.owner, job_id)

    def report(self, owner: str | None, job_id: str) -> Mapping[str, Any]:
        """What a finished job did.

        Raises:
            NotFound: `record.unknown`.
            Conflict: `job.no-report`.
        """
        record = self._records.find_job(_known(owner), job_id)
        document = self._records.report(record.id)
        if document is None:
            raise Conflict("job.no-report")
        return document

    def result(self, owner: str | None, job_id: str) -> Result:
        """The file that a finished job made.

        Raises:
            NotFound: `record.unknown`, `job.result-gone`.
            Conflict: `job.no-report`.
        """
        document = self.report(owner, job_id)
        record = self._records.find_job(_known(owner), job_id)
        if record.expired_at is not None or not self._storage.exists(record.result_key):
            raise NotFound("job.result-gone")
        path, size = self._storage.path(record.result_key), self._storage.size(record.result_key)
        return Result(record.file_name, path, size, document["sha256"])

    def _ensure_queue_room(self) -> None:
        if self._jobs.unfinished() >= self._max_queued_jobs:
            raise Busy("job.queue-full", limit=self._max_queued_jobs)


def _known(owner: str | None) -> str:
    if owner is None:
        raise NotFound("record.unknown")
    return owner

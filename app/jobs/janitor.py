"""Tidying: what has expired, what nobody owns, and what a crash left half-written or not yet begun."""

import logging
import time

from app.jobs.client import JobClient
from app.jobs.options import WorkerOptions
from app.jobs.states import State
from app.records import Records
from app.storage import LocalStorage, record_of

_HOUR = 3600.0
_ORPHAN_SECONDS = _HOUR
"""An upload that nobody has written to for so long, or bytes that no record knows."""
_LATE_SECONDS = 60.0
"""After which something recorded but never queued is queued: the web server died in between."""
_IDLE_OWNER_SECONDS = 30 * 24 * _HOUR
_FORGOTTEN_SECONDS = 30 * 24 * _HOUR

_log = logging.getLogger(__name__)


class Janitor:
    """Several may work at once; none touches what an unfinished job uses."""

    def __init__(self, options: WorkerOptions, records: Records, storage: LocalStorage, jobs: JobClient) -> None:
        self._options = options
        self._records = records
        self._storage = storage
        self._jobs = jobs

    def round(self) -> None:
        """Everything once."""
        # Asked first: what is queued after this look is younger than all that is removed below.
        busy = self._jobs.unfinished_ids()
        self._queue_forgotten(busy)
        self._expire(busy)
        self._sweep(busy)
        self._records.remove_idle_owners(time.time() - _IDLE_OWNER_SECONDS)

    def _queue_forgotten(self, busy: set[str]) -> None:
        late = time.time() - _LATE_SECONDS
        for file in self._records.unanalysed_files(late):
            if file.id not in busy and self._jobs.state(file.id).state is State.EXPIRED:
                self._jobs.start_analysis(file.id, file.key)
        for job, source_key in self._records.unreported_jobs(late):
            if job.id not in busy and self._jobs.state(job.id).state is State.EXPIRED:
                self._jobs.start_compression(job.id, source_key, job.result_key, job.options)

    def _expire(self, busy: set[str]) -> None:
        now = time.time()
        files_in_use = busy | self._records.files_of_jobs(busy)
        files = self._records.expire_files(now - self._options.upload_hours * _HOUR, files_in_use)
        jobs = self._records.expire_jobs(now - self._options.result_hours * _HOUR, busy)
        for key in [file.key for file in files] + [job.result_key for job in jobs]:
            self._storage.delete_tree(key.rpartition("/")[0])
        self._jobs.forget([file.id for file in files] + [job.id for job in jobs])
        self._records.forget_expired_jobs(now - _FORGOTTEN_SECONDS)
        longest_hours = max(self._options.upload_hours, self._options.result_hours)
        self._jobs.forget_ended(now - longest_hours * _HOUR - _FORGOTTEN_SECONDS)
        if files or jobs:
            _log.info("expired: %d uploads, %d results", len(files), len(jobs))

    def _sweep(self, busy: set[str]) -> None:
        self._storage.sweep_parts(_ORPHAN_SECONDS, is_used=lambda key: record_of(key) in busy)
        known = self._records.known_ids() | busy
        for prefix, changed_at in self._storage.prefixes():
            if record_of(prefix) not in known and time.time() - changed_at > _ORPHAN_SECONDS:
                self._storage.delete_tree(prefix)

"""Jobs and their reports. A stranger's id and an unknown one are answered alike."""

import json
import time
from collections.abc import Collection

import sqlalchemy as sa

from app.errors import NotFound
from app.records.files import FileRecords
from app.records.schema import files, jobs, reports
from app.records.values import Document, JobRecord, ensure_id, new_id
from app.storage import owner_key

RESULT_NAME = "result.safetensors"

_ROWS = sa.select(jobs, reports.c.created_at.label("finished_at"), reports.c.result_bytes).join_from(
    jobs, reports, isouter=True
)


class JobRecords(FileRecords):
    """The part of the records about jobs."""

    def add_job(self, owner: str, file_id: str, options: Document) -> JobRecord:
        """Records what was asked for; its id is also the id of the workflow that does it.

        Raises:
            NotFound: `record.unknown`, if the file is not (or no longer) the owner's.
        """
        ensure_id(file_id)
        job_id = new_id()
        with self._database.write() as connection:
            # In the same transaction as the insertion, so the file cannot expire in between.
            owned = sa.select(files.c.name).where(files.c.id == file_id, files.c.owner == owner)
            name = connection.execute(owned).scalar()
            if name is None:
                raise NotFound("record.unknown")
            row = {"id": job_id, "owner": owner, "file": file_id, "file_name": name, "created_at": time.time()}
            key = owner_key(owner, job_id, RESULT_NAME)
            connection.execute(jobs.insert().values(**row, options=json.dumps(options), result_key=key))
        return self.find_job(owner, job_id)

    def find_job(self, owner: str, job_id: str) -> JobRecord:
        """An owner's job.

        Raises:
            NotFound: `record.unknown`, whether it is somebody else's or nobody's.
        """
        ensure_id(job_id)
        with self._database.read() as connection:
            row = connection.execute(_ROWS.where(jobs.c.id == job_id, jobs.c.owner == owner)).first()
        if row is None:
            raise NotFound("record.unknown")
        return _job(row)

    def list_jobs(self, owner: str) -> list[JobRecord]:
        """Newest first."""
        ordered = _ROWS.where(jobs.c.owner == owner).order_by(jobs.c.created_at.desc(), jobs.c.id)
        with self._database.read() as connection:
            return [_job(row) for row in connection.execute(ordered)]

    def jobs_of_file(self, file_id: str) -> list[str]:
        """The ids of the jobs that were made from a file."""
        with self._database.read() as connection:
            return list(connection.execute(sa.select(jobs.c.id).where(jobs.c.file == file_id)).scalars())

    def files_of_jobs(self, job_ids: Collection[str]) -> set[str]:
        """The ids of the files that those jobs read."""
        with self._database.read() as connection:
            return set(connection.execute(sa.select(jobs.c.file).where(jobs.c.id.in_(job_ids))).scalars())

    def remove_job(self, owner: str, job_id: str) -> JobRecord:
        """Forgets a job and its report; the bytes are the caller's to delete.

        Raises:
            NotFound: `record.unknown`.
        """
        found = self.find_job(owner, job_id)
        with self._database.write() as connection:
            connection.execute(jobs.delete().where(jobs.c.id == job_id, jobs.c.owner == owner))
        return found

    def save_report(self, job_id: str, document: Document, result_bytes: int) -> None:
        """Keeps a finished job's report; saving it again replaces it. A job removed meanwhile is left alone."""
        row = {"job": job_id, "document": json.dumps(document, allow_nan=False), "result_bytes": result_bytes}
        with self._database.write() as connection:
            connection.execute(reports.delete().where(reports.c.job == job_id))
            if connection.execute(sa.select(jobs.c.id).where(jobs.c.id == job_id)).first():
                connection.execute(reports.insert().values(**row, created_at=time.time()))

    def report(self, job_id: str) -> Document | None:
        """None while there is none. Ask `find_job` first: this looks at no owner."""
        with self._database.read() as connection:
            text = connection.execute(sa.select(reports.c.document).where(reports.c.job == job_id)).scalar()
        return None if text is None else json.loads(text)

    def unreported_jobs(self, before: float) -> list[tuple[JobRecord, str]]:
        """Older jobs without a report whose file is still there, each with the file's key."""
        waiting = reports.c.job.is_(None) & jobs.c.expired_at.is_(None) & (jobs.c.created_at < before)
        rows = _ROWS.add_columns(files.c.key).join(files, files.c.id == jobs.c.file).where(waiting)
        with self._database.read() as connection:
            return [(_job(row), row.key) for row in connection.execute(rows)]

    def expire_jobs(self, before: float, in_use: Collection[str] = ()) -> list[JobRecord]:
        """Marks jobs that ended (or, without a report, began) before then as expired, and returns them."""
        ended_at = sa.func.coalesce(reports.c.created_at, jobs.c.created_at)
        with self._database.write() as connection:
            rows = connection.execute(_ROWS.where(ended_at < before, jobs.c.expired_at.is_(None))).all()
            expired = [_job(row) for row in rows if row.id not in in_use]
            for job in expired:
                connection.execute(jobs.update().where(jobs.c.id == job.id).values(expired_at=time.time()))
        return expired

    def forget_expired_jobs(self, before: float) -> int:
        """Removes the rows of jobs that expired before then, and says how many."""
        with self._database.write() as connection:
            return connection.execute(jobs.delete().where(jobs.c.expired_at < before)).rowcount

    def known_ids(self) -> set[str]:
        """Every file and job whose bytes may lie in storage."""
        kept = sa.union_all(sa.select(files.c.id), sa.select(jobs.c.id).where(jobs.c.expired_at.is_(None)))
        with self._database.read() as connection:
            return set(connection.execute(kept).scalars())


def _job(row: sa.Row[tuple[object, ...]]) -> JobRecord:
    return JobRecord(
        id=row.id,
        owner=row.owner,
        file=row.file,
        file_name=row.file_name,
        options=json.loads(row.options),
        result_key=row.result_key,
        created_at=row.created_at,
        expired_at=row.expired_at,
        finished_at=row.finished_at,
        result_bytes=row.result_bytes,
    )

"""Uploaded files and their analyses. A stranger's id and an unknown one are answered alike."""

import json
import time
from collections.abc import Collection, Mapping

import sqlalchemy as sa

from app.errors import Figure, NotFound
from app.records.owners import OwnerRecords
from app.records.schema import analyses, files, jobs, reports
from app.records.values import Document, FileRecord, Refusal, ensure_id, new_id

_ROWS = sa.select(files, analyses.c.file.is_not(None).label("is_analysed")).join_from(files, analyses, isouter=True)


class FileRecords(OwnerRecords):
    """The part of the records about files."""

    def add_file(
        self,
        owner: str,
        name: str,
        bytes: int,  # noqa: A002 - the name that the field has everywhere, in JSON too
        sha256: str,
        key: str,
        *,
        file_id: str | None = None,
    ) -> FileRecord:
        """Records a file that lies in storage already; `file_id` is the id that its key was made of (`new_id`)."""
        file_id = file_id or new_id()
        row = {"id": file_id, "owner": owner, "name": name, "bytes": bytes, "sha256": sha256, "key": key}
        with self._database.write() as connection:
            connection.execute(files.insert().values(**row, created_at=time.time()))
        return self.find_file(owner, file_id)

    def find_file(self, owner: str, file_id: str) -> FileRecord:
        """An owner's file.

        Raises:
            NotFound: `record.unknown`, whether it is somebody else's or nobody's.
        """
        ensure_id(file_id)
        with self._database.read() as connection:
            row = connection.execute(_ROWS.where(files.c.id == file_id, files.c.owner == owner)).first()
        if row is None:
            raise NotFound("record.unknown")
        return _file(row)

    def list_files(self, owner: str) -> list[FileRecord]:
        """Newest first."""
        ordered = _ROWS.where(files.c.owner == owner).order_by(files.c.created_at.desc(), files.c.id)
        with self._database.read() as connection:
            return [_file(row) for row in connection.execute(ordered)]

    def remove_file(self, owner: str, file_id: str) -> FileRecord:
        """Forgets a file and its analysis; the bytes are the caller's to delete.

        Raises:
            NotFound: `record.unknown`.
        """
        found = self.find_file(owner, file_id)
        with self._database.write() as connection:
            connection.execute(files.delete().where(files.c.id == file_id, files.c.owner == owner))
        return found

    def bytes_of(self, owner: str) -> int:
        """What the owner's files and results take together."""
        uploaded = sa.select(sa.func.coalesce(sa.func.sum(files.c.bytes), 0)).where(files.c.owner == owner)
        results = (
            sa.select(sa.func.coalesce(sa.func.sum(reports.c.result_bytes), 0))
            .join_from(reports, jobs)
            .where(jobs.c.owner == owner, jobs.c.expired_at.is_(None))
        )
        with self._database.read() as connection:
            return int(connection.execute(uploaded).scalar_one()) + int(connection.execute(results).scalar_one())

    def save_analysis(self, file_id: str, document: Document) -> None:
        """Keeps what an analysis found; saving it again replaces it. A file removed meanwhile is left alone."""
        text = json.dumps(document, allow_nan=False)
        with self._database.write() as connection:
            connection.execute(analyses.delete().where(analyses.c.file == file_id))
            if connection.execute(sa.select(files.c.id).where(files.c.id == file_id)).first():
                connection.execute(analyses.insert().values(file=file_id, document=text))

    def analysis(self, file_id: str) -> Document | None:
        """None while there is none. Ask `find_file` first: this looks at no owner."""
        with self._database.read() as connection:
            text = connection.execute(sa.select(analyses.c.document).where(analyses.c.file == file_id)).scalar()
        return None if text is None else json.loads(text)

    def refuse_file(self, file_id: str, code: str, figures: Mapping[str, Figure]) -> None:
        """Notes why the file cannot be used."""
        values = {"refusal_code": code, "refusal_figures": json.dumps(dict(figures))}
        with self._database.write() as connection:
            connection.execute(files.update().where(files.c.id == file_id).values(**values))

    def unanalysed_files(self, before: float) -> list[FileRecord]:
        """Older files of which neither an analysis nor a refusal is known."""
        waiting = analyses.c.file.is_(None) & files.c.refusal_code.is_(None) & (files.c.created_at < before)
        with self._database.read() as connection:
            return [_file(row) for row in connection.execute(_ROWS.where(waiting))]

    def expire_files(self, before: float, in_use: Collection[str] = ()) -> list[FileRecord]:
        """Forgets files older than `before` that no younger job was made from, and returns them.

        One transaction, so a job that is being added either keeps its file or finds it gone. `in_use` are files that
        an unfinished job, older than `before` itself, still reads.
        """
        asked_for_since = sa.exists().where(jobs.c.file == files.c.id, jobs.c.created_at >= before)
        with self._database.write() as connection:
            rows = connection.execute(_ROWS.where(files.c.created_at < before, ~asked_for_since)).all()
            expired = [_file(row) for row in rows if row.id not in in_use]
            for file in expired:
                connection.execute(files.delete().where(files.c.id == file.id))
        return expired


def _file(row: sa.Row[tuple[object, ...]]) -> FileRecord:
    refused = row.refusal_code is not None
    return FileRecord(
        id=row.id,
        owner=row.owner,
        name=row.name,
        bytes=row.bytes,
        sha256=row.sha256,
        key=row.key,
        created_at=row.created_at,
        refusal=Refusal(row.refusal_code, json.loads(row.refusal_figures)) if refused else None,
        is_analysed=bool(row.is_analysed),
    )

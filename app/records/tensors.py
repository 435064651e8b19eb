"""The figures of single tensors, of files and of what jobs made: saved as they are found, read for a page at a time.

None of these looks at an owner: ask `find_file` or `find_job` first.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from app.records.jobs import JobRecords
from app.records.schema import file_outlines, file_tensors, files, job_tensors, jobs
from app.records.values import Document

TensorRow = tuple[int, Document, Document]
"""The place in the file, the figures of a table's row, and the details."""


class TensorRecords(JobRecords):
    """The part of the records about tensors."""

    def save_outline(self, file_id: str, document: Document) -> None:
        """Keeps what a header says, in place of all that was known of the tensors."""
        text = json.dumps(document, allow_nan=False)
        with self._database.write() as connection:
            connection.execute(file_outlines.delete().where(file_outlines.c.file == file_id))
            connection.execute(file_tensors.delete().where(file_tensors.c.file == file_id))
            if connection.execute(sa.select(files.c.id).where(files.c.id == file_id)).first():
                connection.execute(file_outlines.insert().values(file=file_id, document=text))

    def outline(self, file_id: str) -> str | None:
        """The document as JSON; None while the header is not known."""
        with self._database.read() as connection:
            found: str | None = connection.execute(
                sa.select(file_outlines.c.document).where(file_outlines.c.file == file_id)
            ).scalar()
        return found

    def save_tensors(self, file_id: str, rows: Iterable[TensorRow]) -> None:
        """Keeps the figures of some tensors; saving them again replaces them."""
        found = [
            {"file": file_id, "place": place, "figures": _text(figures), "details": _text(details)}
            for place, figures, details in rows
        ]
        places = [row["place"] for row in found]
        with self._database.write() as connection:
            is_there = connection.execute(sa.select(files.c.id).where(files.c.id == file_id)).first()
            for some in _batches(places):
                chosen = (file_tensors.c.file == file_id) & file_tensors.c.place.in_(some)
                connection.execute(file_tensors.delete().where(chosen))
            if is_there and found:
                connection.execute(file_tensors.insert(), found)

    def tensor_figures(self, file_id: str, places: Sequence[int]) -> dict[int, Document]:
        """The rows of those places that are known."""
        found: dict[int, Document] = {}
        with self._database.read() as connection:
            for some in _batches(places):
                chosen = sa.select(file_tensors.c.place, file_tensors.c.figures).where(
                    file_tensors.c.file == file_id, file_tensors.c.place.in_(some)
                )
                found |= {place: json.loads(text) for place, text in connection.execute(chosen)}
        return found

    def tensor(self, file_id: str, place: int) -> Document | None:
        """Figures and details of one tensor."""
        chosen = sa.select(file_tensors.c.figures, file_tensors.c.details).where(
            file_tensors.c.file == file_id, file_tensors.c.place == place
        )
        with self._database.read() as connection:
            return _whole(connection.execute(chosen).first())

    def count_tensors(self, file_id: str) -> int:
        """Of how many tensors the figures are known."""
        counted = sa.select(sa.func.count()).select_from(file_tensors).where(file_tensors.c.file == file_id)
        with self._database.read() as connection:
            return int(connection.execute(counted).scalar_one())

    def save_result_tensors(self, job_id: str, rows: Iterable[TensorRow]) -> None:
        """The same for tensors of a job's result; each figures' `name` says which."""
        found = {
            name_hash(str(figures["name"])): {"figures": _text(figures), "details": _text(details)}
            for _, figures, details in rows
        }
        with self._database.write() as connection:
            is_there = connection.execute(sa.select(jobs.c.id).where(jobs.c.id == job_id)).first()
            for some in _batches(list(found)):
                chosen = (job_tensors.c.job == job_id) & job_tensors.c.name_hash.in_(some)
                connection.execute(job_tensors.delete().where(chosen))
            if is_there and found:
                rows_of_job = [{"job": job_id, "name_hash": name, **texts} for name, texts in found.items()]
                connection.execute(job_tensors.insert(), rows_of_job)

    def result_tensor(self, job_id: str, name: str) -> Document | None:
        """Figures and details of one tensor of a job's result."""
        chosen = sa.select(job_tensors.c.figures, job_tensors.c.details).where(
            job_tensors.c.job == job_id, job_tensors.c.name_hash == name_hash(name)
        )
        with self._database.read() as connection:
            return _whole(connection.execute(chosen).first())


def name_hash(name: str) -> str:
    """Half of a surrogate pair may stand in a name: no database takes it, a hash does."""
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()


def _text(document: Mapping[str, Any]) -> str:
    return json.dumps(document, allow_nan=False, separators=(",", ":"))


def _whole(row: sa.Row[str, str] | None) -> Document | None:
    return None if row is None else {**json.loads(row[0]), **json.loads(row[1])}


def _batches(names: Sequence[Any]) -> Iterable[Sequence[Any]]:
    """SQLite takes a few hundred parameters at a time everywhere."""
    return (names[start : start + 500] for start in range(0, len(names), 500))

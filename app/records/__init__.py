"""Who owns which files and jobs, in SQL."""

from app.records.address import (
    database_address,
    database_failures,
    full_disk,
    is_server_away,
    wait_for_unreachable_servers,
)
from app.records.database import records_url
from app.records.tensors import TensorRecords
from app.records.values import Document, FileRecord, JobRecord, Refusal, new_id


class Records(TensorRecords):
    """Owners, files, analyses, jobs and reports; safe for several threads and processes."""


__all__ = [
    "Document",
    "FileRecord",
    "JobRecord",
    "Records",
    "Refusal",
    "database_address",
    "database_failures",
    "full_disk",
    "is_server_away",
    "new_id",
    "records_url",
    "wait_for_unreachable_servers",
]

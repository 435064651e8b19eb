"""What a worker is told, and the names that it shares with those who give it work."""

from dataclasses import dataclass
from pathlib import Path

import app
from app.records import database_address

APPLICATION = "bitlens"
QUEUE = "jobs"
ANALYSE = "analyse"
COMPRESS = "compress"
LOOK = "look"
ANALYSE_RESULT = "analyse-result"
LOOKS = "looks"
"""A queue of its own: a look at a tensor takes a second and waits for no compression."""
PROGRESS = "progress"
VERSION = app.__version__
"""A job begun by one version is never continued by another: its bytes could differ in the middle of a file."""

GIB = 1 << 30
MIB = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerOptions:
    """Everything that a worker needs; the command line fills it from the settings."""

    data_dir: Path
    """Where uploads and results lie, and where workers find their slots."""
    database_url: str | None = None
    """None: SQLite files in `data_dir`."""
    concurrency: int = 1
    """Jobs at a time, each in its own process."""
    child_memory_bytes: int = 8 * GIB
    """Address space of a job's process."""
    min_free_bytes: int = 256 * MIB
    upload_hours: float = 24
    result_hours: float = 72
    janitor_seconds: float = 180
    """Between two rounds of tidying."""
    take_over_seconds: float = 10
    """Between two looks for workers that died and did not come back."""
    child_module: str = "app.tasks.child"
    """Run with `python -m` for each job; it speaks `app.jobs.protocol`."""
    handlers_module: str = "app.tasks.child_steps"
    """Where the child finds its `HANDLERS`."""


def jobs_url(data_dir: Path, database_url: str | None = None) -> str:
    """Where the states of jobs live: the given database (in a schema of their own), else a SQLite file."""
    return database_address(database_url) if database_url else f"sqlite:///{data_dir.absolute() / 'jobs.db'}"

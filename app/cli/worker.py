"""`bitlens worker`: background jobs only; any number of them may share one database."""

import argparse

from app.jobs import WorkerOptions
from app.jobs.worker import run_worker
from app.settings import load_settings


def add_arguments(_: argparse.ArgumentParser) -> None:
    """All that a worker needs comes from the settings."""


def run(_: argparse.Namespace) -> int:
    """Work until the process is told to end."""
    settings = load_settings()
    run_worker(
        WorkerOptions(
            data_dir=settings.data_dir,
            database_url=settings.database_url,
            concurrency=settings.worker_concurrency,
            child_memory_bytes=settings.child_memory_bytes,
            min_free_bytes=settings.min_free_bytes,
            upload_hours=settings.upload_hours,
            result_hours=settings.result_hours,
        )
    )
    return 0

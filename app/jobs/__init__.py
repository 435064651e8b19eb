"""Durable background work: jobs that survive a crash of every process that has to do with them.

The names below are looked up when first used: a job's own process shares `app.jobs.protocol` with the worker and should
not have to load a database for it.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.jobs.client import JobClient
    from app.jobs.options import WorkerOptions, jobs_url
    from app.jobs.states import JobState, State
    from app.jobs.supervisor import WorkerSupervisor, supervise_worker

_HOMES = {
    "JobClient": "client",
    "JobState": "states",
    "State": "states",
    "WorkerOptions": "options",
    "WorkerSupervisor": "supervisor",
    "jobs_url": "options",
    "supervise_worker": "supervisor",
}

__all__ = ["JobClient", "JobState", "State", "WorkerOptions", "WorkerSupervisor", "jobs_url", "supervise_worker"]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(name)
    return getattr(import_module(f"app.jobs.{_HOMES[name]}"), name)

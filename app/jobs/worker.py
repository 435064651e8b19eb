"""A worker: takes jobs from the queue and has each done by a process of its own."""

from app.jobs.options import WorkerOptions


def run_worker(options: WorkerOptions) -> None:
    """Works until SIGTERM, SIGINT or the end of its supervisor, and then ends the process.

    Stopping needs no ceremony: a job in the middle stays as its last finished step left it, and the next worker goes
    on from there.
    """
    raise NotImplementedError(options)

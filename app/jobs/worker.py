"""A worker: takes jobs from the queue and has each done by a process of its own."""

import logging
import os
import signal
import threading
from collections.abc import Callable

from dbos import DBOS
from dbos import error as dbos_error

from app.errors import AppError
from app.jobs.client import JobClient, prepare_jobs_database
from app.jobs.janitor import Janitor
from app.jobs.looker import Looker
from app.jobs.options import APPLICATION, LOOKS, QUEUE, VERSION, WorkerOptions, jobs_url
from app.jobs.process import ProcessPlan
from app.jobs.serializer import JsonSerializer
from app.jobs.slots import Slots, executor_id
from app.jobs.supervisor import PIPE_VARIABLE
from app.jobs.workflows import Workshop, register_workflows
from app.records import Records, records_url, wait_for_unreachable_servers
from app.storage import LocalStorage

_POLL_SECONDS = 0.4
"""How soon a queued job is noticed; each look costs a few milliseconds."""

_CANCELLED_WORDS = ("was cancelled during execution", "is no longer owned by this execution")
"""How dbos says, from its two points of view, that a running job was cancelled."""

_log = logging.getLogger(__name__)


def run_worker(options: WorkerOptions) -> None:
    """Works until SIGTERM, SIGINT or the end of its supervisor, and then ends the process.

    Stopping needs no ceremony: a job in the middle stays as its last finished step left it, and the next worker goes
    on from there.
    """
    stopping = threading.Event()
    for kind in (signal.SIGTERM, signal.SIGINT):
        signal.signal(kind, lambda *_: stopping.set())
    _watch_supervisor(stopping)
    slots = Slots(options.data_dir)
    slot = slots.take()
    workshop = build_worker(options, slot)
    DBOS.launch()
    janitor = Janitor(options, workshop.records, workshop.storage, workshop.jobs)
    _start("janitor", stopping, options.janitor_seconds, janitor.round)
    _start("dead workers", stopping, options.take_over_seconds, lambda: _take_over(slots, workshop.jobs))
    stopping.wait()
    for process in list(workshop.running.values()):
        process.kill()
    workshop.looker.close()
    # Not sys.exit: threads of dbos wait for steps that will never end. Nothing is lost, all state is on disk.
    logging.shutdown()
    os._exit(0)


def build_worker(options: WorkerOptions, slot: int) -> Workshop:
    """Everything but the start: databases, storage, and dbos with its workflows."""
    url = jobs_url(options.data_dir, options.database_url)
    records = Records(records_url(options.data_dir, options.database_url))
    prepare_jobs_database(url)
    wait_for_unreachable_servers()
    plan = ProcessPlan(options.child_module, options.handlers_module, options.child_memory_bytes)
    workshop = Workshop(
        records=records,
        storage=LocalStorage(options.data_dir, options.min_free_bytes),
        jobs=JobClient(url, waits_for_server=True),
        process_plan=plan,
        running={},
        looker=Looker(plan),
    )
    workshop.jobs.register_queue(QUEUE, options.concurrency, _POLL_SECONDS)
    workshop.jobs.register_queue(LOOKS, 1, _POLL_SECONDS)
    DBOS(
        config={
            "name": APPLICATION,
            "system_database_url": url,
            "sys_db_pool_size": 4 + options.concurrency,
            "application_version": VERSION,
            "executor_id": executor_id(slot),
            "serializer": JsonSerializer(),
            "log_level": "WARNING",
            "use_listen_notify": not url.startswith("sqlite"),
            "notification_listener_polling_interval_sec": 5.0,
        }
    )
    logging.getLogger("dbos").addFilter(_is_worth_logging)
    register_workflows(workshop)
    return workshop


def _is_worth_logging(record: logging.LogRecord) -> bool:
    # A refused file or a cancelled job is an answer, not an incident.
    error = record.exc_info[1] if record.exc_info else None
    is_answer = isinstance(error, AppError | dbos_error.DBOSAwaitedWorkflowCancelledError)
    is_cancellation = any(words in record.getMessage() for words in _CANCELLED_WORDS)
    return not is_answer and not is_cancellation


def _take_over(slots: Slots, jobs: JobClient) -> None:
    """Puts the jobs of workers that died for good back on the queue."""
    with slots.dead() as dead:
        if dead:
            DBOS._recover_pending_workflows([executor_id(slot) for slot in dead])  # noqa: SLF001 - there is no public way
    if slots.is_alone():
        jobs.restart_other_versions()


def _start(name: str, stopping: threading.Event, seconds: float, work: Callable[[], None]) -> None:
    def loop() -> None:
        while True:
            try:
                work()
            except Exception:  # noqa: BLE001 - a thread that must go on, whatever one round met
                _log.exception("%s: failed, and will be tried again", name)
            if stopping.wait(seconds):
                return

    threading.Thread(target=loop, name=name, daemon=True).start()


def _watch_supervisor(stopping: threading.Event) -> None:
    pipe = os.environ.pop(PIPE_VARIABLE, None)
    if pipe is None:
        return

    def wait() -> None:
        os.read(int(pipe), 1)  # nothing is ever written: this returns when the supervisor is gone
        stopping.set()

    os.set_inheritable(int(pipe), False)  # noqa: FBT003 - the signature is the standard library's
    threading.Thread(target=wait, name="supervisor", daemon=True).start()

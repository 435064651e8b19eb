"""A worker beside the web server: started with it, restarted when it dies, ended with it whatever happens to either."""

import contextlib
import logging
import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

from app.jobs.own_program import import_path, own_module

PIPE_VARIABLE = "BITLENS_SUPERVISOR_PIPE"
"""Names a descriptor whose other end the supervisor holds: when it closes, the worker ends itself."""

WORKER_COMMAND = (*own_module("app"), "worker")

_FIRST_PAUSE = 0.2
_STEADY_SECONDS = 5.0
"""A worker that lived so long was no false start."""
_PATIENCE = 10.0

_log = logging.getLogger(__name__)


def supervise_worker(
    environment: Mapping[str, str] | None = None,
    command: Sequence[str] = WORKER_COMMAND,
    longest_pause: float = 10.0,
) -> "WorkerSupervisor":
    """Starts a worker and keeps one running until `stop`; also a context manager.

    `environment` is added to this process's own, for settings that the server got otherwise. Between a worker's death
    and the next start lies a pause, which doubles up to `longest_pause` while workers die young.
    """
    inherited = {**os.environ, "PYTHONPATH": import_path()}
    return WorkerSupervisor(command, {**inherited, **(environment or {})}, longest_pause)


class WorkerSupervisor:
    """A thread that waits for the worker's end, and a pipe that tells the worker of ours."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], longest_pause: float) -> None:
        self._command = tuple(command)
        self._environment = dict(environment)
        self._longest_pause = longest_pause
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._starts = 0
        self._process = self._start()
        self._thread = threading.Thread(target=self._watch, name="worker-supervisor", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """Of the worker that runs now, or of the last one."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether a worker is there at this moment."""
        return self._process.poll() is None

    @property
    def starts(self) -> int:
        """How often a worker was started."""
        return self._starts

    def stop(self) -> None:
        """Ends the worker, by force if it does not end itself; returns when it is gone."""
        self._stopping.set()
        with self._lock:
            process = self._process
        process.terminate()
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._thread.join()

    def _start(self) -> subprocess.Popen[bytes]:
        theirs, ours = os.pipe()
        try:
            process = subprocess.Popen(  # noqa: S603 - our own program, or a test's
                self._command,
                env={**self._environment, PIPE_VARIABLE: str(theirs)},
                stdin=subprocess.DEVNULL,
                pass_fds=(theirs,),
                # Ctrl-C in a terminal reaches the server alone, which then stops the worker in good order.
                start_new_session=True,
            )
        except BaseException:
            os.close(ours)
            raise
        finally:
            os.close(theirs)
        self._pipe = ours
        self._starts += 1
        return process

    def _watch(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            started = time.monotonic()
            code = self._process.wait()
            with contextlib.suppress(OSError):
                os.close(self._pipe)
            if self._stopping.is_set():
                return
            if time.monotonic() - started > _STEADY_SECONDS:
                pause = _FIRST_PAUSE
            _log.warning("the worker ended with exit status %d; starting another in %.1f s", code, pause)
            if self._stopping.wait(pause):
                return
            pause = min(2 * pause, self._longest_pause)
            with self._lock:
                if self._stopping.is_set():
                    return
                self._process = self._start()

"""A job's process as the worker sees it: started when needed, started again when it dies, ended with the job."""

import contextlib
import logging
import os
import secrets
import select
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from app.errors import JobCrashed
from app.jobs.failures import error_from_json
from app.jobs.own_program import import_path, own_module
from app.jobs.protocol import Channel, Message

MOST_DEATHS = 3
"""In one step; the third is the job's end."""

_LOOK_UP_SECONDS = 0.5
_PATIENCE = 4.0
# What Python, torch and a C library need, and nothing that could be a secret.
_KEPT_VARIABLES = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ProcessPlan:
    """How jobs' processes are started."""

    child_module: str
    handlers_module: str
    memory_bytes: int

    def command(self, channel: int) -> list[str]:
        """The program and what it is told."""
        options = {"--channel": channel, "--handlers": self.handlers_module, "--memory": self.memory_bytes}
        return own_module(self.child_module) + [text for name, value in options.items() for text in (name, str(value))]

    def environment(self) -> dict[str, str]:
        """Scrubbed."""
        kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
        # The steps work with one thread; torch would make one for each core all the same.
        return {**kept, "PYTHONPATH": import_path(), "OMP_NUM_THREADS": "1"}


class JobProcess:
    """Used by the one thread that does the job; only `kill` may be called by another."""

    def __init__(self, plan: ProcessPlan, job_id: str) -> None:
        self._plan = plan
        self._job_id = job_id
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: Channel | None = None
        self._lock = threading.Lock()
        self._is_closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def call(
        self,
        step: str,
        arguments: Mapping[str, Any],
        *,
        file_bytes: int | None,
        on_progress: Callable[[int, str], None],
        check: Callable[[], None],
        on_part: Callable[[Message], None] | None = None,
    ) -> dict[str, Any]:
        """Has one step done and gives its result; `check` is called twice a second and may raise to stop it.

        `on_part` is handed what the step tells ahead of its result; all of it again where the process died meanwhile.

        Raises:
            AppError: what the step refused, or JobCrashed: `job.internal`, `job.crashed`, `job.out-of-memory`.
        """
        request = {"call": step, "arguments": arguments, "file_bytes": file_bytes}
        kills_before = _out_of_memory_kills()
        for _ in range(MOST_DEATHS):
            try:
                answer = self._ask(request, on_progress, check, on_part)
            except BaseException:
                self._end()
                raise
            if answer is not None:
                return self._outcome(answer)
            status = self._end()
            _log.warning("job %s: its process died in step %s with status %d", self._job_id, step, status)
        if status == -signal.SIGKILL and _out_of_memory_kills() > kills_before:
            raise JobCrashed("job.out-of-memory", limit=self._plan.memory_bytes >> 20)
        raise JobCrashed("job.crashed", deaths=MOST_DEATHS, signal=_name(status))

    def kill(self) -> None:
        """Ends it at once and for good, from whatever thread: the worker itself is ending."""
        with self._lock:
            self._is_closed = True
            if self._process is not None:
                self._process.kill()
                self._process.wait()

    def _ask(
        self,
        request: Message,
        on_progress: Callable[[int, str], None],
        check: Callable[[], None],
        on_part: Callable[[Message], None] | None,
    ) -> Message | None:
        """The last message of the answer, or None if the process died before that."""
        channel = self._channel or self._start()
        try:
            channel.send(request)
        except OSError:
            return None
        next_check = time.monotonic() + _LOOK_UP_SECONDS
        while True:
            ready, _, _ = select.select([channel], [], [], max(0.0, next_check - time.monotonic()))
            if time.monotonic() >= next_check:
                check()
                next_check = time.monotonic() + _LOOK_UP_SECONDS
            if not ready:
                continue
            messages = channel.receive()
            if messages is None:
                return None
            for message in messages:
                if "part" in message:
                    if on_part is not None:
                        on_part(message["part"])
                elif "progress" in message:
                    on_progress(message["progress"]["done"], message["progress"]["tensor"])
                else:
                    return message

    def _outcome(self, answer: Message) -> dict[str, Any]:
        if "result" in answer:
            return dict(answer["result"])
        if "error" in answer:
            raise error_from_json(answer["error"])
        incident = secrets.token_hex(4)
        _log.error("job %s: internal error %s\n%s", self._job_id, incident, answer["bug"])
        raise JobCrashed("job.internal", incident=incident)

    def _start(self) -> Channel:
        ours, theirs = socket.socketpair()
        with theirs, self._lock:
            if self._is_closed:
                raise SystemExit
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                self._plan.command(theirs.fileno()),
                env=self._plan.environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,  # a stray print disturbs nobody; standard error goes to the log
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )
        self._channel = Channel(ours)
        return self._channel

    def _end(self) -> int:
        """Sees to it that the process is gone, and gives its exit status."""
        if self._channel is None or self._process is None:
            return 0
        self._channel.close()  # ends an idle or working process by itself
        self._channel = None
        if self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()
        try:
            return self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()


def _name(status: int) -> str:
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"exit status {status}"


def _out_of_memory_kills() -> int:
    """How many processes the kernel has killed for want of memory in this container, where it says so."""
    try:
        lines = Path("/sys/fs/cgroup/memory.events").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    counts = dict(line.split() for line in lines)
    return int(counts.get("oom_kill", 0))

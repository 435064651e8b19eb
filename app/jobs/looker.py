"""One process for looks at tensors that stays for a while: whoever looks once looks again at the same file."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from app.jobs.process import JobProcess, ProcessPlan

IDLE_SECONDS = 45.0
FILE_BYTES = 1 << 20
"""A look writes no file: its document comes through the channel."""


class Looker:
    """Safe for several threads, which wait for one another. Another file never meets the process of the last one."""

    def __init__(self, plan: ProcessPlan, idle_seconds: float = IDLE_SECONDS) -> None:
        self._plan = plan
        self._idle_seconds = idle_seconds
        self._lock = threading.Lock()
        self._process: JobProcess | None = None
        self._source = ""
        self._used_at = 0.0

    def look(
        self, look_id: str, source_key: str, arguments: Mapping[str, Any], check: Callable[[], None]
    ) -> dict[str, Any]:
        """The document of a look.

        Raises:
            AppError: what the look refused, or that its process died.
        """
        with self._lock:
            if self._process is None or self._source != source_key:
                self._end()
                self._process, self._source = JobProcess(self._plan, look_id), source_key
            try:
                found = self._process.call(
                    "look", arguments, file_bytes=FILE_BYTES, on_progress=lambda _done, _tensor: None, check=check
                )
            except BaseException:
                self._end()
                raise
            self._used_at = time.monotonic()
            self._end_when_idle()
            return found

    def close(self) -> None:
        """Ends the process at once, whatever it does: the worker itself is ending."""
        if (process := self._process) is not None:
            process.kill()

    def _end_when_idle(self) -> None:
        timer = threading.Timer(self._idle_seconds, self._end_if_idle)
        timer.daemon = True
        timer.start()

    def _end_if_idle(self) -> None:
        with self._lock:
            if time.monotonic() - self._used_at >= self._idle_seconds:
                self._end()

    def _end(self) -> None:
        if self._process is not None:
            self._process.__exit__(None, None, None)
            self._process = None

"""How far a job is, written down a few times a second for whoever watches."""

import time
from typing import Any

from dbos import DBOS

from app.jobs.options import PROGRESS

_PAUSE_SECONDS = 0.25


class ProgressWriter:
    """Used inside steps. `done` counts from the job's start, whichever process began it."""

    def __init__(self, total: int, steps: int) -> None:
        self._total = total
        self._steps = steps
        self._written_at = 0.0
        self._first: tuple[float, int] | None = None

    def report(self, step: int, done: int, tensor: str) -> None:
        """Step `step`, counted from 1, has reached that many bytes, in that tensor."""
        now = time.monotonic()
        if self._first is None:
            self._first = (now, done)
        if now - self._written_at >= _PAUSE_SECONDS:
            self._written_at = now
            self._write(step, done, tensor, self._speed(now, done))

    def finish(self) -> None:
        """Everything is done; the average speed stays to be seen."""
        self._write(self._steps, self._total, "", self._speed(time.monotonic(), self._total))

    def _speed(self, now: float, done: int) -> int:
        since, at = self._first or (now, done)
        return int(max(0, done - at) / (now - since)) if now > since else 0

    def _write(self, step: int, done: int, tensor: str, speed: int) -> None:
        value: dict[str, Any] = {"done": min(done, self._total), "total": self._total, "tensor": tensor}
        DBOS.set_event(PROGRESS, {**value, "step": step, "steps": self._steps, "bytes_per_second": speed})

"""A number for each worker that outlives it: whoever starts next takes the lowest free one, and with it its jobs.

A worker holds its number as a lock on a file, which the kernel lets go of however the worker ends; no process id is
written down that could belong to somebody else later.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.storage import private_folder

_MOST_WORKERS = 256


def executor_id(slot: int) -> str:
    """What dbos knows the worker of that slot by."""
    return f"worker-{slot}"


class Slots:
    """Of all workers that share a data folder, on however many machines."""

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / "workers"
        for folder in (data_dir, self._folder):  # `parents` would make the outer one readable for everybody
            private_folder(folder)
        self._held: dict[int, int] = {}

    def take(self) -> int:
        """The lowest free slot, held until this process ends."""
        for slot in range(_MOST_WORKERS):
            if self._try_lock(slot):
                return slot
        raise RuntimeError("more workers than slots")

    @contextmanager
    def dead(self) -> Iterator[list[int]]:
        """The slots that were used once and are nobody's now; none of them can be taken meanwhile."""
        known = sorted(int(path.name) for path in self._folder.iterdir() if path.name.isdigit())
        found = [slot for slot in known if slot not in self._held and self._try_lock(slot)]
        try:
            yield found
        finally:
            for slot in found:
                os.close(self._held.pop(slot))

    def is_alone(self) -> bool:
        """Whether no other worker lives."""
        with self.dead() as dead:
            used = {int(path.name) for path in self._folder.iterdir() if path.name.isdigit()}
            return used == {*dead, *self._held}

    def _try_lock(self, slot: int) -> bool:
        descriptor = os.open(self._folder / str(slot), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._held[slot] = descriptor
        return True

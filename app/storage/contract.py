"""What the rest of the program may ask of a storage: today a local folder, later an object store."""

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Protocol, Self


@dataclass(frozen=True, slots=True)
class StoredBytes:
    """What was committed."""

    bytes: int
    sha256: str


class Writer(Protocol):
    """Bytes on their way into storage; nothing is visible before `commit` has returned."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...

    def write(self, data: bytes | memoryview) -> None:
        """Appends.

        Raises:
            StorageFull: `storage.full`, `storage.failed`.
        """

    def commit(self) -> StoredBytes:
        """Makes it durable and visible under its key."""

    def abort(self) -> None:
        """Leaves nothing behind; harmless after `commit`."""


class Storage(Protocol):
    """Bytes under keys."""

    def writer(self, key: str) -> Writer: ...
    def open(self, key: str) -> BinaryIO: ...
    def size(self, key: str) -> int: ...
    def exists(self, key: str) -> bool: ...
    def delete(self, key: str) -> None: ...
    def delete_tree(self, prefix: str) -> None: ...
    def free_bytes(self) -> int: ...

    def path(self, key: str) -> Path:
        """Where a job's process can read or write it; an object store would give a local copy."""

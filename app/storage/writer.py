"""A file that appears whole or not at all, even when the power fails: written aside, synced, renamed, folder synced."""

import contextlib
import hashlib
import os
import secrets
from collections.abc import Callable
from types import TracebackType
from typing import Self

from app.storage.contract import StoredBytes
from app.storage.failures import storage_failures
from app.storage.keys import PART_SUFFIX

_ROOM_CHECK_BYTES = 16 << 20


class DurableWriter:
    """Owns the folder's descriptor, so that a folder renamed meanwhile cannot lead the file elsewhere."""

    def __init__(self, folder: int, name: str, ensure_room: Callable[[int], None]) -> None:
        self._folder = folder
        self._name = name
        self._part = f"{name}.{secrets.token_hex(4)}{PART_SUFFIX}"
        self._ensure_room = ensure_room
        self._hash = hashlib.sha256()
        self._bytes = 0
        self._room_checked_at = 0
        self._is_open = False
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            with storage_failures():
                self._file = os.open(self._part, flags, 0o600, dir_fd=folder)
        except BaseException:
            os.close(folder)
            raise
        self._is_open = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.abort()

    def write(self, data: bytes | memoryview) -> None:
        """Appends all of `data`; the operating system may take it in several bites.

        Raises:
            StorageFull: no room is left, or the disk fails; nothing will be visible.
        """
        left = memoryview(data).cast("B")
        if self._bytes + len(left) - self._room_checked_at >= _ROOM_CHECK_BYTES:
            self._ensure_room(len(left))
            self._room_checked_at = self._bytes + len(left)
        self._hash.update(left)
        self._bytes += len(left)
        with storage_failures():
            while left:
                left = left[os.write(self._file, left) :]

    def commit(self) -> StoredBytes:
        """Returns only once the bytes and their name would survive a power failure.

        A failed sync is never tried again: the kernel may have dropped the pages already, so the file counts as lost.
        """
        with storage_failures():
            os.fsync(self._file)
            os.rename(self._part, self._name, src_dir_fd=self._folder, dst_dir_fd=self._folder)
            os.fsync(self._folder)
        self._close()
        return StoredBytes(self._bytes, self._hash.hexdigest())

    def abort(self) -> None:
        """Removes what was written, unless it was committed."""
        if self._is_open:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._part, dir_fd=self._folder)
            self._close()

    def _close(self) -> None:
        self._is_open = False
        os.close(self._file)
        os.close(self._folder)

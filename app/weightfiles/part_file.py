"""A file being written in place under `NAME.part`: bytes at fixed offsets, synced, and renamed when it is whole."""

import contextlib
import errno
import fcntl
import hashlib
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from app.errors import Conflict
from app.storage import PART_SUFFIX
from app.storage.failures import storage_failures

_NOT_WRITABLE = frozenset({errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG})
_HASHED_BYTES = 4 << 20


def part_path(output: Path) -> Path:
    """Where the bytes lie until the file is whole."""
    return output.with_name(output.name + PART_SUFFIX)


class PartFile:
    """An open `.part` file, locked against other writers; a context manager. Writes may be repeated."""

    def __init__(self, output: Path, *, create: bool = False) -> None:
        """Opens the part of `output`.

        Raises:
            Conflict: `output.busy`, another process writes it; `output.part-missing`, there is none to open;
                `output.no-folder`; `output.not-writable`.
        """
        flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | (os.O_CREAT if create else 0)
        with storage_failures():
            try:
                self._descriptor = os.open(part_path(output), flags, 0o600)
            except FileNotFoundError:
                code = "output.no-folder" if create else "output.part-missing"
                raise Conflict(code, name=output.name) from None
            except OSError as error:
                if error.errno not in _NOT_WRITABLE:
                    raise
                raise Conflict("output.not-writable", name=output.name) from None
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._descriptor)
            raise Conflict("output.busy", name=output.name) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._descriptor)

    def reserve(self, size: int) -> None:
        """Makes the file exactly that long, all zeros; a disk without room for it says so now.

        Raises:
            StorageFull: `storage.full`.
        """
        with storage_failures():
            # What a killed run has left there must not show between tensors.
            os.ftruncate(self._descriptor, 0)
            os.ftruncate(self._descriptor, size)
            try:
                if size:
                    os.posix_fallocate(self._descriptor, 0, size)
            except OSError as error:
                if error.errno not in {errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS}:
                    raise

    def write(self, data: bytes | memoryview, offset: int) -> None:
        """Writes all of the data at that offset.

        Raises:
            StorageFull: `storage.full`.
        """
        view = memoryview(data).cast("B")
        with storage_failures():
            while view:
                count = os.pwrite(self._descriptor, view, offset)
                view = view[count:]
                offset += count

    def starts_with(self, head: bytes) -> bool:
        """Whether the first bytes are these."""
        return os.pread(self._descriptor, len(head), 0) == head

    def sync(self) -> None:
        """Returns when the bytes would survive a power cut."""
        with storage_failures():
            os.fsync(self._descriptor)


def publish(output: Path) -> None:
    """Gives the whole, synced part its name, durably."""
    with storage_failures():
        part_path(output).replace(output)
        sync_folder(output.parent)


def sync_folder(folder: Path) -> None:
    """Returns when the names in a folder would survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def discard_part(output: Path) -> None:
    """Removes the part, if there is one."""
    with contextlib.suppress(FileNotFoundError):
        part_path(output).unlink()


def sha256_of(path: Path) -> str:
    """The hash of a file's bytes, in hexadecimal."""
    digest = hashlib.sha256()
    buffer = bytearray(_HASHED_BYTES)
    with path.open("rb", buffering=0) as file:
        while count := file.readinto(buffer):
            digest.update(memoryview(buffer)[:count])
    return digest.hexdigest()


def write_durably(path: Path, text: str) -> None:
    """Writes a small text file that others may read: whole or not at all, also after a power cut."""
    with PartFile(path, create=True) as part:
        data = text.encode("utf-8")
        part.reserve(len(data))
        part.write(data, 0)
        part.sync()
    let_others_read(part_path(path))
    publish(path)


def let_others_read(path: Path) -> None:
    """Gives a file that was private while it was written the rights of any new file."""
    mask = os.umask(0o077)
    os.umask(mask)
    path.chmod(0o666 & ~mask)

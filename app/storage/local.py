"""Storage in a folder of this machine: private modes, no link followed, every step relative to an open folder."""

import contextlib
import os
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from app.errors import NotFound, StorageFull
from app.storage.failures import storage_failures
from app.storage.keys import PART_SUFFIX, segments
from app.storage.private import private_folder
from app.storage.writer import DurableWriter

_TRIES = 8
_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class LocalStorage:
    """Safe for several processes and threads: it holds no state but the root."""

    def __init__(self, root: Path, min_free_bytes: int = 0) -> None:
        self._root = root.absolute()
        self._min_free_bytes = min_free_bytes
        private_folder(self._root)

    def writer(self, key: str) -> DurableWriter:
        """Begins a file; folders on the way are made (0700).

        Raises:
            StorageFull: less than `min_free_bytes` would be left.
        """
        self._ensure_room(0)
        *_, name = segments(key)
        for _ in range(_TRIES):
            try:
                return DurableWriter(self._open_folder(key, create=True), name, self._ensure_room)
            except FileNotFoundError:  # somebody else tidied the still empty folder away: make it again
                continue
        raise StorageFull("storage.failed", reason="the folder keeps disappearing")

    def prepare(self, key: str) -> Path:
        """The path of a file that another process will write; its folder is made."""
        os.close(self._open_folder(key, create=True))
        return self.path(key)

    def path(self, key: str) -> Path:
        """Where it lies, or would lie."""
        return self._root.joinpath(*segments(key))

    def open(self, key: str) -> BinaryIO:
        """For reading.

        Raises:
            NotFound: `storage.missing`.
        """
        *_, name = segments(key)
        try:
            folder = self._open_folder(key)
            try:
                descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
            finally:
                os.close(folder)
        except FileNotFoundError:
            raise NotFound("storage.missing") from None
        return os.fdopen(descriptor, "rb")

    def size(self, key: str) -> int:
        """In bytes.

        Raises:
            NotFound: `storage.missing`.
        """
        with self.open(key) as file:
            return os.fstat(file.fileno()).st_size

    def exists(self, key: str) -> bool:
        """Whether something has been committed under the key."""
        return self.path(key).is_file()

    def delete(self, key: str) -> None:
        """Removes one file and then its folder, if that is empty; nothing happens if it is gone already."""
        path = self.path(key)
        path.unlink(missing_ok=True)
        self._remove_if_empty(path.parent)

    def delete_tree(self, prefix: str) -> None:
        """Removes everything below a prefix, half-written files too."""
        path = self.path(prefix)
        # rmtree on Linux walks by descriptors and removes a link instead of following it.
        if path.is_symlink():
            path.unlink()
        elif path.exists():
            shutil.rmtree(path, ignore_errors=True)
        self._remove_if_empty(path.parent)

    def free_bytes(self) -> int:
        """What may still be written, beyond `min_free_bytes`; never negative."""
        return max(0, shutil.disk_usage(self._root).free - self._min_free_bytes)

    def prefixes(self) -> Iterator[tuple[str, float]]:
        """Each `owners/<owner>/<id>` and when it, or a file in it, last changed, in seconds since the epoch."""
        for owner in _folders(self._root / "owners"):
            for record in _folders(owner):
                with contextlib.suppress(FileNotFoundError):  # gone meanwhile
                    changed_at = max(path.lstat().st_mtime for path in (record, *record.iterdir()))
                    yield f"owners/{owner.name}/{record.name}", changed_at

    def sweep_parts(self, older_than_seconds: float, is_used: Callable[[str], bool]) -> list[str]:
        """Removes half-written files that nobody has touched for that long, and tells which."""
        swept = []
        for path in sorted((self._root / "owners").glob(f"*/*/*{PART_SUFFIX}")):
            key = path.relative_to(self._root).as_posix()
            try:
                state = path.lstat()
            except FileNotFoundError:
                continue
            is_stale = time.time() - state.st_mtime >= older_than_seconds
            if is_stale and stat.S_ISREG(state.st_mode) and not is_used(key):
                path.unlink(missing_ok=True)
                self._remove_if_empty(path.parent)
                swept.append(key)
        return swept

    def _ensure_room(self, bytes_to_come: int) -> None:
        if self.free_bytes() <= bytes_to_come:
            raise StorageFull("storage.full")

    def _open_folder(self, key: str, *, create: bool = False) -> int:
        """A descriptor of the key's folder, reached step by step so that no link is followed."""
        *folders, _ = segments(key)
        current = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        for name in folders:
            try:
                with storage_failures():
                    inner = _enter(current, name, create=create)
            finally:
                os.close(current)
            current = inner
        return current

    def _remove_if_empty(self, folder: Path) -> None:
        # An owner's folder goes with its last file; the root and `owners` stay.
        while folder not in {self._root, self._root / "owners"} and folder.is_relative_to(self._root):
            try:
                folder.rmdir()
            except OSError:
                return
            folder = folder.parent


def _enter(parent: int, name: str, *, create: bool) -> int:
    if create:
        with contextlib.suppress(FileExistsError):
            os.mkdir(name, 0o700, dir_fd=parent)
            os.fsync(parent)
    return os.open(name, _FOLDER_FLAGS, dir_fd=parent)


def _folders(parent: Path) -> list[Path]:
    try:
        return sorted(path for path in parent.iterdir() if path.is_dir() and not path.is_symlink())
    except FileNotFoundError:
        return []

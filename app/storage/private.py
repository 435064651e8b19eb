"""Folders and files that are nobody else's, in a place that somebody chose and that may not be usable."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.errors import InvalidInput, StorageFull
from app.storage.failures import NO_ROOM


def private_folder(path: Path) -> Path:
    """Made (0700) if need be, and writable.

    Raises:
        InvalidInput: `storage.folder-unusable`.
        StorageFull: `storage.full`.
    """
    with _folder_failures(path):
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
            code = errno.EROFS if os.statvfs(path).f_flag & os.ST_RDONLY else errno.EACCES
            raise OSError(code, os.strerror(code))
    return path


def private_file(path: Path) -> Path:
    """Made (0600) and empty if it is not there, in a private folder.

    Raises:
        InvalidInput: `storage.folder-unusable`.
        StorageFull: `storage.full`.
    """
    private_folder(path.parent)
    with _folder_failures(path.parent):
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
    return path


@contextmanager
def _folder_failures(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in NO_ROOM:
            raise StorageFull("storage.full") from error
        reason = error.strerror or "I/O error"
        raise InvalidInput("storage.folder-unusable", path=str(folder), reason=reason) from error

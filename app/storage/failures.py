"""How the operating system's refusals become errors that a user understands."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from app.errors import StorageFull

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})
_FAILING = frozenset({errno.EIO, errno.EROFS, errno.EFBIG})


@contextmanager
def storage_failures() -> Iterator[None]:
    """Turns a full disk into `storage.full` and a failing one into `storage.failed`; other errors pass."""
    try:
        yield
    except OSError as error:
        if error.errno in NO_ROOM:
            raise StorageFull("storage.full") from error
        if error.errno in _FAILING:
            raise StorageFull("storage.failed", reason=error.strerror or "I/O error") from error
        raise

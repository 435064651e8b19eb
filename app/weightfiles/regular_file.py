"""Opening what a user names as a file to read: never a pipe or a device, which could block or never end."""

import os
import stat
from pathlib import Path

from app.errors import WeightFileError


def open_regular(path: str | os.PathLike[str], *, follow_links: bool = True) -> int:
    """The descriptor of a regular file, for reading; with `follow_links=False`, never of what a link leads to.

    Raises:
        WeightFileError: `file.unreadable`.
    """
    unreadable = WeightFileError("file.unreadable", name=Path(path).name or str(path))
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | (0 if follow_links else os.O_NOFOLLOW)
    try:
        descriptor = os.open(path, flags)
    except (OSError, ValueError):
        raise unreadable from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise unreadable
    return descriptor

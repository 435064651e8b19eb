"""The error of every tensor of a compressed file against its original, both read back from disk."""

import os
from typing import Any

from app.tasks.progress import Progress, no_progress

Path = str | os.PathLike[str]


def compare_files(original: Path, compressed: Path, progress: Progress = no_progress) -> dict[str, Any]:
    """The comparison document: `{"bytes_before", "bytes_after", "ratio", "tensors", "missing", "unexpected"}`."""
    raise NotImplementedError

"""What a weight file holds: its header and the statistics of every tensor, in one pass of exact figures."""

import os
from typing import Any

from app.tasks.progress import Progress, no_progress


def analyse_file(path: str | os.PathLike[str], progress: Progress = no_progress) -> dict[str, Any]:
    """The analysis document of a weight file."""
    raise NotImplementedError

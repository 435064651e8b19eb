"""How long work tells how far it is."""

from collections.abc import Callable

Progress = Callable[[int, str], None]
"""Called about once a chunk with the bytes done since the work began and the name of the tensor at hand."""


def no_progress(_done: int, _tensor: str) -> None:
    """For callers that do not watch."""

"""How long work tells how far it is."""

from collections.abc import Callable

Progress = Callable[[int, str], None]
"""Called about once a chunk with the bytes done since the work began and the name of the tensor at hand."""


Advance = Callable[[int], None]
"""Told how many more bytes of the tensor at hand were dealt with."""


def no_progress(_done: int, _tensor: str) -> None:
    """For callers that do not watch."""


def advance_from(start: int, tensor: str, progress: Progress) -> Advance:
    """Adds up what it is told, from `start` on, and passes the sum on."""
    done = start

    def advance(count: int) -> None:
        nonlocal done
        done += count
        progress(done, tensor)

    return advance

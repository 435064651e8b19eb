"""Counts the event streams that each owner holds open, so that nobody holds them all."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from app.errors import Busy

STREAMS_PER_OWNER = 4


class StreamCount:
    """Used from the event loop alone, so a plain counter is enough."""

    def __init__(self) -> None:
        self._open: Counter[str] = Counter()

    @contextmanager
    def one_more(self, owner: str) -> Iterator[None]:
        """Holds a place while the stream lasts.

        Raises:
            Busy: `stream.too-many`.
        """
        if self._open[owner] >= STREAMS_PER_OWNER:
            raise Busy("stream.too-many", limit=STREAMS_PER_OWNER)
        self._open[owner] += 1
        try:
            yield
        finally:
            self._open[owner] -= 1
            if not self._open[owner]:
                del self._open[owner]

"""Places of a remote file that will be read soon: got with several requests at a time, and kept until they are read."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

REQUESTS_AT_A_TIME = 16
MAX_RUN_BYTES = 64 << 10
MAX_BYTES = 16 << 20
_WORTH_IT = 4
_CLOSE_BYTES = 8 << 10
"""What lies between two places is got with them if it is no more than this."""

Run = tuple[int, int]
"""An offset, and how many bytes."""
FetchRuns = Callable[[Sequence[Run]], Iterable[bytes]]
"""Gets the bytes of several runs, one after the other, apart from all other readers."""


class AnnouncedPlaces:
    """What was announced, by offsets."""

    def __init__(self) -> None:
        self._begins: list[int] = []
        self._contents: list[bytes] = []

    def get(self, places: Sequence[Run], size: int, fetch: FetchRuns) -> None:
        """Gets places of a file of that size, unless they are so few that reading them is as quick."""
        missing = [(begin, count) for begin, count in places if self._find(begin, min(count, size - begin)) is None]
        runs = list(_bounded(_joined(missing, size)))
        if len(runs) < _WORTH_IT:
            return
        shares = [share for share in (runs[first::REQUESTS_AT_A_TIME] for first in range(REQUESTS_AT_A_TIME)) if share]
        found = list(zip(self._begins, self._contents, strict=True))
        with ThreadPoolExecutor(len(shares)) as pool:
            for share, contents in zip(shares, pool.map(fetch, shares), strict=True):
                found += zip((begin for begin, _ in share), contents, strict=True)
        found.sort()
        self._begins = [begin for begin, _ in found]
        self._contents = [content for _, content in found]

    def read_into(self, buffer: memoryview, offset: int) -> bool:
        """Fills the buffer if all of it is there."""
        content = self._find(offset, len(buffer))
        if content is None:
            return False
        buffer[:] = content
        return True

    def _find(self, offset: int, count: int) -> bytes | None:
        index = bisect_right(self._begins, offset) - 1
        if index < 0:
            return None
        first = offset - self._begins[index]
        content = self._contents[index][first : first + count]
        return content if len(content) == count else None


def _joined(places: Sequence[Run], size: int) -> Iterator[Run]:
    """Places in order, those that are close together as one."""
    begin = end = -1
    for place, count in sorted(places):
        last = min(place + count, size)
        if begin >= 0 and place - end <= _CLOSE_BYTES and last - begin <= MAX_RUN_BYTES:
            end = max(end, last)
            continue
        if begin >= 0:
            yield begin, end - begin
        begin, end = place, last
    if begin >= 0:
        yield begin, end - begin


def _bounded(runs: Iterable[Run]) -> Iterator[Run]:
    """As many as there is memory for; the others are read when they are needed."""
    total = 0
    for begin, count in runs:
        total += count
        if total > MAX_BYTES:
            return
        yield begin, count

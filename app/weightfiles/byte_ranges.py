"""Where the bytes of a weight file are: a file on a disk, or a run of bytes inside another; read by ranges only.

A file is read with pread, never mapped: one that is cut short meanwhile is an error then and no signal, and never more
is in memory than the caller's buffer.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from app.errors import WeightFileError
from app.weightfiles.regular_file import open_regular


class ByteRanges(Protocol):
    """Bytes that can be read at any offset."""

    @property
    def name(self) -> str:
        """The file's own name, without its folder, for sentences and reports; never to build a path from."""
        ...

    @property
    def size(self) -> int:
        """How many bytes there are."""
        ...

    def read_into(self, buffer: memoryview, offset: int) -> None:
        """Fills the whole buffer from that offset.

        Raises:
            WeightFileError: `file.shrank`, there are fewer bytes than there were.
        """
        ...

    def ensure_unchanged(self) -> None:
        """Checks that nobody has written to the file since it was opened.

        Raises:
            WeightFileError: `file.changed`.
        """
        ...

    def close(self) -> None:
        """Ends all reading."""
        ...


@runtime_checkable
class FarRanges(ByteRanges, Protocol):
    """Bytes behind a network, where many small reads are best asked for together."""

    def announce(self, places: Sequence[tuple[int, int]]) -> None:
        """Gets what will be read soon: offsets and how many bytes, each small."""
        ...


def announce(ranges: ByteRanges, places: Sequence[tuple[int, int]]) -> None:
    """Tells what will be read soon; nothing happens where the bytes are at hand."""
    if isinstance(ranges, FarRanges):
        ranges.announce(places)


def read_buffer(ranges: ByteRanges, offset: int, count: int) -> bytearray:
    """So many bytes at that offset, once in memory; the caller has bounded `count`.

    Raises:
        WeightFileError: `file.shrank`.
    """
    buffer = bytearray(count)
    with memoryview(buffer) as view:
        ranges.read_into(view, offset)
    return buffer


def read_exactly(ranges: ByteRanges, offset: int, count: int) -> bytes:
    """So many bytes at that offset; the caller has bounded `count`.

    Raises:
        WeightFileError: `file.shrank`.
    """
    return bytes(read_buffer(ranges, offset, count))


def read_start(ranges: ByteRanges, count: int) -> bytes:
    """The first bytes, fewer where the file has fewer."""
    return read_exactly(ranges, 0, min(count, ranges.size))


class LocalFile:
    """A regular file on a local disk."""

    def __init__(self, path: str | os.PathLike[str], *, follow_links: bool = True) -> None:
        """Opens; with `follow_links=False`, never what a link of that name leads to.

        Raises:
            WeightFileError: `file.unreadable`.
        """
        self.name = Path(path).name or str(path)
        self._descriptor = open_regular(path, follow_links=follow_links)
        self._state = self._look()
        self.size = self._state[0]

    def read_into(self, buffer: memoryview, offset: int) -> None:
        """See `ByteRanges`."""
        while buffer:
            count = os.preadv(self._descriptor, [buffer], offset)
            if count == 0:
                raise WeightFileError("file.shrank")
            buffer = buffer[count:]
            offset += count

    def ensure_unchanged(self) -> None:
        """See `ByteRanges`."""
        if self._look() != self._state:
            raise WeightFileError("file.changed")

    def close(self) -> None:
        """See `ByteRanges`."""
        os.close(self._descriptor)

    def _look(self) -> tuple[int, int]:
        found = os.fstat(self._descriptor)
        return found.st_size, found.st_mtime_ns


@dataclass(frozen=True, slots=True)
class Window:
    """A run of bytes inside other ranges, such as a stored member of an archive; the outer ranges stay the owner's."""

    outer: ByteRanges
    name: str
    begin: int
    size: int

    def read_into(self, buffer: memoryview, offset: int) -> None:
        """See `ByteRanges`."""
        if offset + len(buffer) > self.size:
            raise WeightFileError("file.shrank")
        self.outer.read_into(buffer, self.begin + offset)

    def ensure_unchanged(self) -> None:
        """See `ByteRanges`."""
        self.outer.ensure_unchanged()

    def close(self) -> None:
        """Nothing: the outer ranges are closed by whoever opened them."""

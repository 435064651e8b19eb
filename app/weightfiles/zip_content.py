"""The content of a zip's members: small ones at once, large ones by ranges, deflated ones inflated as they are read."""

import zlib
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NoReturn, Protocol, Self

from app.errors import WeightFileError
from app.weightfiles.byte_ranges import ByteRanges, Window, read_exactly
from app.weightfiles.strict_json import shown
from app.weightfiles.zip_archive import ZipArchive, ZipMember

_STEP = 256 << 10
_RESUME_POINTS = 64
_LEAST_RESUME_STEP = 1 << 20
MAX_RATIO = 20
"""An archive may hold this many times its own bytes, once inflated; weights never become that small."""
FREE_BYTES = 16 << 20
"""So much may be inflated from any archive, such as arrays of zeros."""


def check_ratio(archive: ZipArchive, members: Iterable[ZipMember]) -> None:
    """Refuses members that together would be inflated beyond what weights can be: an archive made to fill memory.

    Raises:
        WeightFileError: `zip.ratio`.
    """
    size = sum(member.size for member in members if member.is_deflated)
    limit = max(FREE_BYTES, MAX_RATIO * archive.ranges.size)
    if size > limit:
        raise WeightFileError("zip.ratio", bytes=size, limit=limit)


def open_member(archive: ZipArchive, member: ZipMember) -> ByteRanges:
    """A member's content as byte ranges; the caller has bounded deflated ones with `check_ratio`."""
    if member.is_deflated:
        return InflatedMember(archive, member)
    return Window(archive.ranges, member.name, member.begin, member.size)


def read_small(archive: ZipArchive, member: ZipMember, limit: int) -> bytes:
    """The whole content of a member of at most `limit` bytes, checked against its CRC-32.

    Raises:
        WeightFileError: `zip.member-too-long`, `zip.crc`, `zip.inflate`.
    """
    if member.size > limit:
        raise WeightFileError("zip.member-too-long", member=shown(member.name), bytes=member.size, limit=limit)
    content = read_exactly(open_member(archive, member), 0, member.size)
    if zlib.crc32(content) != member.crc:
        raise WeightFileError("zip.crc", member=shown(member.name))
    return content


class InflatedMembers:
    """Deflated members one after the other, as one part; only the one that was read last takes memory."""

    def __init__(self, archive: ZipArchive, members: Sequence[ZipMember]) -> None:
        self.name = archive.ranges.name
        self.begins = tuple(accumulate((member.size for member in members), initial=0))
        """Where each member begins, and where the last one ends."""
        self.size = self.begins[-1]
        self._archive = archive
        self._members = members
        self._current: tuple[int, InflatedMember] | None = None

    def read_into(self, buffer: memoryview, offset: int) -> None:
        """See `InflatedMember`; reads lie inside one member."""
        index = min(bisect_right(self.begins, offset) - 1, len(self._members) - 1)
        if self._current is None or self._current[0] != index:
            self._current = index, InflatedMember(self._archive, self._members[index])
        self._current[1].read_into(buffer, offset - self.begins[index])

    def ensure_unchanged(self) -> None:
        """See `ByteRanges`."""
        self._archive.ranges.ensure_unchanged()

    def close(self) -> None:
        """Nothing: the archive is closed by whoever opened it."""


class _Inflater(Protocol):
    """What is used of zlib's decompressor, whose type has no public name."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    @property
    def unconsumed_tail(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...
    def copy(self) -> Self: ...


@dataclass(slots=True)
class _Progress:
    """How far a member has been inflated."""

    inflater: _Inflater
    taken: int = 0
    """Stored bytes handed to the inflater."""
    given: int = 0
    """Bytes that came out, and the CRC-32 of them all."""
    crc: int = 0

    def copy(self) -> "_Progress":
        return _Progress(self.inflater.copy(), self.taken, self.given, self.crc)


class InflatedMember:
    """A deflated member as byte ranges, for one thread; nothing is kept on a disk, or whole in memory.

    Reading forward is one pass. Going back resumes at one of at most 64 points on the way, of about 50 kB each.
    """

    def __init__(self, archive: ZipArchive, member: ZipMember) -> None:
        self.name = member.name
        self.size = member.size
        self._ranges = archive.ranges
        self._member = member
        self._now = _Progress(zlib.decompressobj(-zlib.MAX_WBITS))
        self._points = [self._now.copy()]
        self._point_step = max(_LEAST_RESUME_STEP, member.size // _RESUME_POINTS + 1)

    def read_into(self, buffer: memoryview, offset: int) -> None:
        """See `ByteRanges`.

        Raises:
            WeightFileError: also `zip.inflate` and `zip.crc`, if the member is not what the directory says.
        """
        if offset + len(buffer) > self.size:
            raise WeightFileError("file.shrank")
        if not self.size:
            self._check_end()
            return
        nearest = [point for point in self._points if point.given <= offset][-1]
        if not nearest.given <= self._now.given <= offset:
            self._now = nearest.copy()
        while self._now.given < offset:
            self._inflate(min(_STEP, offset - self._now.given))
        at = 0
        while at < len(buffer):
            piece = self._inflate(min(_STEP, len(buffer) - at))
            buffer[at : at + len(piece)] = piece
            at += len(piece)

    def ensure_unchanged(self) -> None:
        """See `ByteRanges`."""
        self._ranges.ensure_unchanged()

    def close(self) -> None:
        """Nothing: the archive is closed by whoever opened it."""

    def _inflate(self, most: int) -> bytes:
        """The next bytes, from 1 to `most`; with the last ones, the end of the member is checked."""
        now = self._now
        piece = b""
        while not piece:
            stored = now.inflater.unconsumed_tail or self._next_stored()
            piece = self._decompress(stored, most)
            if not piece and (now.inflater.eof or now.taken == self._member.stored_bytes):
                self._refuse()
        now.given += len(piece)
        now.crc = zlib.crc32(piece, now.crc)
        if now.given == self.size:
            self._check_end()
        elif now.given >= len(self._points) * self._point_step:
            self._points.append(now.copy())
        return piece

    def _check_end(self) -> None:
        now = self._now
        while not now.inflater.eof:
            stored = now.inflater.unconsumed_tail or self._next_stored()
            if self._decompress(stored, 1) or not (stored or now.inflater.eof):
                self._refuse()
        if now.taken != self._member.stored_bytes or now.inflater.unused_data:
            self._refuse()
        if now.crc != self._member.crc:
            raise WeightFileError("zip.crc", member=shown(self.name))

    def _decompress(self, stored: bytes, most: int) -> bytes:
        try:
            return self._now.inflater.decompress(stored, most)
        except zlib.error:
            self._refuse()

    def _next_stored(self) -> bytes:
        now = self._now
        count = min(_STEP, self._member.stored_bytes - now.taken)
        now.taken += count
        return read_exactly(self._ranges, self._member.begin + now.taken - count, count)

    def _refuse(self) -> NoReturn:
        raise WeightFileError("zip.inflate", member=shown(self.name))

"""The end of a zip archive: where its directory lies. Whatever programs could read in two ways is refused."""

import struct
from dataclasses import dataclass
from typing import NoReturn

from app.errors import WeightFileError
from app.weightfiles.byte_ranges import ByteRanges, read_exactly

LOCAL_SIGNATURE = b"PK\x03\x04"
END_SIGNATURE = b"PK\x05\x06"
_END = struct.Struct("<4s4H2LH")
_LOCATOR = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR_SIGNATURE = b"PK\x06\x07"
_END64_SIGNATURE = b"PK\x06\x06"
_END64_AFTER_LENGTH = _END64.size - 12
"""The length field of a 64-bit end record does not count the signature and itself."""
_COMMENT_MAX = 0xFFFF

MAX_MEMBERS = 10_000
MAX_DIRECTORY_BYTES = 8 << 20


@dataclass(frozen=True, slots=True)
class Directory:
    """Where the central directory lies, and how many entries it has."""

    members: int
    begin: int
    size: int


def find_directory(ranges: ByteRanges) -> Directory:
    """The directory of an archive that begins with its first member and ends with its end record.

    Raises:
        WeightFileError: `zip.start`, `zip.empty`, `zip.end`, `zip.directory`, `zip.too-many`.
    """
    start = read_exactly(ranges, 0, min(4, ranges.size))
    if start == END_SIGNATURE:
        raise WeightFileError("zip.empty")
    if start != LOCAL_SIGNATURE:
        raise WeightFileError("zip.start")
    tail_bytes = min(ranges.size, _END.size + _COMMENT_MAX)
    tail = read_exactly(ranges, ranges.size - tail_bytes, tail_bytes)
    # Programs search backwards, so only the last signature may count, and its comment must fill the rest of the file.
    at = tail.rfind(END_SIGNATURE)
    if at < 0 or len(tail) - at < _END.size:
        raise WeightFileError("zip.end")
    _, disk, directory_disk, here, members, size, begin, comment = _END.unpack_from(tail, at)
    if at + _END.size + comment != len(tail):
        raise WeightFileError("zip.end")
    short = (disk, directory_disk, here, members, size, begin)
    reached, long = _long_end(ranges, ranges.size - tail_bytes + at, tail[max(at - _LOCATOR.size, 0) : at])
    disk, directory_disk, here, members, size, begin = _agreed(short, long)
    if disk or directory_disk or here != members or begin + size != reached:
        _refuse_directory()
    if members == 0:
        raise WeightFileError("zip.empty")
    if members > MAX_MEMBERS:
        raise WeightFileError("zip.too-many", members=members, limit=MAX_MEMBERS)
    if size > MAX_DIRECTORY_BYTES:
        raise WeightFileError("zip.directory-too-long", bytes=size, limit=MAX_DIRECTORY_BYTES)
    return Directory(members, begin, size)


def _long_end(ranges: ByteRanges, end_at: int, before: bytes) -> tuple[int, tuple[int, ...] | None]:
    """Where the end records begin, and what the 64-bit one says, if there is one; `before` precedes the other."""
    if len(before) < _LOCATOR.size or not before.startswith(_LOCATOR_SIGNATURE):
        return end_at, None
    _, disk, at, disks = _LOCATOR.unpack(before)
    if disk or disks != 1 or at != end_at - _LOCATOR.size - _END64.size or at < 0:
        _refuse_directory()
    signature, length, _, _, *fields = _END64.unpack(read_exactly(ranges, at, _END64.size))
    if signature != _END64_SIGNATURE or length != _END64_AFTER_LENGTH:
        _refuse_directory()
    return at, tuple(fields)


def _agreed(short: tuple[int, ...], long: tuple[int, ...] | None) -> tuple[int, ...]:
    """The fields of both end records; the short one must say the same, or that its field has no room."""
    if long is None:
        return short
    full = (0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF)
    if any(a not in {b, limit} for a, b, limit in zip(short, long, full, strict=True)):
        _refuse_directory()
    return long


def _refuse_directory() -> NoReturn:
    raise WeightFileError("zip.directory")

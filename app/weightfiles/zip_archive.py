"""The strict reader of zip archives: directory and members must agree, and the members fill the file without a gap.

Nothing is ever unpacked to a path: a member is a name and a run of bytes. Their content is read in `zip_content`.
"""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

from app.errors import WeightFileError
from app.weightfiles.byte_ranges import ByteRanges, announce, read_exactly
from app.weightfiles.strict_json import shown
from app.weightfiles.zip_end import LOCAL_SIGNATURE, find_directory

_ENTRY = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_ENTRY_SIGNATURE = b"PK\x01\x02"
_DESCRIPTOR_SIGNATURE = b"PK\x07\x08"
_DESCRIPTORS = {form.size: form for form in map(struct.Struct, ("<3L", "<4s3L", "<L2Q", "<4sL2Q"))}
_STORED, _DEFLATED = 0, 8
_ENCRYPTED = 0x2041
_DESCRIPTOR = 0x0008
_KNOWN_FLAGS = 0x080E
"""How hard deflate tried, a descriptor behind the data, and a name in UTF-8."""
_NEWEST_VERSION = 63
"""Of the format, as an entry says that it needs it."""
_FULL = 0xFFFFFFFF
_USUAL_EXTRA_BYTES = 96
"""PyTorch fills up to the next multiple of 64."""
_LONG_SIZES = 1
_FILE_TYPE, _REGULAR, _FOLDER = 0o170000, 0o100000, 0o040000


@dataclass(frozen=True, slots=True)
class ZipMember:
    """One member: its exact name, and where its bytes lie as they are stored."""

    name: str
    begin: int
    stored_bytes: int
    size: int
    """Once inflated; the same as `stored_bytes` unless it is deflated."""
    is_deflated: bool
    crc: int


@dataclass(frozen=True, slots=True)
class ZipArchive:
    """A checked archive. Folders have no member of their own."""

    ranges: ByteRanges
    members: Mapping[str, ZipMember]
    """By name, in the order of their bytes."""


class _Entry(NamedTuple):
    """One entry of the central directory."""

    name: bytes
    flags: int
    method: int
    crc: int
    stored_bytes: int
    size: int
    begin: int
    mode: int


def read_archive(ranges: ByteRanges, *, equal_case: bool = True) -> ZipArchive:
    """The members of an archive; with `equal_case=False` two names that differ only in case are refused.

    Raises:
        WeightFileError: `zip.*`, the rule that the archive breaks.
    """
    directory = find_directory(ranges)
    content = read_exactly(ranges, directory.begin, directory.size)
    entries = sorted(_entries(content, directory.members), key=lambda entry: entry.begin)
    if entries[0].begin != 0:
        raise WeightFileError("zip.start")
    if entries[-1].begin >= directory.begin:
        raise WeightFileError("zip.directory")
    announce(ranges, [_around(entry) for entry in entries])
    members: dict[str, ZipMember] = {}
    seen: set[str] = set()
    for entry, end in zip(entries, [entry.begin for entry in entries[1:]] + [directory.begin], strict=True):
        name = _name(entry)
        member = _member(ranges, entry, name, end)
        key = name if equal_case else name.casefold()
        if key in seen:
            raise WeightFileError("zip.twice", member=shown(name))
        seen.add(key)
        if not _is_folder(entry, name):
            members[name] = member
    if not members:
        raise WeightFileError("zip.empty")
    return ZipArchive(ranges, MappingProxyType(members))


def _around(entry: _Entry) -> tuple[int, int]:
    """The bytes of a member's own header, and of the descriptor before it."""
    before = min(entry.begin, max(_DESCRIPTORS))
    return entry.begin - before, before + _LOCAL.size + len(entry.name) + _USUAL_EXTRA_BYTES


def _entries(content: bytes, members: int) -> Iterator[_Entry]:
    at = 0
    for _ in range(members):
        if len(content) - at < _ENTRY.size:
            raise WeightFileError("zip.directory")
        fields = _ENTRY.unpack_from(content, at)
        name_at = at + _ENTRY.size
        extra_at = name_at + fields[10]
        comment_at = extra_at + fields[11]
        at = comment_at + fields[12]
        if fields[0] != _ENTRY_SIGNATURE or at > len(content) or fields[13] or fields[2] > _NEWEST_VERSION:
            raise WeightFileError("zip.directory")
        size, stored, begin = _long(fields[9], fields[8], fields[16], extra=content[extra_at:comment_at])
        yield _Entry(content[name_at:extra_at], fields[3], fields[4], fields[7], stored, size, begin, fields[15] >> 16)
    if at != len(content):
        raise WeightFileError("zip.directory")


def _long(*short: int, extra: bytes) -> list[int]:
    """Sizes and offset, those that have no room in 32 bits from the extra field, in the same order."""
    values = list(short)
    if _FULL not in values:
        return values
    longer = _long_field(extra)
    for index, value in enumerate(values):
        if value == _FULL:
            if len(longer) < 8:
                raise WeightFileError("zip.directory")
            values[index], longer = int.from_bytes(longer[:8], "little"), longer[8:]
    return values


def _long_field(extra: bytes) -> bytes:
    """The extra field of 64-bit sizes; empty if there is none, refused if there are two."""
    found = [data for kind, data in _extra_fields(extra) if kind == _LONG_SIZES]
    if len(found) > 1:
        raise WeightFileError("zip.directory")
    return found[0] if found else b""


def _extra_fields(extra: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while len(extra) - at >= 4:
        kind, length = struct.unpack_from("<2H", extra, at)
        yield kind, extra[at + 4 : at + 4 + length]
        at += 4 + length


def _name(entry: _Entry) -> str:
    try:
        name = entry.name.decode("utf-8")
    except UnicodeDecodeError:
        raise WeightFileError("zip.name-encoding", member=shown(entry.name.decode("latin-1"))) from None
    label = shown(name)
    if any(character < " " or "\x7f" <= character <= "\x9f" for character in name):
        raise WeightFileError("zip.name-control", member=label)
    parts = name.removesuffix("/").split("/")
    is_drive = len(parts[0]) == 2 and parts[0][1] == ":"
    if "\\" in name or is_drive or not {"", ".", ".."}.isdisjoint(parts):
        raise WeightFileError("zip.path", member=label)
    return name


def _is_folder(entry: _Entry, name: str) -> bool:
    kind = entry.mode & _FILE_TYPE
    is_folder = name.endswith("/")
    if kind not in {0, _FOLDER if is_folder else _REGULAR}:
        raise WeightFileError("zip.link", member=shown(name))
    if is_folder and entry.size:
        raise WeightFileError("zip.path", member=shown(name))
    return is_folder


def _member(ranges: ByteRanges, entry: _Entry, name: str, end: int) -> ZipMember:
    """The member whose bytes, with their header and descriptor, run from `entry.begin` exactly to `end`."""
    label = shown(name)
    if entry.flags & _ENCRYPTED:
        raise WeightFileError("zip.encrypted", member=label)
    if entry.method not in {_STORED, _DEFLATED} or entry.flags & ~_KNOWN_FLAGS:
        raise WeightFileError("zip.method", member=label, method=entry.method, flags=entry.flags)
    if entry.method == _STORED and entry.size != entry.stored_bytes:
        raise WeightFileError("zip.local-header", member=label)
    begin = entry.begin + _local_header_bytes(ranges, entry, label, end)
    descriptor_bytes = end - begin - entry.stored_bytes
    if descriptor_bytes < 0:
        raise WeightFileError("zip.overlap", member=label)
    _check_descriptor(ranges, entry, label, end - descriptor_bytes, descriptor_bytes)
    is_deflated = entry.method == _DEFLATED
    return ZipMember(name, begin, entry.stored_bytes, entry.size, is_deflated, entry.crc)


def _local_header_bytes(ranges: ByteRanges, entry: _Entry, label: str, end: int) -> int:
    """The length of a member's own header, which must say what the directory says."""
    length = _LOCAL.size + len(entry.name)
    if entry.begin + length > end:
        raise WeightFileError("zip.overlap", member=label)
    header = read_exactly(ranges, entry.begin, length)
    signature, _, flags, method, _, _, crc, stored, size, name_bytes, extra_bytes = _LOCAL.unpack_from(header)
    same = (signature, flags, method, header[_LOCAL.size :], name_bytes)
    if same != (LOCAL_SIGNATURE, entry.flags, entry.method, entry.name, len(entry.name)):
        raise WeightFileError("zip.local-header", member=label)
    if entry.begin + length + extra_bytes > end:
        raise WeightFileError("zip.overlap", member=label)
    if _FULL in {stored, size}:
        size, stored = _long(size, stored, extra=read_exactly(ranges, entry.begin + length, extra_bytes))
    told = (crc, stored, size)
    is_later = bool(entry.flags & _DESCRIPTOR) and told == (0, 0, 0)
    if told != (entry.crc, entry.stored_bytes, entry.size) and not is_later:
        raise WeightFileError("zip.local-header", member=label)
    return length + int(extra_bytes)


def _check_descriptor(ranges: ByteRanges, entry: _Entry, label: str, at: int, length: int) -> None:
    """Behind the data: nothing, or a descriptor that repeats the directory, with or without its signature."""
    if length == 0 and not entry.flags & _DESCRIPTOR:
        return
    sizes = (entry.crc, entry.stored_bytes, entry.size)
    form = _DESCRIPTORS.get(length)
    if not entry.flags & _DESCRIPTOR or form is None:
        raise WeightFileError("zip.hole", member=label, bytes=length)
    told = form.unpack(read_exactly(ranges, at, length))
    if told[-3:] != sizes or told[:-3] not in {(), (_DESCRIPTOR_SIGNATURE,)}:
        raise WeightFileError("zip.local-header", member=label)

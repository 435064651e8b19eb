"""The strict reader of .npz files: a zip archive of .npy files, stored as they are or deflated."""

from collections.abc import Iterator

from app.errors import WeightFileError
from app.weightfiles.byte_ranges import ByteRanges
from app.weightfiles.file_header import ExtraPart, FileHeader, TensorEntry
from app.weightfiles.npy_header import SUFFIX, moved, read_array
from app.weightfiles.strict_json import shown
from app.weightfiles.zip_archive import ZipArchive, ZipMember, read_archive
from app.weightfiles.zip_content import InflatedMembers, check_ratio, open_member


def is_npz(archive: ZipArchive) -> bool:
    """Whether an archive holds arrays and nothing else."""
    return all(name.endswith(SUFFIX) for name in archive.members)


def read_header(ranges: ByteRanges) -> FileHeader:
    """The checked header of an .npz file.

    Raises:
        WeightFileError: `zip.*`, `npy.*` or `tensor.*` for a broken rule.
    """
    return header_of(read_archive(ranges))


def header_of(archive: ZipArchive) -> FileHeader:
    """The checked header of an .npz file whose archive has been read.

    Deflated arrays lie in part 1, where they follow one another, inflated as they are read.
    """
    check_ratio(archive, archive.members.values())
    deflated = [member for member in archive.members.values() if member.is_deflated]
    inflated = InflatedMembers(archive, deflated)
    places = dict(zip((member.name for member in deflated), inflated.begins, strict=False))
    tensors = tuple(_entries(archive, places))
    extra = (ExtraPart(archive.ranges.name, ranges=inflated),) if deflated else ()
    return FileHeader("npz", tensors, {}, archive.ranges.size, extra_parts=extra)


def _entries(archive: ZipArchive, places: dict[str, int]) -> Iterator[TensorEntry]:
    for member in archive.members.values():
        entry = read_array(open_member(archive, member), _array_name(member))
        is_inflated = member.is_deflated
        yield moved(entry, places[member.name] if is_inflated else member.begin, part=int(is_inflated))


def _array_name(member: ZipMember) -> str:
    if not member.name.endswith(SUFFIX):
        raise WeightFileError("npz.member", member=shown(member.name))
    return member.name.removesuffix(SUFFIX)

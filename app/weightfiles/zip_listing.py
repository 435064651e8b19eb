"""A zip archive of a model's folder as a listing: its members by their own names, read where they lie."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from app.errors import WeightFileError
from app.weightfiles.byte_ranges import ByteRanges
from app.weightfiles.npz_header import is_npz
from app.weightfiles.plain_names import is_plain_name
from app.weightfiles.pytorch_header import is_checkpoint
from app.weightfiles.strict_json import shown
from app.weightfiles.zip_archive import ZipArchive, ZipMember
from app.weightfiles.zip_content import check_ratio, open_member

MAX_INFLATED_BYTES = 128 << 20
"""Of all deflated members that are read: their ends are looked at too, so each is inflated whole."""
_LITTER = "__MACOSX/"


class ZipListing:
    """The members of the archive's top level, or of the one folder that everything in it lies in."""

    def __init__(self, archive: ZipArchive) -> None:
        """Takes over the archive's file.

        Raises:
            WeightFileError: `zip.ratio`.
        """
        check_ratio(archive, archive.members.values())
        self._archive = archive
        self._members = _top_level(archive.members)
        self._inflated: set[str] = set()

    @property
    def sizes(self) -> Mapping[str, int]:
        """See `Listing`."""
        return MappingProxyType({name: member.size for name, member in sorted(self._members.items())})

    def open(self, name: str, *, hard_links: bool = True) -> ByteRanges:  # noqa: ARG002 - an archive has no links
        """See `Listing`.

        Raises:
            WeightFileError: `folder.no-such-file`, `zip.deflated`.
        """
        member = self._members.get(name)
        if member is None:
            raise WeightFileError("folder.no-such-file", name=shown(name))
        if member.is_deflated:
            self._inflated.add(name)
            if sum(self._members[each].size for each in self._inflated) > MAX_INFLATED_BYTES:
                raise WeightFileError("zip.deflated", member=shown(name), limit=MAX_INFLATED_BYTES)
        return open_member(self._archive, member)

    def close(self) -> None:
        """See `Listing`."""
        self._archive.ranges.close()


def is_folder_archive(archive: ZipArchive) -> bool:
    """Whether an archive holds files as a folder does, unlike those that PyTorch and NumPy make of one object."""
    return not (is_checkpoint(archive) or is_npz(archive))


def _top_level(members: Mapping[str, ZipMember]) -> dict[str, ZipMember]:
    kept = {name: member for name, member in members.items() if not name.startswith(_LITTER)}
    folders = {name.split("/", 1)[0] for name in kept if "/" in name}
    if len(folders) == 1 and all("/" in name for name in kept):
        kept = {name.split("/", 1)[1]: member for name, member in kept.items()}
    return {
        name: replace(member, name=name)
        for name, member in kept.items()
        if is_plain_name(name) and not name.startswith(".")
    }

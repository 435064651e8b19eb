"""What a user names as weights, opened: one file, or the files of a folder or a zip, as parts with one header."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

from app.errors import WeightFileError
from app.weightfiles.byte_ranges import ByteRanges, LocalFile, read_exactly, read_start
from app.weightfiles.chosen_files import (
    ChosenFiles,
    choose_by_index,
    choose_files,
    is_companion,
    pieces_of_split,
)
from app.weightfiles.content_kind import SNIFFED_BYTES
from app.weightfiles.file_header import FileHeader
from app.weightfiles.joined_parts import JoinedParts
from app.weightfiles.listing import FolderListing, Listing
from app.weightfiles.shard_index import MAX_INDEX_BYTES, looks_like_json
from app.weightfiles.zip_archive import read_archive
from app.weightfiles.zip_listing import ZipListing, is_folder_archive

MAX_COMPANION_BYTES = 64 << 20
MAX_COMPANIONS = 128
_BESIDE_A_FILE = ("config.json", "quantize_config.json")
"""What a loader would read beside one file of weights, and so do we."""
_READ_BESIDE_A_FILE = ("tokenizer.json", "tokenizer_config.json", "vocab.txt", "chat_template.jinja", "modules.json")
_POOLING_FOLDER, _POOLING_FILE = "1_Pooling", "config.json"
"""Where sentence-transformers says how it makes one vector of all."""
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://", re.ASCII)
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")


@dataclass(frozen=True, slots=True)
class Source:
    """Parts that hold tensors, the header over all of them, and the other files that came with them."""

    header: FileHeader
    parts: tuple[ByteRanges, ...]
    companions: Mapping[str, ByteRanges] = field(default_factory=lambda: MappingProxyType({}))
    """By name: config.json, the tokenizer's files and so on."""
    further: Mapping[str, ByteRanges] = field(default_factory=lambda: MappingProxyType({}))
    """Files that a layout may ask for, but that are not carried along: beside a single file, or in an inner folder."""
    listing: Listing | None = None
    """Where the parts were found, if that has to be closed with them."""

    def companion(self, name: str) -> bytes | None:
        """The whole of another file, or None if there is none, or it is too large to be what its name says."""
        ranges = self.companions.get(name) or self.further.get(name)
        if ranges is None or ranges.size > MAX_COMPANION_BYTES:
            return None
        return read_exactly(ranges, 0, ranges.size)

    def close(self) -> None:
        """Closes every file."""
        for ranges in (*self.parts, *self.companions.values(), *self.further.values()):
            ranges.close()
        if self.listing is not None:
            self.listing.close()


def open_source(path: str | os.PathLike[str]) -> Source:
    """Opens what the path names and reads its header: a file, a folder, an index of shards, or a zip of a folder.

    A text that is an address (`hf://org/model`) is opened too; a `Path` and an absolute path never are one.

    Raises:
        WeightFileError: it cannot be read, or breaks a rule of its container.
    """
    if isinstance(path, str) and is_address(path):
        from app.weightfiles.remote_source import open_remote  # noqa: PLC0415 - only the command line has addresses

        return open_remote(path)
    place = Path(path)
    if os.path.isdir(place):  # noqa: PTH112 - it answers for names of any length
        source = open_listing(FolderListing(place))
        return replace(source, further=_pooling(place))
    ranges = LocalFile(place)
    try:
        source = open_file(ranges, FolderListing(place.parent))
    except BaseException:
        ranges.close()
        raise
    if source.listing is not None or source.header.kind == "gguf":
        return source
    beside = _companions(FolderListing(place.parent), _READ_BESIDE_A_FILE)
    return replace(source, further=MappingProxyType({**beside, **_pooling(place.parent)}))


def _pooling(folder: Path) -> Mapping[str, ByteRanges]:
    found = _companions(FolderListing(folder / _POOLING_FOLDER), (_POOLING_FILE,))
    return MappingProxyType({f"{_POOLING_FOLDER}/{name}": ranges for name, ranges in found.items()})


def open_listing(listing: Listing, chosen: ChosenFiles | None = None) -> Source:
    """Opens the weights among files that came together; the listing is closed with the source that is returned.

    Raises:
        WeightFileError: what `choose_files` or a container's reader refuses.
    """
    joined = JoinedParts(listing)
    try:
        chosen = choose_files(listing) if chosen is None else chosen
        joined.add_all(chosen)
    except BaseException:
        joined.close()
        raise
    used = {*chosen.names, *joined.other_files}
    left_out = tuple(name for name in listing.sizes if name not in used and not is_companion(name))
    header = joined.header({"left_out": left_out} if left_out else {})
    others = [name for name in listing.sizes if name not in used and is_companion(name)]
    return Source(header, tuple(joined.parts), _companions(listing, others), listing=listing)


def is_address(text: str) -> bool:
    """Whether a text names something elsewhere, such as `s3://bucket/file`."""
    return _ADDRESS.match(text) is not None


def open_file(ranges: ByteRanges, beside: Listing) -> Source:
    """Opens one file, and what belongs to it of the files beside it; it is closed with the source that is returned.

    Raises:
        WeightFileError: it breaks a rule of its container.
    """
    start = read_start(ranges, SNIFFED_BYTES)
    if start.startswith(_ZIP):
        archive = read_archive(ranges)
        if is_folder_archive(archive):
            return open_listing(ZipListing(read_archive(ranges, equal_case=False)))
    chosen = None
    if looks_like_json(start) and _is_index(ranges):
        chosen = choose_by_index(beside, ranges.name)
    elif start.startswith(b"GGUF"):
        pieces = pieces_of_split(beside, ranges.name)
        chosen = ChosenFiles(pieces) if pieces else None
    if chosen is not None:
        source = open_listing(beside, chosen)
        ranges.close()
        return source
    joined = JoinedParts(beside)
    try:
        joined.add(ranges)
    except BaseException:
        for part in joined.parts[1:]:
            part.close()
        raise
    return Source(joined.header(), tuple(joined.parts), _companions(beside, _BESIDE_A_FILE))


def _is_index(ranges: ByteRanges) -> bool:
    text = read_start(ranges, MAX_INDEX_BYTES)
    return b'"weight_map"' in text


def _companions(listing: Listing, names: tuple[str, ...] | list[str]) -> Mapping[str, ByteRanges]:
    found: dict[str, ByteRanges] = {}
    for name in names:
        try:
            ranges = listing.open(name)
        except WeightFileError:
            continue
        if ranges.size > MAX_COMPANION_BYTES or len(found) == MAX_COMPANIONS:
            ranges.close()
        else:
            found[name] = ranges
    return MappingProxyType(found)

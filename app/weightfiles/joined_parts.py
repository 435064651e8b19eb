"""Several files of weights read as one: their headers joined under one, whose entries say which file holds them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from app.errors import WeightFileError
from app.weightfiles.byte_ranges import ByteRanges
from app.weightfiles.chosen_files import MAX_PARTS, ChosenFiles, is_model_with_externals
from app.weightfiles.containers import read_any_header
from app.weightfiles.file_header import MAX_TENSORS, ExtraPart, FileHeader, TensorEntry
from app.weightfiles.listing import Listing
from app.weightfiles.memory_ranges import MemoryRanges
from app.weightfiles.shard_index import check_holders
from app.weightfiles.strict_json import shown
from app.weightfiles.zip_content import InflatedMembers

MIXED = "mixed"
"""The kind of a header over files of several kinds."""


class JoinedParts:
    """Opens parts one after the other; all of them are its own until `header` has been called without an error."""

    def __init__(self, listing: Listing) -> None:
        self.parts: list[ByteRanges] = []
        self.other_files: set[str] = set()
        """Named by a model as the place of its tensors."""
        self._listing = listing
        self._headers: list[FileHeader] = []
        self._entries: list[TensorEntry] = []
        self._holders: dict[str, str] = {}

    def add(self, ranges: ByteRanges) -> None:
        """Reads the header of one file, which is closed with the others.

        Raises:
            WeightFileError: what its reader refuses, a tensor that another file has too, or too many.
        """
        first = len(self.parts)
        self.parts.append(ranges)
        header = read_any_header(ranges)
        for extra in header.extra_parts:
            self._add_extra(extra)
        for entry in header.tensors:
            other = self._holders.setdefault(entry.name, ranges.name)
            if other != ranges.name:
                figures = {"tensor": shown(entry.name), "first": shown(other), "second": shown(ranges.name)}
                raise WeightFileError("folder.tensor-twice", **figures)
        if len(self._holders) > MAX_TENSORS:
            raise WeightFileError("folder.too-many-tensors", limit=MAX_TENSORS)
        self._headers.append(header)
        if first == 0:
            self._entries += header.tensors
        else:
            self._entries += [replace(entry, part=first + entry.part) for entry in header.tensors]

    def add_all(self, chosen: ChosenFiles) -> None:
        """Reads all files that were chosen in the listing.

        Raises:
            WeightFileError: what `add` does, with the figure `in_part` naming the file; or a wrong index.
        """
        names = chosen.names
        if len(names) > 1:
            # Models first: what they name as the place of their tensors is no file of weights by itself.
            names = tuple(sorted(names, key=lambda name: not is_model_with_externals(self._listing, name)))
        for name in names:
            if name not in self.other_files:
                with naming_part(name):
                    self.add(self._listing.open(name))
        if chosen.index is not None:
            check_holders(chosen.index, self._holders)

    def header(self, details: Mapping[str, Any] = MappingProxyType({})) -> FileHeader:
        """One header over all parts; what several files say of themselves is the first one's word."""
        kinds = {header.kind for header in self._headers}
        metadata: dict[str, Any] = {}
        for header in reversed(self._headers):
            metadata.update(header.metadata)
        return FileHeader(
            kind=kinds.pop() if len(kinds) == 1 else MIXED,
            tensors=tuple(self._entries),
            metadata=metadata,
            file_bytes=sum(part.size for part in self.parts if not isinstance(part, MemoryRanges | InflatedMembers)),
            details={**self._headers[0].details, **details},
        )

    def close(self) -> None:
        """Closes every part."""
        for ranges in self.parts:
            ranges.close()

    def _add_extra(self, extra: ExtraPart) -> None:
        if extra.content is not None:
            self.parts.append(MemoryRanges(extra.name, extra.content))
            return
        if extra.ranges is not None:
            self.parts.append(extra.ranges)
            return
        if len(self.other_files) == MAX_PARTS:
            raise WeightFileError("folder.too-many-parts", files=len(self.other_files) + 1, limit=MAX_PARTS)
        self.other_files.add(extra.name)
        try:
            ranges = self._listing.open(extra.name, hard_links=False)
        except WeightFileError as error:
            if error.code != "folder.no-such-file":
                raise
            raise WeightFileError("onnx.external-missing", name=shown(extra.name)) from None
        self.parts.append(ranges)
        if ranges.size < extra.needed_bytes:
            needed = extra.needed_bytes
            raise WeightFileError("onnx.external-short", name=shown(extra.name), needed=needed, bytes=ranges.size)


@contextmanager
def naming_part(name: str) -> Iterator[None]:
    """What is refused inside says in which of several files it was found."""
    try:
        yield
    except WeightFileError as error:
        figures: dict[str, str | int] = {"in_part": shown(name), **error.figures}
        raise WeightFileError(error.code, **figures) from error

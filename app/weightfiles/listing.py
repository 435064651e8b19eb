"""The files that came together, such as a folder's, looked up by their exact names; no name is ever a path."""

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from app.errors import WeightFileError
from app.weightfiles.byte_ranges import ByteRanges, LocalFile
from app.weightfiles.plain_names import is_plain_name
from app.weightfiles.strict_json import shown

MAX_FILES = 10_000
_CACHED = re.compile(r"\.\./\.\./blobs/([0-9a-f]{40,64})", re.ASCII)
"""Where the files of a snapshot in the cache of Hugging Face's library really are."""


class Listing(Protocol):
    """Files of one level; folders inside are not looked into."""

    @property
    def sizes(self) -> Mapping[str, int]:
        """The bytes of each file by its name, in the order of names."""
        ...

    def open(self, name: str, *, hard_links: bool = True) -> ByteRanges:
        """One of them; with `hard_links=False`, none that has a second name, which may be in any folder.

        Raises:
            WeightFileError: there is none of that name, or it may not be read.
        """
        ...

    def close(self) -> None:
        """Ends what the listing itself holds open; what it has opened is the caller's."""
        ...


class FolderListing:
    """The files of a folder on a disk. Links that lead out of it are not followed, but those of a model cache."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._sizes: Mapping[str, int] | None = None

    @property
    def sizes(self) -> Mapping[str, int]:
        """See `Listing`; hidden files are left out.

        Raises:
            WeightFileError: `folder.unreadable`, `folder.too-many-files`.
        """
        if self._sizes is None:
            self._sizes = MappingProxyType(dict(sorted(self._look().items())))
        return self._sizes

    def open(self, name: str, *, hard_links: bool = True) -> ByteRanges:
        """See `Listing`.

        Raises:
            WeightFileError: `folder.no-such-file`, `folder.link`, `file.unreadable`.
        """
        label = shown(name)
        if not is_plain_name(name):
            raise WeightFileError("folder.no-such-file", name=label)
        path = self._folder / name
        try:
            found = os.lstat(path)
        except OSError:
            raise WeightFileError("folder.no-such-file", name=label) from None
        if stat.S_ISLNK(found.st_mode):
            path = self._cached(path)
        elif found.st_nlink > 1 and not hard_links:
            raise WeightFileError("folder.link", name=label)
        opened = LocalFile(path, follow_links=False)
        opened.name = name
        return opened

    def close(self) -> None:
        """See `Listing`: nothing."""

    def _look(self) -> dict[str, int]:
        sizes: dict[str, int] = {}
        try:
            with os.scandir(self._folder) as entries:
                for seen, entry in enumerate(entries):
                    if seen == MAX_FILES:
                        raise WeightFileError("folder.too-many-files", name=shown(self._folder.name), limit=MAX_FILES)
                    if is_plain_name(entry.name) and not entry.name.startswith("."):
                        size = _size(entry)
                        if size is not None:
                            sizes[entry.name] = size
        except OSError:
            raise WeightFileError("folder.unreadable", name=shown(self._folder.name)) from None
        return sizes

    def _cached(self, link: Path) -> Path:
        """Where a link leads that Hugging Face's cache has made; every other one could lead anywhere."""
        match = _CACHED.fullmatch(str(link.readlink()))
        folder = Path(os.path.abspath(self._folder))  # noqa: PTH100 - without following links
        if match is None or folder.parent.name != "snapshots":
            raise WeightFileError("folder.link", name=shown(link.name))
        return folder.parent.parent / "blobs" / match[1]


def _size(entry: os.DirEntry[str]) -> int | None:
    """The bytes of a regular file, or of what a link leads to; None for everything else."""
    try:
        found = entry.stat()
    except OSError:
        return None
    return found.st_size if stat.S_ISREG(found.st_mode) else None

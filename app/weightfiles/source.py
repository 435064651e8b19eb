"""What a user names as weights, opened: one file, or the files of a folder, as parts with one header over them."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from app.errors import WeightFileError
from app.weightfiles.byte_ranges import ByteRanges, LocalFile, read_exactly
from app.weightfiles.containers import read_any_header
from app.weightfiles.file_header import FileHeader

MAX_COMPANION_BYTES = 32 << 20
_COMPANIONS = ("config.json", "quantize_config.json")
"""What a loader would read beside one file of weights, and so do we."""


@dataclass(frozen=True, slots=True)
class Source:
    """Parts that hold tensors, the header over all of them, and the other files that came with them."""

    header: FileHeader
    parts: tuple[ByteRanges, ...]
    companions: Mapping[str, ByteRanges] = field(default_factory=lambda: MappingProxyType({}))
    """By name: config.json, the tokenizer's files and so on."""

    def companion(self, name: str) -> bytes | None:
        """The whole of another file, or None if there is none, or it is too large to be what its name says."""
        ranges = self.companions.get(name)
        if ranges is None or ranges.size > MAX_COMPANION_BYTES:
            return None
        return read_exactly(ranges, 0, ranges.size)

    def close(self) -> None:
        """Closes every file."""
        for ranges in (*self.parts, *self.companions.values()):
            ranges.close()


def open_source(path: str | os.PathLike[str]) -> Source:
    """Opens what the path names and reads its header.

    Raises:
        WeightFileError: it cannot be read, or breaks a rule of its container.
    """
    ranges = LocalFile(path)
    try:
        header = read_any_header(ranges)
    except BaseException:
        ranges.close()
        raise
    return Source(header, (ranges,), _companions_of(Path(path)))


def _companions_of(path: Path) -> Mapping[str, ByteRanges]:
    found: dict[str, ByteRanges] = {}
    for name in _COMPANIONS:
        try:
            found[name] = LocalFile(path.with_name(name))
        except WeightFileError:
            continue
    return found

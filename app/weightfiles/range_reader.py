"""An open weight file: its checked header, and byte ranges of its parts."""

import os
from types import TracebackType
from typing import Self

from app.weightfiles.file_header import FileHeader
from app.weightfiles.source import Source, open_source


class WeightFile:
    """Opened and checked; a context manager."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Opens and checks.

        Raises:
            WeightFileError: the file cannot be read, or breaks a rule of its container.
        """
        self.source: Source = open_source(path)
        self.header: FileHeader = self.source.header

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends all reading."""
        self.source.close()

    def read_into(self, buffer: memoryview, offset: int, part: int = 0) -> None:
        """Fills the whole buffer from that offset of a part.

        Raises:
            WeightFileError: `file.shrank`, the file has become shorter than its header was checked against.
        """
        self.source.parts[part].read_into(buffer, offset)

    def ensure_unchanged(self) -> None:
        """Checks that nobody has written to the files since they were opened.

        Raises:
            WeightFileError: `file.changed`.
        """
        for ranges in self.source.parts:
            ranges.ensure_unchanged()

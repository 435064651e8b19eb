"""Reading byte ranges of a checked weight file with pread: no mapping, so that a file cut short meanwhile is an error
and no signal, and never more in memory than the caller's buffer."""

import os
from types import TracebackType
from typing import Self

from app.errors import WeightFileError
from app.weightfiles.regular_file import open_regular
from app.weightfiles.safetensors_header import SafetensorsHeader, read_header


class WeightFile:
    """An open weight file whose header was checked; a context manager."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Opens and checks.

        Raises:
            WeightFileError: the file cannot be read, or breaks a rule of its container.
        """
        self._descriptor = open_regular(path)
        try:
            self._state = self._look()
            self.header: SafetensorsHeader = read_header(self._descriptor)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends all reading."""
        os.close(self._descriptor)

    def read_into(self, buffer: memoryview, offset: int) -> None:
        """Fills the whole buffer from that offset.

        Raises:
            WeightFileError: `file.shrank`, the file has become shorter than its header was checked against.
        """
        while buffer:
            count = os.preadv(self._descriptor, [buffer], offset)
            if count == 0:
                raise WeightFileError("file.shrank")
            buffer = buffer[count:]
            offset += count

    def ensure_unchanged(self) -> None:
        """Checks that nobody has written to the file since it was opened.

        Raises:
            WeightFileError: `file.changed`.
        """
        if self._look() != self._state:
            raise WeightFileError("file.changed")

    def _look(self) -> tuple[int, int]:
        found = os.fstat(self._descriptor)
        return found.st_size, found.st_mtime_ns

"""Bytes in memory as byte ranges: what had to be decoded while a header was read."""

from dataclasses import dataclass

from app.errors import WeightFileError


@dataclass(frozen=True, slots=True)
class MemoryRanges:
    """Bounded by whoever decoded it."""

    name: str
    content: bytes

    @property
    def size(self) -> int:
        """See `ByteRanges`."""
        return len(self.content)

    def read_into(self, buffer: memoryview, offset: int) -> None:
        """See `ByteRanges`."""
        if offset + len(buffer) > len(self.content):
            raise WeightFileError("file.shrank")
        buffer[:] = self.content[offset : offset + len(buffer)]

    def ensure_unchanged(self) -> None:
        """Nothing can change it."""

    def close(self) -> None:
        """Nothing is open."""

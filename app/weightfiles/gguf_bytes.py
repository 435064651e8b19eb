"""The header of a GGUF file read forward through a window: long values are stepped over, never read."""

from struct import Struct
from typing import Any

from app.errors import WeightFileError
from app.weightfiles.byte_ranges import ByteRanges

WINDOW_BYTES = 1 << 20
"""Few reads matter where each is a request to a store."""
MAX_HEADER_BYTES = 1 << 29
"""Of all before the tensors' data; the largest tokenizers take some 30 MB."""

UINT32, UINT64 = Struct("<I"), Struct("<Q")


class HeaderBytes:
    """Where reading stands in a header, and the bytes around it. Every step is checked against the file's end."""

    def __init__(self, ranges: ByteRanges, offset: int) -> None:
        self._ranges = ranges
        self._buffer = bytearray(min(WINDOW_BYTES, ranges.size))
        self._begin = self._end = 0
        self.offset = offset
        """Of the next byte, in the file."""

    @property
    def left(self) -> int:
        """Bytes from here to the end of the file."""
        return self._ranges.size - self.offset

    def take(self, count: int) -> bytes:
        """The next bytes, no more than a window holds.

        Raises:
            WeightFileError: `gguf.cut`, `gguf.header-too-long`.
        """
        at = self._pass(count)
        return bytes(memoryview(self._buffer)[at : at + count])

    def unpack(self, layout: Struct) -> tuple[Any, ...]:
        """The next numbers.

        Raises:
            WeightFileError: as `take`.
        """
        return layout.unpack_from(self._buffer, self._pass(layout.size))

    def number(self, layout: Struct) -> int:
        """The next number."""
        return int(layout.unpack_from(self._buffer, self._pass(layout.size))[0])

    def skip(self, count: int) -> None:
        """Steps over the next bytes without reading them.

        Raises:
            WeightFileError: as `take`.
        """
        if count > self.left:
            raise WeightFileError("gguf.cut", position=self.offset, bytes=self._ranges.size)
        self.offset += count
        if self.offset > MAX_HEADER_BYTES:
            raise WeightFileError("gguf.header-too-long", limit=MAX_HEADER_BYTES)

    def skip_strings(self, count: int, limit: int) -> bool:
        """Steps over so many strings; whether none is longer than `limit`. It stops before the first that is.

        This is the one loop that runs hundreds of thousands of times for an ordinary file.
        """
        length_at, length_bytes = UINT64.unpack_from, UINT64.size
        while count:
            at = self._pass(length_bytes)
            self.offset -= length_bytes
            begin, last, length = at, self._end - self._begin - length_bytes, 0
            while count and at <= last:
                (length,) = length_at(self._buffer, at)
                if length > limit:
                    break
                at += length_bytes + length
                count -= 1
            self.skip(at - begin)
            if length > limit:
                return False
        return True

    def _pass(self, count: int) -> int:
        """Steps over the next bytes and says where they are in the buffer."""
        begin = self.offset
        end = begin + count
        if end > self._end or begin < self._begin or end > MAX_HEADER_BYTES:
            self.skip(count)
            self.offset = begin
            self._fill()
        self.offset = end
        return begin - self._begin

    def _fill(self) -> None:
        size = min(len(self._buffer), self.left)
        self._ranges.read_into(memoryview(self._buffer)[:size], self.offset)
        self._begin, self._end = self.offset, self.offset + size

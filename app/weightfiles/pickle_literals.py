"""The pickle opcodes that carry their value in the program itself: numbers, text and bytes, read within bounds."""

import struct
from collections.abc import Callable

from app.errors import WeightFileError

MAX_MEMORY = 36 << 20
"""What the values of one program may take, as counted below; they take less in fact."""
TEXT_MEMORY = 64
NUMBER_MEMORY = 32
MAX_LINE_BYTES = 1024
MAX_INTEGER_BYTES = 255
_DOUBLE = struct.Struct(">d")


class PickleBytes:
    """The program's bytes, read forward; every length is checked before anything is taken, and memory is counted."""

    def __init__(self, content: bytes, at: int = 0) -> None:
        self.content = content
        self.at = at
        self._memory = 0

    def take(self, count: int) -> bytes:
        """The next bytes."""
        begin = self.at
        self.at = begin + count
        if self.at > len(self.content):
            self.at = begin
            raise self.damaged()
        return self.content[begin : self.at]

    def number(self, count: int) -> int:
        """A little-endian unsigned number of so many bytes."""
        return int.from_bytes(self.take(count), "little")

    def line(self) -> bytes:
        """What stands before the next line feed."""
        end = self.content.find(b"\n", self.at, self.at + MAX_LINE_BYTES)
        if end < 0:
            raise self.damaged()
        begin, self.at = self.at, end + 1
        return self.content[begin:end]

    def text(self, count: int) -> str:
        """Text of so many bytes of UTF-8."""
        data = self.take(count)
        self.spend(TEXT_MEMORY + (count if data.isascii() else 4 * count))
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            raise WeightFileError("pickle.text", position=self.at - count) from None

    def data(self, count: int) -> bytes:
        """A value that is bytes."""
        self.spend(TEXT_MEMORY + count)
        return self.take(count)

    def integer(self, count: int) -> int:
        """A signed number of so many bytes."""
        if count > MAX_INTEGER_BYTES:
            raise self.damaged()
        self.spend(NUMBER_MEMORY + count)
        return int.from_bytes(self.take(count), "little", signed=True)

    def spend(self, memory: int) -> None:
        """Counts memory that a value takes.

        Raises:
            WeightFileError: `pickle.too-costly`.
        """
        self._memory += memory
        if self._memory > MAX_MEMORY:
            raise WeightFileError("pickle.too-costly", position=self.at)

    def damaged(self) -> WeightFileError:
        """The error for what no pickler writes."""
        return WeightFileError("pickle.damaged", position=self.at)


def _typed_number(source: PickleBytes) -> int | bool:
    line = source.line()
    if line in {b"00", b"01"}:
        return line == b"01"
    return _decimal(source, line)


def _decimal(source: PickleBytes, line: bytes) -> int:
    digits = line.removeprefix(b"-")
    if not digits.isdigit():
        raise source.damaged()
    source.spend(NUMBER_MEMORY + len(line))
    return int(line)


def _typed_float(source: PickleBytes) -> float:
    source.spend(NUMBER_MEMORY)
    try:
        return float(source.line().decode("ascii"))
    except ValueError:
        raise source.damaged() from None


def _double(source: PickleBytes) -> float:
    source.spend(NUMBER_MEMORY)
    value: float = _DOUBLE.unpack(source.take(8))[0]
    return value


def _typed_text(source: PickleBytes) -> str:
    line = source.line()
    source.spend(TEXT_MEMORY + 4 * len(line))
    try:
        text = line.decode("raw-unicode-escape")
        text.encode("utf-8")
    except UnicodeError:
        raise WeightFileError("pickle.text", position=source.at) from None
    return text


def _quoted_text(source: PickleBytes) -> str:
    line = source.line()
    if len(line) < 2 or line[:1] != line[-1:] or line[:1] not in b"'\"" or b"\\" in line or not line.isascii():
        raise source.damaged()
    source.spend(TEXT_MEMORY + len(line))
    return line[1:-1].decode("ascii")


LITERALS: dict[int, Callable[[PickleBytes], object]] = {
    ord("N"): lambda _: None,
    0x88: lambda _: True,
    0x89: lambda _: False,
    ord(")"): lambda _: (),
    ord("J"): lambda source: source.integer(4),
    ord("K"): lambda source: source.number(1),
    ord("M"): lambda source: source.number(2),
    ord("I"): _typed_number,
    ord("L"): lambda source: _decimal(source, source.line().removesuffix(b"L")),
    0x8A: lambda source: source.integer(source.number(1)),
    0x8B: lambda source: source.integer(source.number(4)),
    ord("F"): _typed_float,
    ord("G"): _double,
    ord("V"): _typed_text,
    ord("S"): _quoted_text,
    ord("U"): lambda source: source.text(source.number(1)),
    ord("T"): lambda source: source.text(source.number(4)),
    ord("X"): lambda source: source.text(source.number(4)),
    0x8C: lambda source: source.text(source.number(1)),
    0x8D: lambda source: source.text(source.number(8)),
    ord("C"): lambda source: source.data(source.number(1)),
    ord("B"): lambda source: source.data(source.number(4)),
    0x8E: lambda source: source.data(source.number(8)),
    0x96: lambda source: source.data(source.number(8)),
}
"""By opcode, in the order: none, booleans and the empty tuple; numbers; text; bytes."""

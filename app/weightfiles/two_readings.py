"""Files made to be read as two things at once, so that a scanner sees one and a loader the other: they are refused."""

import io
import pickletools

from app.errors import WeightFileError
from app.weightfiles.byte_ranges import ByteRanges, read_exactly, read_start

_PICKLE_PREFIX = 16 << 10
_ZIP_END = b"PK\x05\x06"
_ZIP_END_BYTES = 22
_ZIP_COMMENT_MAX = 0xFFFF


def refuse_two_readings(ranges: ByteRanges) -> None:
    """Refuses a good safetensors file that is also a zip archive or a pickle.

    Raises:
        WeightFileError: `safetensors.ambiguous`, naming the other reading.
    """
    refuse_zip_ending(ranges, "safetensors.ambiguous")
    if _starts_as_pickle(read_start(ranges, _PICKLE_PREFIX)):
        raise WeightFileError("safetensors.ambiguous", other="pickle")


def refuse_zip_ending(ranges: ByteRanges, code: str) -> None:
    """Refuses a file that programs would open as a zip archive, whatever it begins with.

    Raises:
        WeightFileError: with that code, naming the other reading.
    """
    tail_bytes = min(ranges.size, _ZIP_END_BYTES + _ZIP_COMMENT_MAX)
    if _ends_as_zip(read_exactly(ranges, ranges.size - tail_bytes, tail_bytes)):
        raise WeightFileError(code, other="zip")


def _ends_as_zip(tail: bytes) -> bool:
    """An end record whose comment runs exactly to the end of the file."""
    found = tail.rfind(_ZIP_END)
    while found >= 0:
        comment_bytes = int.from_bytes(tail[found + 20 : found + 22], "little")
        if found + _ZIP_END_BYTES + comment_bytes == len(tail):
            return True
        found = tail.rfind(_ZIP_END, 0, found + len(_ZIP_END) - 1)
    return False


def _starts_as_pickle(start: bytes) -> bool:
    """Whether the bytes are a whole pickle program that leaves one object; it is disassembled, never run."""
    try:
        pickletools.dis(io.BytesIO(start), out=io.StringIO())
    except Exception:  # noqa: BLE001  # the disassembler raises anything on bytes that are no pickle: the usual case
        return False
    return True

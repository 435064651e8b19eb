"""The strict reader of .npy files: one array, in the order of rows or of columns, of either byte order.

The container: a magic, a version, the header's length and text, then the array's bytes to the end of the file.
"""

import re
from dataclasses import replace

from app.errors import WeightFileError
from app.weightfiles.byte_ranges import ByteRanges, read_exactly, read_start
from app.weightfiles.file_header import FileHeader, TensorEntry, check_name, check_shape, element_count
from app.weightfiles.npy_literal import MAX_HEADER_CHARACTERS, NpyFields, parse_fields
from app.weightfiles.storage_types import BY_FORMAT, StorageType
from app.weightfiles.strict_json import shown
from app.weightfiles.strided_view import is_plain

MAGIC = b"\x93NUMPY"
SUFFIX = ".npy"
_LENGTH_BYTES = {(1, 0): 2, (2, 0): 4, (3, 0): 4}
_LENGTH_AT = len(MAGIC) + 2
_LONGEST_PREFIX = _LENGTH_AT + 4
_USUAL_BYTES = 1024
_ONLY_NAME = "array"
_DTYPE = re.compile(r"([<>|])([fiubc])([0-9]{1,2})")
_KINDS = {"f": "float", "i": "int", "u": "uint", "c": "complex"}


def looks_like_npy(start: bytes) -> bool:
    """Whether a file begins as one."""
    return start.startswith(MAGIC)


def read_header(ranges: ByteRanges) -> FileHeader:
    """The checked header of an .npy file.

    Raises:
        WeightFileError: `npy.*` or `tensor.*` for a broken rule.
    """
    entry = read_array(ranges, _name_of(ranges.name))
    return FileHeader("npy", (entry,), {}, ranges.size)


def read_array(ranges: ByteRanges, name: str) -> TensorEntry:
    """The array that fills these ranges.

    Raises:
        WeightFileError: see `read_header`; each names the array.
    """
    check_name(name)
    try:
        text, data_begin = _header_text(ranges)
        fields = parse_fields(text)
        kind = _type(fields.dtype)
    except WeightFileError as error:
        raise WeightFileError(error.code, **{"tensor": shown(name), **error.figures}) from None
    check_shape(fields.shape, name)
    size = kind.bits_of(element_count(fields.shape)) // 8
    missing = data_begin + size - ranges.size
    if missing > 0:
        raise WeightFileError("npy.truncated", tensor=shown(name), missing=missing)
    if missing < 0:
        raise WeightFileError("npy.trailing", tensor=shown(name), bytes=-missing)
    is_big_endian = fields.dtype.startswith(">") and kind.bits > 8
    strides = _strides(fields)
    return TensorEntry(
        name, kind, fields.shape, data_begin, data_begin + size, strides=strides, is_big_endian=is_big_endian
    )


def moved(entry: TensorEntry, begin: int, part: int) -> TensorEntry:
    """The same array, where its ranges begin at that offset of a part."""
    return replace(entry, begin=entry.begin + begin, end=entry.end + begin, part=part)


def _header_text(ranges: ByteRanges) -> tuple[str, int]:
    """The header's text, and where the data begins."""
    start = read_start(ranges, _USUAL_BYTES)
    if not looks_like_npy(start) or len(start) < _LONGEST_PREFIX:
        raise WeightFileError("npy.too-short", bytes=ranges.size)
    version = (start[6], start[7])
    length_bytes = _LENGTH_BYTES.get(version)
    if length_bytes is None:
        raise WeightFileError("npy.version", version=f"{version[0]}.{version[1]}")
    begin = _LENGTH_AT + length_bytes
    length = int.from_bytes(start[_LENGTH_AT:begin], "little")
    if length > MAX_HEADER_CHARACTERS:
        raise WeightFileError("npy.header-too-long", length=length, limit=MAX_HEADER_CHARACTERS)
    if begin + length > ranges.size:
        raise WeightFileError("npy.too-short", bytes=ranges.size)
    header = start[begin : begin + length]
    if len(header) < length:
        header = read_exactly(ranges, begin, length)
    if not header.isascii():  # names of fields may be in other scripts, but then the array is structured
        raise WeightFileError("npy.structured" if b"[" in header else "npy.header", position=begin)
    return header.decode("ascii"), begin + length


def _type(dtype: str) -> StorageType:
    if "O" in dtype:
        raise WeightFileError("npy.object")
    if "V" in dtype or dtype.endswith("f1"):  # how ml_dtypes' bfloat16 and 8-bit floats are saved
        raise WeightFileError("npy.void", dtype=shown(dtype))
    found = _DTYPE.fullmatch(dtype)
    if found is None or (found[1] == "|" and found[3] != "1"):
        raise WeightFileError("npy.dtype", dtype=shown(dtype))
    _, kind, size = found.groups()
    name = "bool" if (kind, size) == ("b", "1") else f"{_KINDS.get(kind)}{8 * int(size)}"
    if name not in BY_FORMAT:
        raise WeightFileError("npy.dtype", dtype=shown(dtype))
    return BY_FORMAT[name]


def _strides(fields: NpyFields) -> tuple[int, ...] | None:
    if not fields.is_fortran or 0 in fields.shape:
        return None
    strides = []
    step = 1
    for dimension in fields.shape:
        strides.append(step)
        step *= dimension
    return None if is_plain(fields.shape, tuple(strides)) else tuple(strides)


def _name_of(file_name: str) -> str:
    """What the one array of a file is called: as the file, if that has a name of its own."""
    if not file_name.lower().endswith(SUFFIX) or len(file_name) == len(SUFFIX):
        return _ONLY_NAME
    return file_name[: -len(SUFFIX)]

"""The strict reader of GGUF headers, versions 2 and 3: what a file claims, checked against its real length.

The container: magic, version, two counts; keys and values; a list of tensors; their bytes, each aligned. All numbers
are little-endian. Long lists, such as a tokenizer's, are stepped over.
"""

import struct

from app.errors import WeightFileError
from app.weightfiles.byte_ranges import ByteRanges
from app.weightfiles.file_header import (
    MAX_NAME_BYTES,
    FileHeader,
    TensorEntry,
    check_name,
    check_shape,
    element_count,
)
from app.weightfiles.gguf_bytes import UINT32, UINT64, HeaderBytes
from app.weightfiles.gguf_metadata import read_metadata
from app.weightfiles.gguf_types import REMOVED_TYPES, TYPES
from app.weightfiles.storage_types import StorageType
from app.weightfiles.strict_json import shown
from app.weightfiles.two_readings import refuse_zip_ending

MAGIC = b"GGUF"
VERSIONS = (2, 3)
MAX_TENSORS = 65_536
MAX_RANK = 4
"""ggml.h, `GGML_MAX_DIMS`."""
MAX_LIST_BYTES = 12 << 20
"""Of the list of tensors."""
_START, _COUNTS = struct.Struct("<4sI"), struct.Struct("<QQ")
_LEAST_ENTRY_BYTES = 8 + 4 + 4 + 8
"""A tensor without a name and without dimensions."""
_AFTER_RANK = tuple(struct.Struct(f"<{rank}QIQ") for rank in range(MAX_RANK + 1))
"""Dimensions, type, offset."""

_Placed = tuple[StorageType, tuple[int, ...], int, int]
"""Type, shape, where it begins after all headers, bytes."""


def looks_like_gguf(start: bytes) -> bool:
    """Whether these first bytes of a file are those of a GGUF file."""
    return start.startswith(MAGIC)


def read_header(ranges: ByteRanges) -> FileHeader:
    """The checked header of a GGUF file.

    Shapes have the outermost dimension first, unlike the file. `details` hold what a writer needs to copy the metadata
    byte for byte: `version`, `alignment`, `metadata_begin`, `metadata_end`, `metadata_count`, `data_begin`, and `spans`
    of the entries that it may have to replace.

    Raises:
        WeightFileError: `gguf.*` and `tensor.*` for a broken rule.
    """
    source = HeaderBytes(ranges, 0)
    magic, version = source.unpack(_START)
    if magic != MAGIC:
        raise WeightFileError("gguf.magic")
    _check_version(version)
    tensor_count, key_count = source.unpack(_COUNTS)
    metadata = read_metadata(source, key_count)
    found = _tensors(source, tensor_count, metadata.alignment)
    data_begin = _aligned(source.offset, metadata.alignment)
    tensors = [
        TensorEntry(name, kind, shape, data_begin + offset, data_begin + offset + size)
        for name, (kind, shape, offset, size) in found.items()
    ]
    tensors.sort(key=lambda tensor: (tensor.begin, tensor.end))
    _check_cover(tensors, data_begin, metadata.alignment, ranges.size)
    refuse_zip_ending(ranges, "gguf.ambiguous")
    details = {
        "version": version,
        "alignment": metadata.alignment,
        "metadata_begin": metadata.begin,
        "metadata_end": metadata.end,
        "metadata_count": key_count,
        "data_begin": data_begin,
        "spans": metadata.spans,
    }
    return FileHeader("gguf", tuple(tensors), metadata.values, ranges.size, details)


def _check_version(version: int) -> None:
    if version and version & 0xFFFF == 0:
        raise WeightFileError("gguf.big-endian")
    if version not in VERSIONS:
        raise WeightFileError("gguf.version", version=version)


def _tensors(source: HeaderBytes, count: int, alignment: int) -> dict[str, _Placed]:
    """The list of tensors by name; offsets count from where the data begins."""
    if count > MAX_TENSORS:
        raise WeightFileError("gguf.too-many-tensors", count=count, limit=MAX_TENSORS)
    if count * _LEAST_ENTRY_BYTES > source.left:
        raise WeightFileError("gguf.tensors-past-end", count=count, bytes=source.left)
    begin = source.offset
    found: dict[str, _Placed] = {}
    for _ in range(count):
        name = _name(source)
        if name in found:
            raise WeightFileError("gguf.duplicate-tensor", tensor=shown(name))
        found[name] = _entry(source, name, alignment)
        if source.offset - begin > MAX_LIST_BYTES:
            raise WeightFileError("gguf.list-too-long", limit=MAX_LIST_BYTES)
    return found


def _name(source: HeaderBytes) -> str:
    position = source.offset
    length = source.number(UINT64)
    if length > MAX_NAME_BYTES:
        raise WeightFileError("gguf.name-length", position=position, length=length, limit=MAX_NAME_BYTES)
    found = source.take(length)
    try:
        name = found.decode("utf-8")
    except UnicodeDecodeError:
        raise WeightFileError("gguf.name-utf8", position=position, tensor=found[:20].hex(" ")) from None
    check_name(name)
    return name


def _entry(source: HeaderBytes, name: str, alignment: int) -> _Placed:
    rank = source.number(UINT32)
    if rank > MAX_RANK:
        raise WeightFileError("tensor.rank", tensor=shown(name), rank=rank, limit=MAX_RANK)
    *dimensions, number, offset = source.unpack(_AFTER_RANK[rank])
    shape = tuple(dimensions[::-1])
    check_shape(shape, name)
    kind = _type(number, name)
    columns = shape[-1] if shape else 1
    if columns % kind.block_elements:
        raise WeightFileError(
            "gguf.row", tensor=shown(name), type=kind.name, columns=columns, block=kind.block_elements
        )
    if offset % alignment:
        raise WeightFileError("gguf.offset-alignment", tensor=shown(name), offset=offset, alignment=alignment)
    return kind, shape, offset, kind.bits_of(element_count(shape)) // 8


def _type(number: int, name: str) -> StorageType:
    kind = TYPES.get(number)
    if kind is None:
        code = "gguf.removed-type" if number in REMOVED_TYPES else "gguf.unknown-type"
        raise WeightFileError(code, tensor=shown(name), type=number)
    return kind


def _aligned(offset: int, alignment: int) -> int:
    return -(-offset // alignment) * alignment


def _check_cover(tensors: list[TensorEntry], data_begin: int, alignment: int, file_bytes: int) -> None:
    """The tensors, sorted, follow each other with nothing but padding between them and after the last."""
    reached = data_begin
    before = ""
    for tensor in tensors:
        if tensor.end > file_bytes:
            missing = tensor.end - file_bytes
            raise WeightFileError("gguf.truncated", tensor=shown(tensor.name), missing=missing)
        if tensor.begin < reached:
            raise WeightFileError("gguf.overlap", tensor=shown(tensor.name), other=shown(before))
        if tensor.begin > _aligned(reached, alignment):
            raise WeightFileError("gguf.hole", tensor=shown(tensor.name), bytes=tensor.begin - reached)
        reached = tensor.end
        before = tensor.name
    if file_bytes > _aligned(reached, alignment):
        raise WeightFileError("gguf.trailing", bytes=file_bytes - reached)

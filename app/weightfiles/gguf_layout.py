"""Where every byte of a GGUF file that is to be written will lie; the same input gives the same bytes.

The container is version 3, little-endian (ggml's gguf.h): magic, version, two counts, key-value pairs, the tensors'
entries, and from the next aligned offset on their bytes, each tensor aligned.
"""

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

from app.errors import WeightFileError
from app.weightfiles.file_header import MAX_NAME_BYTES
from app.weightfiles.file_layout import FileLayout, StoredTensor
from app.weightfiles.gguf_header import MAGIC, MAX_RANK, MAX_TENSORS
from app.weightfiles.gguf_types import TYPE_NUMBERS, TYPES
from app.weightfiles.storage_types import StorageType
from app.weightfiles.strict_json import shown

VERSION = 3
ALIGNMENT = 32


class ValueType(IntEnum):
    """The types of values, by their numbers in the file."""

    UINT8 = 0
    INT8 = 1
    UINT16 = 2
    INT16 = 3
    UINT32 = 4
    INT32 = 5
    FLOAT32 = 6
    BOOL = 7
    STRING = 8
    ARRAY = 9
    UINT64 = 10
    INT64 = 11
    FLOAT64 = 12


_CODES = {
    ValueType.UINT8: "B",
    ValueType.INT8: "b",
    ValueType.UINT16: "H",
    ValueType.INT16: "h",
    ValueType.UINT32: "I",
    ValueType.INT32: "i",
    ValueType.FLOAT32: "f",
    ValueType.BOOL: "?",
    ValueType.UINT64: "Q",
    ValueType.INT64: "q",
    ValueType.FLOAT64: "d",
}
_LENGTH = struct.Struct("<Q")
_TYPE = struct.Struct("<I")


@dataclass(frozen=True, slots=True)
class KeyValue:
    """One pair of the metadata: a value of that type, or a tuple of such values, which is written as an array."""

    key: str
    type: ValueType
    value: bool | int | float | str | tuple[bool | int | float | str, ...]

    def encoded(self) -> bytes:
        """As the file has it."""
        key = _text(self.key)
        if not isinstance(self.value, tuple):
            return key + _TYPE.pack(self.type) + _values(self.type, (self.value,))
        head = _TYPE.pack(ValueType.ARRAY) + _TYPE.pack(self.type) + _LENGTH.pack(len(self.value))
        return key + head + _values(self.type, self.value)


@dataclass(frozen=True, slots=True)
class Metadata:
    """The key-value section: how many pairs there are, and their bytes one after the other."""

    count: int
    section: bytes

    @classmethod
    def of(cls, pairs: Sequence[KeyValue]) -> "Metadata":
        """These pairs in this order."""
        return cls(len(pairs), b"".join(pair.encoded() for pair in pairs))


def lay_out(tensors: Iterable[StoredTensor], metadata: Metadata, alignment: int = ALIGNMENT) -> FileLayout:
    """Lays tensors out in the given order; the caller's alignment is what the metadata say.

    Raises:
        WeightFileError: `gguf.written-twice`; `gguf.rank-to-write`, `gguf.rows-to-write`, a tensor that the container
            cannot hold; `gguf.name-to-write`; `gguf.too-many-to-write`.
    """
    entries: list[bytes] = []
    offsets: dict[str, int] = {}
    end = 0
    for tensor in tensors:
        if tensor.name in offsets:
            raise WeightFileError("gguf.written-twice", tensor=shown(tensor.name))
        offsets[tensor.name] = end
        entries.append(_entry(tensor, end))
        end += tensor.bytes + -tensor.bytes % alignment
    if len(offsets) > MAX_TENSORS:
        raise WeightFileError("gguf.too-many-to-write", tensors=len(offsets), limit=MAX_TENSORS)
    start = MAGIC + struct.pack("<IQQ", VERSION, len(offsets), metadata.count)
    head = start + metadata.section + b"".join(entries)
    head += bytes(-len(head) % alignment)
    # The last tensor is filled up too: readers of older versions check that its whole span is there.
    return FileLayout(head, {name: len(head) + offset for name, offset in offsets.items()}, len(head) + end)


def type_named(number_format: str) -> StorageType | None:
    """ggml's type for a format or scheme of ours, such as `float16` or `q4_k`; None if it has none."""
    return _BY_FORMAT.get(number_format)


_BY_FORMAT = {kind.format: kind for kind in TYPES.values()}


def _entry(tensor: StoredTensor, offset: int) -> bytes:
    name = tensor.name.encode("utf-8")
    if not 0 < len(name) <= MAX_NAME_BYTES:
        raise WeightFileError("gguf.name-to-write", tensor=shown(tensor.name, 40), limit=MAX_NAME_BYTES)
    if len(tensor.shape) > MAX_RANK:
        raise WeightFileError("gguf.rank-to-write", tensor=shown(tensor.name), rank=len(tensor.shape), limit=MAX_RANK)
    columns = tensor.shape[-1] if tensor.shape else 1
    if columns % tensor.type.block_elements:
        raise WeightFileError(
            "gguf.rows-to-write", tensor=shown(tensor.name), columns=columns, block=tensor.type.block_elements
        )
    sizes = struct.pack(f"<I{len(tensor.shape)}Q", len(tensor.shape), *reversed(tensor.shape))
    return _LENGTH.pack(len(name)) + name + sizes + struct.pack("<IQ", TYPE_NUMBERS[tensor.type.name], offset)


def _text(text: str) -> bytes:
    encoded = text.encode("utf-8")
    return _LENGTH.pack(len(encoded)) + encoded


def _values(kind: ValueType, values: tuple[bool | int | float | str, ...]) -> bytes:
    if kind is ValueType.STRING:
        return b"".join(_text(value) for value in values if isinstance(value, str))
    return struct.pack(f"<{len(values)}{_CODES[kind]}", *values)

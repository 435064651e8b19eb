"""The strict reader of safetensors headers: what a file claims, checked against its real length before any use.

The container: a little-endian 64-bit header length, that many bytes of JSON, then the tensors' bytes without holes.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.errors import WeightFileError
from app.weightfiles.content_kind import SNIFFED_BYTES, looks_like_safetensors, refuse_other_kinds
from app.weightfiles.storage_types import BY_NAME, StorageType
from app.weightfiles.strict_json import parse_strict, shown
from app.weightfiles.two_readings import refuse_two_readings

LENGTH_BYTES = 8
MAX_HEADER_BYTES = 32 << 20
MAX_TENSORS = 100_000
MAX_RANK = 8
MAX_DIMENSION = 1 << 48
MAX_NAME_BYTES = 1024
MAX_ELEMENTS = 1 << 63
METADATA = "__metadata__"
_FIELDS = {"dtype", "shape", "data_offsets"}


@dataclass(frozen=True, slots=True)
class TensorEntry:
    """One tensor of the header. `begin` and `end` are offsets into the file itself."""

    name: str
    type: StorageType
    shape: tuple[int, ...]
    begin: int
    end: int

    @property
    def bytes(self) -> int:
        return self.end - self.begin

    @property
    def elements(self) -> int:
        return element_count(self.shape)


@dataclass(frozen=True, slots=True)
class SafetensorsHeader:
    """A checked header: the tensors lie one after the other, in this order, from `data_begin` to `file_bytes`."""

    tensors: tuple[TensorEntry, ...]
    metadata: Mapping[str, str]
    data_begin: int
    file_bytes: int


def element_count(shape: tuple[int, ...]) -> int:
    """How many elements a shape has; 1 for rank 0."""
    elements = 1
    for dimension in shape:
        elements *= dimension
    return elements


def read_header(descriptor: int) -> SafetensorsHeader:
    """The checked header of an open file.

    Raises:
        WeightFileError: `file.*` for another kind of file, `safetensors.*` and `header.*` for a broken rule.
    """
    file_bytes = os.fstat(descriptor).st_size
    start = os.pread(descriptor, SNIFFED_BYTES, 0)
    refuse_other_kinds(start)
    if file_bytes <= LENGTH_BYTES or len(start) <= LENGTH_BYTES:
        raise WeightFileError("safetensors.too-short", bytes=file_bytes)
    length = int.from_bytes(start[:LENGTH_BYTES], "little")
    if length < 2:
        raise WeightFileError("safetensors.header-missing", length=length)
    if length > MAX_HEADER_BYTES:
        raise WeightFileError("safetensors.header-too-long", length=length, limit=MAX_HEADER_BYTES)
    if LENGTH_BYTES + length > file_bytes:
        raise WeightFileError("safetensors.header-past-end", length=length, bytes=file_bytes)
    if not looks_like_safetensors(start):
        raise WeightFileError("safetensors.header-start", byte=f"0x{start[LENGTH_BYTES]:02x}")
    text = _read_exactly(descriptor, length, LENGTH_BYTES)
    header = parse_header(text, file_bytes)
    refuse_two_readings(descriptor, file_bytes)
    return header


def _read_exactly(descriptor: int, length: int, offset: int) -> bytes:
    pieces = []
    while length:
        piece = os.pread(descriptor, length, offset)
        if not piece:
            raise WeightFileError("file.shrank")
        pieces.append(piece)
        length -= len(piece)
        offset += len(piece)
    return b"".join(pieces)


def parse_header(text: bytes, file_bytes: int) -> SafetensorsHeader:
    """The header whose JSON is `text`, in a file of that length."""
    document = parse_strict(text, max_objects=MAX_TENSORS + 2, too_many=_too_many)
    if not isinstance(document, dict):
        raise WeightFileError("safetensors.header-start", byte=f"0x{text[0]:02x}")
    metadata = _metadata(document.pop(METADATA, {}))
    if len(document) > MAX_TENSORS:
        raise _too_many()
    data_begin = LENGTH_BYTES + len(text)
    tensors = [_entry(name, fields, data_begin) for name, fields in document.items()]
    tensors.sort(key=lambda tensor: (tensor.begin, tensor.end))
    _check_cover(tensors, data_begin, file_bytes)
    return SafetensorsHeader(tuple(tensors), metadata, data_begin, file_bytes)


def _too_many() -> WeightFileError:
    return WeightFileError("safetensors.too-many-tensors", limit=MAX_TENSORS)


def _metadata(found: Any) -> Mapping[str, str]:
    if not isinstance(found, dict):
        raise WeightFileError("safetensors.metadata", key=METADATA)
    for key, value in found.items():
        if not isinstance(value, str):
            raise WeightFileError("safetensors.metadata", key=shown(key))
    return found


def _entry(name: str, fields: Any, data_begin: int) -> TensorEntry:
    _check_name(name)
    label = shown(name)
    if not isinstance(fields, dict) or fields.keys() != _FIELDS:
        raise WeightFileError("safetensors.fields", tensor=label)
    kind = BY_NAME.get(fields["dtype"]) if isinstance(fields["dtype"], str) else None
    if kind is None:
        raise WeightFileError("safetensors.unknown-dtype", tensor=label, dtype=shown(str(fields["dtype"]), 40))
    shape = _shape(fields["shape"], label)
    begin, end = _offsets(fields["data_offsets"], label)
    bits = element_count(shape) * kind.bits
    if bits % 8:
        raise WeightFileError("safetensors.sub-byte", tensor=label, bits=bits)
    if bits // 8 != end - begin:
        raise WeightFileError("safetensors.size-mismatch", tensor=label, needed=bits // 8, given=end - begin)
    return TensorEntry(name, kind, shape, data_begin + begin, data_begin + end)


def _check_name(name: str) -> None:
    if len(name.encode("utf-8")) > MAX_NAME_BYTES:
        raise WeightFileError("safetensors.name-too-long", tensor=shown(name, 40), limit=MAX_NAME_BYTES)
    if any(character < " " or "\x7f" <= character <= "\x9f" for character in name):
        raise WeightFileError("safetensors.name-control", tensor=shown(name))


def _shape(found: Any, label: str) -> tuple[int, ...]:
    if not isinstance(found, list) or any(type(dimension) is not int for dimension in found):
        raise WeightFileError("safetensors.shape", tensor=label)
    if len(found) > MAX_RANK:
        raise WeightFileError("safetensors.rank", tensor=label, rank=len(found), limit=MAX_RANK)
    reach = 1
    for dimension in found:
        if not 0 <= dimension < MAX_DIMENSION:
            raise WeightFileError("safetensors.dimension", tensor=label, dimension=dimension)
        # Zeros are left out: no reader may overflow on the way to a product of zero.
        reach *= dimension or 1
        if reach >= MAX_ELEMENTS:
            raise WeightFileError("safetensors.overflow", tensor=label)
    return tuple(found)


def _offsets(found: Any, label: str) -> tuple[int, int]:
    if not isinstance(found, list) or len(found) != 2 or any(type(offset) is not int for offset in found):
        raise WeightFileError("safetensors.offsets", tensor=label)
    begin, end = found
    if not 0 <= begin <= end:
        raise WeightFileError("safetensors.offset-order", tensor=label, begin=begin, end=end)
    return begin, end


def _check_cover(tensors: list[TensorEntry], data_begin: int, file_bytes: int) -> None:
    """The tensors, sorted, must cover the data exactly: no hole, no overlap, nothing missing, nothing left."""
    reached = data_begin
    before = ""
    for tensor in tensors:
        if tensor.end > file_bytes:
            missing = tensor.end - file_bytes
            raise WeightFileError("safetensors.truncated", tensor=shown(tensor.name), missing=missing)
        if tensor.begin < reached:
            raise WeightFileError("safetensors.overlap", tensor=shown(tensor.name), other=shown(before))
        if tensor.begin > reached:
            raise WeightFileError("safetensors.hole", tensor=shown(tensor.name), bytes=tensor.begin - reached)
        reached = tensor.end
        before = tensor.name
    if reached != file_bytes:
        raise WeightFileError("safetensors.trailing", bytes=file_bytes - reached)

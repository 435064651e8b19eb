"""The strict reader of safetensors headers: what a file claims, checked against its real length before any use.

The container: a little-endian 64-bit header length, that many bytes of JSON, then the tensors' bytes without holes.
"""

import sys
from collections.abc import Mapping
from operator import attrgetter
from typing import Any, NamedTuple

from app.errors import WeightFileError
from app.weightfiles.byte_ranges import ByteRanges, read_buffer, read_start
from app.weightfiles.content_kind import SNIFFED_BYTES, looks_like_safetensors
from app.weightfiles.file_header import MAX_TENSORS, FileHeader, TensorEntry, check_name, check_shape, element_count
from app.weightfiles.storage_types import BY_NAME
from app.weightfiles.strict_json import parse_strict, shown
from app.weightfiles.two_readings import refuse_two_readings

LENGTH_BYTES = 8
MAX_HEADER_BYTES = 32 << 20
METADATA = "__metadata__"


class _Fields(NamedTuple):
    """What the header says of a tensor, unchecked; dictionaries would take three times the memory."""

    dtype: Any
    shape: Any
    data_offsets: Any


def read_header(ranges: ByteRanges) -> FileHeader:
    """The checked header of a safetensors file.

    Raises:
        WeightFileError: `safetensors.*` and `header.*` for a broken rule.
    """
    start = read_start(ranges, SNIFFED_BYTES)
    if len(start) <= LENGTH_BYTES:
        raise WeightFileError("safetensors.too-short", bytes=ranges.size)
    length = int.from_bytes(start[:LENGTH_BYTES], "little")
    if length < 2:
        raise WeightFileError("safetensors.header-missing", length=length)
    if length > MAX_HEADER_BYTES:
        raise WeightFileError("safetensors.header-too-long", length=length, limit=MAX_HEADER_BYTES)
    if LENGTH_BYTES + length > ranges.size:
        raise WeightFileError("safetensors.header-past-end", length=length, bytes=ranges.size)
    if not looks_like_safetensors(start):
        raise WeightFileError("safetensors.header-start", byte=f"0x{start[LENGTH_BYTES]:02x}")
    header = parse_header(read_buffer(ranges, LENGTH_BYTES, length), ranges.size)
    refuse_two_readings(ranges)
    return header


def parse_header(text: bytearray, file_bytes: int) -> FileHeader:
    """The header whose JSON is `text`, in a file of that length; the bytes are emptied on the way."""
    data_begin, first = LENGTH_BYTES + len(text), text[0]
    document = parse_strict(text, max_objects=MAX_TENSORS + 2, too_many=_too_many, slim=_slim)
    document = _plain(document)
    if not isinstance(document, dict):
        raise WeightFileError("safetensors.header-start", byte=f"0x{first:02x}")
    metadata = _metadata(_plain(document.pop(METADATA, {})))
    if len(document) > MAX_TENSORS:
        raise _too_many()
    tensors = []
    while document:  # each is let go as soon as it is an entry
        name, fields = document.popitem()
        tensors.append(_entry(name, fields, data_begin))
    tensors.sort(key=attrgetter("end"))
    tensors.sort(key=attrgetter("begin"))
    _check_cover(tensors, data_begin, file_bytes)
    return FileHeader("safetensors", tuple(tensors), metadata, file_bytes)


def _too_many() -> WeightFileError:
    return WeightFileError("safetensors.too-many-tensors", limit=MAX_TENSORS)


def _slim(built: dict[str, Any]) -> dict[str, Any] | _Fields:
    """An object as it is kept: one with exactly the fields of a tensor without its own copies of the words."""
    if built.keys() != set(_Fields._fields):
        return built
    dtype, shape, offsets = (built[name] for name in _Fields._fields)
    return _Fields(
        sys.intern(dtype) if isinstance(dtype, str) else dtype,
        tuple(shape) if isinstance(shape, list) else shape,
        tuple(offsets) if isinstance(offsets, list) else offsets,
    )


def _plain(found: Any) -> Any:
    """An object that had the fields of a tensor but is none."""
    return found._asdict() if isinstance(found, _Fields) else found


def _metadata(found: Any) -> Mapping[str, str]:
    if not isinstance(found, dict):
        raise WeightFileError("safetensors.metadata", key=METADATA)
    for key, value in found.items():
        if not isinstance(value, str):
            raise WeightFileError("safetensors.metadata", key=shown(key))
    return found


def _entry(name: str, fields: Any, data_begin: int) -> TensorEntry:
    check_name(name)
    label = shown(name)
    if not isinstance(fields, _Fields):
        raise WeightFileError("safetensors.fields", tensor=label)
    kind = BY_NAME.get(fields.dtype) if isinstance(fields.dtype, str) else None
    if kind is None:
        raise WeightFileError("safetensors.unknown-dtype", tensor=label, dtype=shown(str(fields.dtype), 40))
    shape = _shape(fields.shape, name)
    begin, end = _offsets(fields.data_offsets, label)
    bits = element_count(shape) * kind.bits
    if bits % 8:
        raise WeightFileError("safetensors.sub-byte", tensor=label, bits=bits)
    if bits // 8 != end - begin:
        raise WeightFileError("safetensors.size-mismatch", tensor=label, needed=bits // 8, given=end - begin)
    return TensorEntry(name, kind, shape, data_begin + begin, data_begin + end)


def _shape(found: Any, name: str) -> tuple[int, ...]:
    if not isinstance(found, tuple) or any(type(dimension) is not int for dimension in found):
        raise WeightFileError("safetensors.shape", tensor=shown(name))
    check_shape(found, name)
    return found


def _offsets(found: Any, label: str) -> tuple[int, int]:
    if not isinstance(found, tuple) or len(found) != 2 or any(type(offset) is not int for offset in found):
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

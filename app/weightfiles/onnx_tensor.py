"""One tensor of an ONNX model (TensorProto): its name, type and shape, and in which of its fields the numbers are."""

from dataclasses import dataclass, field

from app.errors import WeightFileError
from app.weightfiles.file_header import MAX_NAME_BYTES, MAX_RANK, check_name, check_shape
from app.weightfiles.onnx_types import (
    DOUBLE_DATA,
    FLOAT_DATA,
    INT32_DATA,
    INT64_DATA,
    STRING,
    UINT64_DATA,
)
from app.weightfiles.protobuf_fields import LENGTH_DELIMITED, VARINT, Field, FieldReader, signed
from app.weightfiles.strict_json import shown

_DIMS, _DATA_TYPE, _SEGMENT, _STRING_DATA, _NAME, _RAW_DATA, _EXTERNAL_DATA, _LOCATION = 1, 2, 3, 6, 8, 9, 13, 14
_CONTENTS = {FLOAT_DATA, INT32_DATA, INT64_DATA, DOUBLE_DATA, UINT64_DATA, _RAW_DATA}
_KEY, _VALUE = 1, 2
_MAX_TEXT_BYTES = 1024
_MAX_EXTERNAL_KEYS = 16


@dataclass(slots=True)
class TensorMessage:
    """What a TensorProto says; nothing is believed yet but that its name and shape are possible."""

    name: str = ""
    data_type: int = 0
    shape: tuple[int, ...] = ()
    content: Field | None = None
    """The one field with the numbers: raw_data, or a typed one, packed."""
    external: dict[str, str] = field(default_factory=dict)
    """The entries of external_data, if the numbers are said to lie in another file."""
    is_external: bool = False

    @property
    def label(self) -> str:
        """The name as sentences quote it."""
        return shown(self.name)

    @property
    def is_text(self) -> bool:
        return self.data_type == STRING

    @property
    def is_raw(self) -> bool:
        return self.content is not None and self.content.number == _RAW_DATA


def read_tensor(reader: FieldReader, message: Field) -> TensorMessage:
    """Reads a TensorProto.

    Raises:
        WeightFileError: `onnx.*` and `tensor.*` for a broken rule.
    """
    _ensure_wire(message, LENGTH_DELIMITED)
    found = TensorMessage()
    seen: set[int] = set()
    dimensions: list[int] = []
    for each in reader.fields(message.begin, message.end):
        if each.number == _DIMS:
            dimensions += _dimensions(reader, each)
            if len(dimensions) > MAX_RANK:
                raise WeightFileError("tensor.rank", tensor=found.label, rank=len(dimensions), limit=MAX_RANK)
        elif each.number == _EXTERNAL_DATA:
            _take_external(reader, each, found)
        elif each.number == _STRING_DATA:
            continue  # one field a string; a tensor of text is left out as a whole
        elif each.number in seen:
            raise WeightFileError("onnx.field-twice", field=each.number, position=each.begin)
        else:
            seen.add(each.number)
            _take(reader, each, found)
    check_name(found.name)
    if not found.name:
        raise WeightFileError("onnx.no-name", position=message.begin)
    check_shape(tuple(dimensions), found.name)
    found.shape = tuple(dimensions)
    return found


def _take(reader: FieldReader, each: Field, found: TensorMessage) -> None:
    if each.number == _NAME:
        found.name = read_text(reader, each, MAX_NAME_BYTES + 1)
    elif each.number == _DATA_TYPE:
        _ensure_wire(each, VARINT)
        found.data_type = signed(each.value, 32)
    elif each.number == _LOCATION:
        _ensure_wire(each, VARINT)
        if each.value > 1:
            raise WeightFileError("onnx.location", tensor=found.label, location=each.value)
        found.is_external = each.value == 1
    elif each.number == _SEGMENT:
        raise WeightFileError("onnx.segment", tensor=found.label)
    elif each.number in _CONTENTS:
        if each.wire != LENGTH_DELIMITED:
            raise WeightFileError("onnx.not-packed", tensor=found.label)
        if found.content is not None and found.content.bytes and each.bytes:
            raise WeightFileError("onnx.two-contents", tensor=found.label)
        if each.bytes or found.content is None:
            found.content = each


def _dimensions(reader: FieldReader, each: Field) -> list[int]:
    if each.wire == VARINT:
        return [signed(each.value)]
    _ensure_wire(each, LENGTH_DELIMITED)
    if each.bytes > MAX_RANK * 10:
        raise WeightFileError("tensor.rank", tensor="", rank=each.bytes // 10, limit=MAX_RANK)
    return [signed(value) for value in _packed(reader.contents(each), each.begin)]


def _packed(data: bytes, position: int) -> list[int]:
    values, value, shift = [], 0, 0
    for byte in data:
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            values.append(value)
            value = shift = 0
    if shift:
        raise WeightFileError("onnx.varint", position=position)
    return values


def _take_external(reader: FieldReader, entry: Field, found: TensorMessage) -> None:
    _ensure_wire(entry, LENGTH_DELIMITED)
    key, value = read_pair(reader, entry, _MAX_TEXT_BYTES)
    if key in found.external or len(found.external) == _MAX_EXTERNAL_KEYS:
        raise WeightFileError("onnx.external-key", tensor=found.label, key=shown(key, 40))
    found.external[key] = value


def read_pair(reader: FieldReader, entry: Field, limit: int) -> tuple[str, str]:
    """Key and value of a StringStringEntryProto; neither longer than `limit` bytes.

    Raises:
        WeightFileError: `onnx.text-too-long`, `onnx.utf8`.
    """
    key = value = ""
    for each in reader.fields(entry.begin, entry.end):
        if each.number == _KEY:
            key = read_text(reader, each, limit)
        elif each.number == _VALUE:
            value = read_text(reader, each, limit)
    return key, value


def read_text(reader: FieldReader, each: Field, limit: int) -> str:
    """A string field of at most so many bytes.

    Raises:
        WeightFileError: `onnx.text-too-long`, `onnx.utf8`.
    """
    _ensure_wire(each, LENGTH_DELIMITED)
    if each.bytes > limit:
        raise WeightFileError("onnx.text-too-long", position=each.begin, bytes=each.bytes, limit=limit)
    try:
        return reader.contents(each).decode("utf-8")
    except UnicodeDecodeError:
        raise WeightFileError("onnx.utf8", position=each.begin) from None


def _ensure_wire(each: Field, wire: int) -> None:
    if each.wire != wire:
        raise WeightFileError("onnx.wire-type", position=each.begin)

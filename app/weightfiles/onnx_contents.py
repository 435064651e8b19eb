"""Where the numbers of an ONNX model's tensors lie: in the file, in another file, or decoded from varints."""

from app.errors import WeightFileError
from app.weightfiles.file_header import ExtraPart, TensorEntry, element_count
from app.weightfiles.onnx_external import ExternalData, read_external, refuse_overlaps
from app.weightfiles.onnx_tensor import TensorMessage
from app.weightfiles.onnx_types import DOUBLE_DATA, FLOAT_DATA, ONNX_TYPES, SIX_BITS, TYPED_FIELD
from app.weightfiles.protobuf_fields import Field, FieldReader
from app.weightfiles.storage_types import StorageType
from app.weightfiles.varint_data import (
    MAX_DECODED_BYTES,
    MAX_SLOW_NUMBERS,
    decode_varints,
    is_one_byte_each,
    pack_six_bits,
)

_FILE = 0
_DECODED = "decoded"


class OnnxContents:
    """Gathers entries; part 0 is the model's file, the others are found in the order in which they are needed."""

    def __init__(self, reader: FieldReader) -> None:
        self._reader = reader
        self._entries: list[TensorEntry] = []
        self._parts: dict[str | None, int] = {}
        """Of other files by name, and under None of what had to be decoded: its number."""
        self._needed: dict[int, int] = {}
        self._decoded = bytearray()
        self._slow_numbers = 0

    def add(self, tensor: TensorMessage, message: Field) -> None:
        """Checks that the tensor's bytes are all there, as far as this file knows.

        Raises:
            WeightFileError: `onnx.*`.
        """
        kind = ONNX_TYPES.get(tensor.data_type)
        if kind is None:
            raise WeightFileError("onnx.unknown-type", tensor=tensor.label, type=tensor.data_type)
        size = (kind.bits_of(element_count(tensor.shape)) + 7) // 8
        if tensor.is_external:
            part, begin = self._external(tensor, size)
        elif tensor.external:
            raise WeightFileError("onnx.two-contents", tensor=tensor.label)
        elif tensor.content is None or tensor.content.bytes == 0:
            part, begin = _FILE, message.begin
            _ensure_size(tensor, size, 0)
        elif tensor.is_raw:
            part, begin = _FILE, tensor.content.begin
            _ensure_size(tensor, size, tensor.content.bytes)
        else:
            part, begin = self._typed(tensor, tensor.content, kind, size)
        self._entries.append(TensorEntry(tensor.name, kind, tensor.shape, begin, begin + size, part))

    def finish(self) -> tuple[tuple[TensorEntry, ...], tuple[ExtraPart, ...]]:
        """The entries in the order of their bytes, and the parts 1, 2 and so on.

        Raises:
            WeightFileError: `onnx.external-overlap`.
        """
        self._entries.sort(key=lambda entry: (entry.part, entry.begin, entry.end))
        refuse_overlaps(entry for entry in self._entries if entry.part)
        extra = tuple(
            ExtraPart(_DECODED, bytes(self._decoded))
            if name is None
            else ExtraPart(name, needed_bytes=self._needed.get(part, 0))
            for name, part in self._parts.items()
        )
        return tuple(self._entries), extra

    def _external(self, tensor: TensorMessage, size: int) -> tuple[int, int]:
        if tensor.content is not None and tensor.content.bytes:
            raise WeightFileError("onnx.two-contents", tensor=tensor.label)
        place: ExternalData = read_external(tensor.external, tensor.label)
        if place.length is not None:
            _ensure_size(tensor, size, place.length)
        part = self._part(place.location)
        self._needed[part] = max(self._needed.get(part, 0), place.offset + size)
        return part, place.offset

    def _typed(self, tensor: TensorMessage, content: Field, kind: StorageType, size: int) -> tuple[int, int]:
        if content.number != TYPED_FIELD[tensor.data_type]:
            raise WeightFileError("onnx.wrong-field", tensor=tensor.label, type=kind.name)
        if content.number in {FLOAT_DATA, DOUBLE_DATA}:
            _ensure_size(tensor, size, content.bytes)
            return _FILE, content.begin
        is_six_bits = kind.bits == SIX_BITS  # the one type below a byte that is not packed in int32_data
        width = max(kind.bits // 8, 1)
        count = element_count(tensor.shape) if is_six_bits else size // width
        if content.bytes < count:
            _ensure_size(tensor, size, content.bytes * width)
        if len(self._decoded) + size > MAX_DECODED_BYTES or content.bytes > MAX_DECODED_BYTES:
            raise WeightFileError("onnx.too-many-varints", tensor=tensor.label)
        data = self._reader.contents(content)
        if is_six_bits or not is_one_byte_each(data, count):
            self._slow_numbers += count
        # Each number takes at most ten bytes; those of a hostile file could be all but endless.
        if self._slow_numbers > MAX_SLOW_NUMBERS or len(data) > 10 * max(count, 1):
            raise WeightFileError("onnx.too-many-varints", tensor=tensor.label)
        decoded = decode_varints(data, count, width)
        if decoded is None:
            raise WeightFileError("onnx.varint-count", tensor=tensor.label, needed=count)
        begin = len(self._decoded)
        self._decoded += pack_six_bits(decoded) if is_six_bits else decoded
        return self._part(None), begin

    def _part(self, name: str | None) -> int:
        return self._parts.setdefault(name, len(self._parts) + 1)


def _ensure_size(tensor: TensorMessage, needed: int, given: int) -> None:
    if given != needed:
        raise WeightFileError("onnx.size-mismatch", tensor=tensor.label, needed=needed, given=given)

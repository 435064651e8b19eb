"""Where every byte of a safetensors file that is to be written will lie; the same input gives the same bytes."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from app.errors import WeightFileError
from app.weightfiles.file_header import MAX_TENSORS, element_count
from app.weightfiles.safetensors_header import LENGTH_BYTES, MAX_HEADER_BYTES, METADATA
from app.weightfiles.storage_types import BY_FORMAT
from app.weightfiles.strict_json import shown

HEADER_ALIGNMENT = 8


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """A tensor to be written: its name, the name of its format, and its shape."""

    name: str
    format: str
    shape: tuple[int, ...]

    @property
    def bytes(self) -> int:
        return element_count(self.shape) * BY_FORMAT[self.format].bits // 8


@dataclass(frozen=True, slots=True)
class SafetensorsLayout:
    """The first bytes of the file (length and JSON), where each tensor begins, and the file's length."""

    head: bytes
    begins: Mapping[str, int]
    file_bytes: int


def lay_out(tensors: Iterable[StoredTensor], metadata: Mapping[str, str]) -> SafetensorsLayout:
    """Lays tensors out in the given order, but wide elements before narrow ones.

    That keeps each tensor aligned to its elements for programs that map the file, although the container allows no
    padding between tensors.

    Raises:
        WeightFileError: `safetensors.written-twice`, or `safetensors.too-large-to-write`.
    """
    ordered = sorted(tensors, key=lambda tensor: -BY_FORMAT[tensor.format].alignment)
    document: dict[str, object] = {METADATA: dict(sorted(metadata.items()))} if metadata else {}
    offsets: dict[str, int] = {}
    end = 0
    for tensor in ordered:
        if tensor.name in offsets:
            raise WeightFileError("safetensors.written-twice", tensor=shown(tensor.name))
        offsets[tensor.name] = end
        end += tensor.bytes
        document[tensor.name] = {
            "dtype": BY_FORMAT[tensor.format].name,
            "shape": list(tensor.shape),
            "data_offsets": [offsets[tensor.name], end],
        }
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    text += b" " * (-len(text) % HEADER_ALIGNMENT)
    if len(text) > MAX_HEADER_BYTES or len(offsets) > MAX_TENSORS:
        raise WeightFileError("safetensors.too-large-to-write", tensors=len(offsets), bytes=len(text))
    data_begin = LENGTH_BYTES + len(text)
    head = len(text).to_bytes(LENGTH_BYTES, "little") + text
    return SafetensorsLayout(head, {name: data_begin + offset for name, offset in offsets.items()}, data_begin + end)

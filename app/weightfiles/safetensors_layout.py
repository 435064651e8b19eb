"""Where every byte of a safetensors file that is to be written will lie; the same input gives the same bytes."""

import json
from collections.abc import Iterable, Mapping

from app.errors import WeightFileError
from app.weightfiles.file_header import MAX_TENSORS
from app.weightfiles.file_layout import FileLayout, StoredTensor
from app.weightfiles.safetensors_header import LENGTH_BYTES, MAX_HEADER_BYTES, METADATA
from app.weightfiles.strict_json import shown

HEADER_ALIGNMENT = 8


def lay_out(tensors: Iterable[StoredTensor], metadata: Mapping[str, str]) -> FileLayout:
    """Lays tensors out in the given order, but wide elements before narrow ones.

    That keeps each tensor aligned to its elements for programs that map the file, although the container allows no
    padding between tensors.

    Raises:
        WeightFileError: `safetensors.written-twice`, or `safetensors.too-large-to-write`.
    """
    ordered = sorted(tensors, key=lambda tensor: -tensor.type.alignment)
    document: dict[str, object] = {METADATA: dict(sorted(metadata.items()))} if metadata else {}
    offsets: dict[str, int] = {}
    end = 0
    for tensor in ordered:
        if tensor.name in offsets:
            raise WeightFileError("safetensors.written-twice", tensor=shown(tensor.name))
        offsets[tensor.name] = end
        end += tensor.bytes
        document[tensor.name] = {
            "dtype": tensor.type.name,
            "shape": list(tensor.shape),
            "data_offsets": [offsets[tensor.name], end],
        }
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    text += b" " * (-len(text) % HEADER_ALIGNMENT)
    if len(text) > MAX_HEADER_BYTES or len(offsets) > MAX_TENSORS:
        raise WeightFileError("safetensors.too-large-to-write", tensors=len(offsets), bytes=len(text))
    data_begin = LENGTH_BYTES + len(text)
    head = len(text).to_bytes(LENGTH_BYTES, "little") + text
    return FileLayout(head, {name: data_begin + offset for name, offset in offsets.items()}, data_begin + end)

"""Where every byte of an ONNX model that is to be written will lie: one file, all tensors inside it.

What is not weights is a frame of bytes that is written as it is; initializers come last in the graph, and the graph
last in the model, so each tensor's bytes follow a few fields of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from app.errors import WeightFileError
from app.weightfiles.file_header import MAX_TENSORS
from app.weightfiles.file_layout import FileLayout, StoredTensor
from app.weightfiles.onnx_messages import before_raw_data
from app.weightfiles.protobuf_writing import opening
from app.weightfiles.strict_json import shown

MOST_BYTES = (1 << 31) - 1
"""Of one protobuf message."""
_GRAPH, _INITIALIZER = 7, 5


@dataclass(frozen=True, slots=True)
class ModelFrame:
    """A model without its initializers."""

    model: bytes
    """Fields of the ModelProto but the graph."""
    graph: bytes
    """Fields of the GraphProto."""


def lay_out(tensors: Sequence[StoredTensor], frame: ModelFrame) -> FileLayout:
    """Lays the tensors out in the given order behind the frame.

    Raises:
        WeightFileError: `onnx.written-twice`, `onnx.too-many-to-write`, `onnx.too-large-to-write`.
    """
    if len(tensors) > MAX_TENSORS:
        raise WeightFileError("onnx.too-many-to-write", tensors=len(tensors), limit=MAX_TENSORS)
    befores = []
    for tensor in tensors:
        before = before_raw_data(tensor)
        befores.append(opening(_INITIALIZER, len(before) + tensor.bytes) + before)
    data_bytes = sum(tensor.bytes for tensor in tensors)
    graph_bytes = len(frame.graph) + sum(map(len, befores)) + data_bytes
    start = frame.model + opening(_GRAPH, graph_bytes) + frame.graph
    file_bytes = len(start) + sum(map(len, befores)) + data_bytes
    if file_bytes > MOST_BYTES:
        raise WeightFileError("onnx.too-large-to-write", bytes=file_bytes, limit=MOST_BYTES)
    begins: dict[str, int] = {}
    inner: list[tuple[int, bytes]] = []
    position = len(start)
    for index, (tensor, before) in enumerate(zip(tensors, befores, strict=True)):
        if tensor.name in begins:
            raise WeightFileError("onnx.written-twice", tensor=shown(tensor.name))
        if index:
            inner.append((position, before))
        position += len(before)
        begins[tensor.name] = position
        position += tensor.bytes
    return FileLayout(start + b"".join(befores[:1]), begins, file_bytes, tuple(inner))

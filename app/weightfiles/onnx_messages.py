"""Messages of an ONNX model as bytes (onnx.proto): nodes, values, operator sets, and what stands before a tensor."""

from collections.abc import Mapping, Sequence

from app.weightfiles.file_layout import StoredTensor
from app.weightfiles.onnx_types import ONNX_TYPES
from app.weightfiles.protobuf_writing import bytes_field, number_field, opening, text_field

MICROSOFT = "com.microsoft"
"""The domain of onnxruntime's own operators."""
TYPE_NUMBERS = {kind.format: number for number, kind in ONNX_TYPES.items()}
"""Of element types, by the names of our formats."""
_INTEGER_ATTRIBUTE = 2


def node(
    operator: str,
    inputs: Sequence[str],
    output: str,
    attributes: Mapping[str, int] | None = None,
    *,
    domain: str = "",
    name: str = "",
) -> bytes:
    """A NodeProto whose attributes are integers."""
    parts = [text_field(1, each) for each in inputs]
    parts.append(text_field(2, output))
    parts.append(text_field(3, name or f"{output}/{operator}"))
    parts.append(text_field(4, operator))
    for key, value in (attributes or {}).items():
        attribute = text_field(1, key) + number_field(3, value) + number_field(20, _INTEGER_ATTRIBUTE)
        parts.append(bytes_field(5, attribute))
    if domain:
        parts.append(text_field(7, domain))
    return b"".join(parts)


def value_info(name: str, number_format: str, shape: Sequence[int]) -> bytes:
    """A ValueInfoProto: the name, element type and shape of an output."""
    dimensions = b"".join(bytes_field(1, number_field(1, dimension)) for dimension in shape)
    tensor = number_field(1, TYPE_NUMBERS[number_format]) + bytes_field(2, dimensions)
    return text_field(1, name) + bytes_field(2, bytes_field(1, tensor))


def operator_set(domain: str, version: int) -> bytes:
    """An OperatorSetIdProto."""
    return (text_field(1, domain) if domain else b"") + number_field(2, version)


def pair(key: str, value: str) -> bytes:
    """A StringStringEntryProto."""
    return text_field(1, key) + text_field(2, value)


def before_raw_data(tensor: StoredTensor) -> bytes:
    """All fields of a TensorProto but the raw data itself, which ends the message."""
    dimensions = b"".join(number_field(1, dimension) for dimension in tensor.shape)
    kind = number_field(2, TYPE_NUMBERS[tensor.format])
    return dimensions + kind + text_field(8, tensor.name) + opening(9, tensor.bytes)

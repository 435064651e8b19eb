"""The nodes of an ONNX graph that turn quantized initializers into numbers: which initializers, and how."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from app.weightfiles.file_header import MAX_NAME_BYTES
from app.weightfiles.onnx_tensor import read_text
from app.weightfiles.protobuf_fields import VARINT, Field, FieldReader, signed

OPERATORS = frozenset({"Cast", "DequantizeLinear", "MatMulNBits"})
MOST_NODES = 20_000
"""So many are looked at; weights of the others are what is stored."""
_MOST_FIELDS = 64
"""Of a node: those that we look for have a dozen."""
_INPUT, _OUTPUT, _OPERATOR, _ATTRIBUTE = 1, 2, 4, 5
_NAME, _WHOLE = 1, 3


@dataclass(frozen=True, slots=True)
class QuantizerNode:
    """One node."""

    operator: str
    inputs: tuple[str, ...]
    """Names of tensors, empty for those that are left out."""
    attributes: Mapping[str, int] = field(default_factory=dict)
    """The whole numbers."""
    output: str = ""
    """The name of what the node gives."""


def read_quantizer(reader: FieldReader, node: Field) -> QuantizerNode | None:
    """What the node says, or None where it is another.

    Raises:
        WeightFileError: `onnx.*`, it is not well-formed.
    """
    fields: list[Field] = []
    for each in reader.fields(node.begin, node.end):
        if len(fields) == _MOST_FIELDS:
            return None
        fields.append(each)
    operators = [each for each in fields if each.number == _OPERATOR]
    if len(operators) != 1 or operators[0].bytes > max(map(len, OPERATORS)):
        return None
    operator = read_text(reader, operators[0], MAX_NAME_BYTES)
    inputs, outputs = ([each for each in fields if each.number == number] for number in (_INPUT, _OUTPUT))
    if operator not in OPERATORS or any(each.bytes > MAX_NAME_BYTES for each in (*inputs, *outputs)):
        return None
    attributes = dict(_attributes(reader, (each for each in fields if each.number == _ATTRIBUTE)))
    names = tuple(read_text(reader, each, MAX_NAME_BYTES) for each in inputs)
    output = read_text(reader, outputs[0], MAX_NAME_BYTES) if outputs else ""
    return QuantizerNode(operator, names, attributes, output)


def _attributes(reader: FieldReader, messages: Iterable[Field]) -> Iterable[tuple[str, int]]:
    for message in messages:
        name, value = "", None
        for count, each in enumerate(reader.fields(message.begin, message.end)):
            if count == _MOST_FIELDS:
                break
            if each.number == _NAME and each.bytes <= MAX_NAME_BYTES:
                name = read_text(reader, each, MAX_NAME_BYTES)
            elif each.number == _WHOLE and each.wire == VARINT:
                value = signed(each.value)
        if value is not None:
            yield name, value

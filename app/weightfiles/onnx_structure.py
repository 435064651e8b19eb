"""Whether the messages of an ONNX model that hold no weights are well-formed, as its owner's parser would find.

Nothing is built; a stack stands for recursion. Large models have millions of fields of no interest here: those that do
not lead to another graph are followed only while the budget is plentiful.
"""

import re
from collections.abc import Iterator

from app.errors import WeightFileError
from app.weightfiles.protobuf_fields import LENGTH_DELIMITED, MAX_FIELDS, Field, FieldReader

MAX_DEPTH = 96
"""Of messages inside messages; protobuf's own parsers stop at 100."""
MAX_CHECKED_NUMBERS = 1 << 20
"""Bytes of packed numbers that are looked through."""
_PLENTY = MAX_FIELDS // 2

FLOATS, DOUBLES, VARINTS = "packed float", "packed double", "packed varint"
_ITEM_BYTES = {FLOATS: 4, DOUBLES: 8, VARINTS: 1}
_LONG_VARINT = re.compile(rb"[\x80-\xff]{10}")
_LEAD_TO_GRAPHS = {"GraphProto", "NodeProto", "AttributeProto", "FunctionProto", "TrainingInfoProto"}
_PAIR = "StringStringEntryProto"
_INITIALIZER_DEPTH = 2

# Message -> number of a field -> what it holds, of fields that hold messages or packed numbers (onnx.proto).
MESSAGES: dict[str, dict[int, str]] = {
    "ModelProto": {
        7: "GraphProto",
        8: "OperatorSetIdProto",
        14: _PAIR,
        20: "TrainingInfoProto",
        25: "FunctionProto",
        26: "DeviceConfigurationProto",
    },
    "GraphProto": {
        1: "NodeProto",
        5: "TensorProto",
        11: "ValueInfoProto",
        12: "ValueInfoProto",
        13: "ValueInfoProto",
        14: "TensorAnnotation",
        15: "SparseTensorProto",
        16: _PAIR,
    },
    "NodeProto": {5: "AttributeProto", 9: _PAIR, 10: "NodeDeviceConfigurationProto"},
    "AttributeProto": {
        5: "TensorProto",
        6: "GraphProto",
        7: FLOATS,
        8: VARINTS,
        10: "TensorProto",
        11: "GraphProto",
        14: "TypeProto",
        15: "TypeProto",
        22: "SparseTensorProto",
        23: "SparseTensorProto",
    },
    "TensorProto": {
        1: VARINTS,
        3: "Segment",
        4: FLOATS,
        5: VARINTS,
        7: VARINTS,
        10: DOUBLES,
        11: VARINTS,
        13: _PAIR,
        16: _PAIR,
    },
    "SparseTensorProto": {1: "TensorProto", 2: "TensorProto", 3: VARINTS},
    "ValueInfoProto": {2: "TypeProto", 4: _PAIR},
    "TypeProto": {1: "Tensor", 4: "Sequence", 5: "Map", 7: "Opaque", 8: "SparseTensor", 9: "Optional"},
    "Tensor": {2: "TensorShapeProto"},
    "SparseTensor": {2: "TensorShapeProto"},
    "TensorShapeProto": {1: "Dimension"},
    "Sequence": {1: "TypeProto"},
    "Map": {2: "TypeProto"},
    "Optional": {1: "TypeProto"},
    "TensorAnnotation": {2: _PAIR},
    "TrainingInfoProto": {1: "GraphProto", 2: "GraphProto", 3: _PAIR, 4: _PAIR},
    "FunctionProto": {7: "NodeProto", 9: "OperatorSetIdProto", 11: "AttributeProto", 12: "ValueInfoProto", 14: _PAIR},
    "NodeDeviceConfigurationProto": {2: "ShardingSpecProto"},
    "ShardingSpecProto": {2: VARINTS, 3: "IntIntListEntryProto", 4: "ShardedDimProto"},
    "IntIntListEntryProto": {2: VARINTS},
    "ShardedDimProto": {2: "SimpleShardedDimProto"},
}


class StructureCheck:
    """Looks through a ModelProto; the initializers of its graph are left to their own reader."""

    def __init__(self, reader: FieldReader) -> None:
        self._reader = reader
        self._numbers_left = MAX_CHECKED_NUMBERS

    def run(self, begin: int, end: int) -> None:
        """Refuses messages that cannot be parsed, or are nested deeper than any model needs.

        Raises:
            WeightFileError: `onnx.depth`, or what `FieldReader` refuses.
        """
        stack = [(self._reader.fields(begin, end), "ModelProto")]
        while stack:
            fields, message = stack[-1]
            inner = self._next_message(fields, message, len(stack))
            if inner is None:
                stack.pop()
                continue
            if len(stack) > MAX_DEPTH:
                raise WeightFileError("onnx.depth", limit=MAX_DEPTH)
            stack.append(inner)

    def _next_message(self, fields: Iterator[Field], message: str, depth: int) -> tuple[Iterator[Field], str] | None:
        """The next message inside one that is to be looked into; None at its end."""
        held = MESSAGES.get(message, {})
        for each in fields:
            kind = held.get(each.number)
            if kind is None or (kind == "TensorProto" and depth == _INITIALIZER_DEPTH):
                continue
            if kind in _ITEM_BYTES:
                self._check_numbers(each, kind)
                continue
            if each.wire != LENGTH_DELIMITED:
                raise WeightFileError("onnx.wire-type", position=each.begin)
            if kind in _LEAD_TO_GRAPHS or self._reader.left > _PLENTY:
                return self._reader.fields(each.begin, each.end), kind
        return None

    def _check_numbers(self, each: Field, kind: str) -> None:
        """Packed numbers must be whole ones, as far as the budget goes."""
        rest = each.bytes % _ITEM_BYTES[kind]
        if rest:
            raise WeightFileError("onnx.cut", position=each.end, missing=_ITEM_BYTES[kind] - rest)
        if kind == VARINTS and 0 < each.bytes <= self._numbers_left:
            self._numbers_left -= each.bytes
            numbers = self._reader.contents(each)
            if numbers[-1] >= 0x80 or _LONG_VARINT.search(numbers):
                raise WeightFileError("onnx.varint", position=each.begin)

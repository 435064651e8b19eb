"""An ONNX model's own graph, for writing the model again: every field but the weights as the bytes that it is."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from app.errors import WeightFileError
from app.weightfiles.byte_ranges import ByteRanges, read_exactly
from app.weightfiles.onnx_tensor import read_tensor, read_text
from app.weightfiles.protobuf_fields import VARINT, Field, FieldReader, signed
from app.weightfiles.protobuf_writing import bytes_field

MOST_FRAME_BYTES = 64 << 20
"""Of all that is not weights: it is held in memory."""
_MOST_TEXT = 1 << 16
_IR_VERSION, _GRAPH, _OPSET, _TRAINING = 1, 7, 8, 20
_NODE, _INITIALIZER, _INPUT, _OUTPUT = 1, 5, 11, 12
_GRAPH_ATTRIBUTES = frozenset({6, 11})


@dataclass(frozen=True, slots=True)
class GraphNode:
    """A node of the main graph."""

    operator: str
    domain: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, int]
    """The whole numbers."""
    has_graphs: bool
    """Whether it holds graphs of its own, whose nodes may use whatever the main graph has."""


@dataclass(frozen=True, slots=True)
class GraphField:
    """One field of the graph but the weights, with tag and length."""

    number: int
    content: bytes
    node: GraphNode | None = None
    value: str = ""
    """The name of an input or output of the graph."""

    @property
    def is_input(self) -> bool:
        """Of the graph."""
        return self.number == _INPUT

    @property
    def is_output(self) -> bool:
        """Of the graph."""
        return self.number == _OUTPUT


@dataclass(frozen=True, slots=True)
class OnnxModel:
    """A model without its weights."""

    ir_version: int
    opsets: Mapping[str, int]
    opset_fields: bytes
    other_fields: bytes
    """Of the ModelProto: what is neither version, operator set nor graph."""
    graph: tuple[GraphField, ...]
    has_training: bool
    """Whether it says how to train it, which names weights too."""

    @property
    def nodes(self) -> Iterator[GraphNode]:
        """Of the main graph, in their order."""
        return (each.node for each in self.graph if each.node is not None)

    def frame(self, dropped_inputs: Collection[str], replaced: Mapping[int, bytes]) -> bytes:
        """The graph's fields, without inputs of those names, and nodes by their index replaced by others."""
        parts: list[bytes] = []
        index = 0
        for each in self.graph:
            content = each.content
            if each.node is not None:
                content = bytes_field(_NODE, replaced[index]) if index in replaced else content
                index += 1
            if not (each.is_input and each.value in dropped_inputs):
                parts.append(content)
        return b"".join(parts)


def read_model(ranges: ByteRanges) -> OnnxModel:
    """A model whose header has been read, for writing it again.

    Raises:
        WeightFileError: `onnx.frame-too-large`, and `onnx.*` for a broken rule.
    """
    return _Reading(ranges).model()


class _Reading:
    def __init__(self, ranges: ByteRanges) -> None:
        self._ranges = ranges
        self._reader = FieldReader(ranges)
        self._left = MOST_FRAME_BYTES

    def model(self) -> OnnxModel:
        ir_version, has_training = 0, False
        opsets: dict[str, int] = {}
        opset_fields: list[bytes] = []
        others: list[bytes] = []
        graph: tuple[GraphField, ...] = ()
        for begin, each in self._spans(0, self._ranges.size):
            if each.number == _IR_VERSION:
                ir_version = signed(each.value)
            elif each.number == _GRAPH:
                graph = tuple(self._graph(each))
            elif each.number == _OPSET:
                domain, version = self._opset(each)
                opsets[domain] = version
                opset_fields.append(self._raw(begin, each))
            else:
                has_training |= each.number == _TRAINING
                others.append(self._raw(begin, each))
        return OnnxModel(ir_version, opsets, b"".join(opset_fields), b"".join(others), graph, has_training)

    def _graph(self, graph: Field) -> Iterator[GraphField]:
        for begin, each in self._spans(graph.begin, graph.end):
            if each.number == _INITIALIZER and not read_tensor(self._reader, each).is_text:
                continue
            content = self._raw(begin, each)
            if each.number == _NODE:
                yield GraphField(each.number, content, self._node(each))
            elif each.number in {_INPUT, _OUTPUT}:
                yield GraphField(each.number, content, value=self._text_of(each, 1))
            else:
                yield GraphField(each.number, content)

    def _spans(self, begin: int, end: int) -> Iterator[tuple[int, Field]]:
        """Each field with where its tag begins."""
        for each in self._reader.fields(begin, end):
            yield begin, each
            begin = each.end

    def _raw(self, begin: int, each: Field) -> bytes:
        self._left -= each.end - begin
        if self._left < 0:
            raise WeightFileError("onnx.frame-too-large", limit=MOST_FRAME_BYTES)
        return read_exactly(self._ranges, begin, each.end - begin)

    def _node(self, node: Field) -> GraphNode:
        texts: dict[int, list[str]] = {1: [], 2: [], 3: [], 4: [], 7: []}
        attributes: dict[str, int] = {}
        has_graphs = False
        for each in self._reader.fields(node.begin, node.end):
            if each.number in texts:
                texts[each.number].append(read_text(self._reader, each, _MOST_TEXT))
            elif each.number == 5:
                fields = list(self._reader.fields(each.begin, each.end))
                has_graphs |= any(inner.number in _GRAPH_ATTRIBUTES for inner in fields)
                values = [inner.value for inner in fields if inner.number == 3 and inner.wire == VARINT]
                if values:
                    attributes[self._text_of(each, 1)] = signed(values[-1])
        name, operator, domain = ((texts[number] or [""])[-1] for number in (3, 4, 7))
        return GraphNode(operator, domain, name, tuple(texts[1]), tuple(texts[2]), attributes, has_graphs)

    def _text_of(self, message: Field, number: int) -> str:
        found = ""
        for each in self._reader.fields(message.begin, message.end):
            if each.number == number:
                found = read_text(self._reader, each, _MOST_TEXT)
        return found

    def _opset(self, message: Field) -> tuple[str, int]:
        version = 0
        for each in self._reader.fields(message.begin, message.end):
            version = signed(each.value) if each.number == 2 else version
        return self._text_of(message, 1), version

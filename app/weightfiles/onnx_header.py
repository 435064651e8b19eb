"""The reader of ONNX models: their initializers as tensors, through our own walk over the fields (onnx.proto).

The graph is never built; what is in it beside initializers is only checked to be well-formed.
"""

from typing import Any

from app.errors import WeightFileError
from app.weightfiles.byte_ranges import ByteRanges
from app.weightfiles.file_header import MAX_TENSORS, FileHeader
from app.weightfiles.onnx_contents import OnnxContents
from app.weightfiles.onnx_nodes import MOST_NODES, QuantizerNode, read_quantizer
from app.weightfiles.onnx_structure import StructureCheck
from app.weightfiles.onnx_tensor import read_pair, read_tensor, read_text
from app.weightfiles.protobuf_fields import LENGTH_DELIMITED, VARINT, Field, FieldReader, signed
from app.weightfiles.strict_json import shown

_MAX_TEXT_BYTES = 1 << 20
_MAX_PROPERTIES = 4096
_MAX_METADATA_BYTES = 16 << 20

_IR_VERSION, _GRAPH, _OPSET, _PROPERTIES = 1, 7, 8, 14
_TEXTS = {2: "producer_name", 3: "producer_version", 4: "domain", 6: "doc_string"}
_METADATA = {_OPSET, _PROPERTIES, *_TEXTS}
_WIRES = {1: VARINT, 5: VARINT} | dict.fromkeys((2, 3, 4, 6, 7, 8, 14, 20, 25, 26), LENGTH_DELIMITED)
"""The fields of a ModelProto and how each is written."""
_NODE, _INITIALIZER, _SPARSE_INITIALIZER = 1, 5, 15
_ONE_BYTE = 0x80


def looks_like_onnx(start: bytes) -> bool:
    """Whether the first bytes are the first fields of a ModelProto: an ir_version, then nothing but its other fields.

    The graph or an operator set must come into sight: the first two bytes alone could be anything.
    """
    if start[:1] != b"\x08" or not 0 < (start[1] if len(start) > 1 else 0) < _ONE_BYTE:
        return False
    position = 2
    while position + 1 < len(start):
        number, wire = start[position] >> 3, start[position] & 7
        if start[position] >= _ONE_BYTE or _WIRES.get(number) != wire or number == _IR_VERSION:
            return False
        if number in {_GRAPH, _OPSET}:
            return True
        length = start[position + 1]
        if length >= _ONE_BYTE:  # a long text: what follows it is beyond judging
            return number in _TEXTS
        position += 2 + (length if wire == LENGTH_DELIMITED else 0)
    return False


def read_header(ranges: ByteRanges) -> FileHeader:
    """The checked header of an ONNX model: one tensor for each initializer of its graph.

    Raises:
        WeightFileError: `onnx.*` and `tensor.*` for a broken rule.
    """
    reader = FieldReader(ranges)
    graph: Field | None = None
    metadata: dict[str, Any] = {}
    texts = 0
    for each in reader.fields(0, ranges.size):
        if each.number in _WIRES and each.wire != _WIRES[each.number]:
            raise WeightFileError("onnx.wire-type", position=each.begin)
        if each.number == _GRAPH:
            if graph is not None:
                raise WeightFileError("onnx.field-twice", field=_GRAPH, position=each.begin)
            graph = each
        else:
            texts += each.bytes if each.number in _METADATA else 0
            if texts > _MAX_METADATA_BYTES:
                raise WeightFileError("onnx.text-too-long", position=each.begin, bytes=texts, limit=_MAX_METADATA_BYTES)
            _take_metadata(reader, each, metadata)
    if graph is None:
        raise WeightFileError("onnx.no-graph")
    header = _read_graph(ranges, reader, graph, metadata)
    StructureCheck(reader).run(0, ranges.size)
    return header


def _read_graph(ranges: ByteRanges, reader: FieldReader, graph: Field, metadata: dict[str, Any]) -> FileHeader:
    contents = OnnxContents(reader)
    names: set[str] = set()
    texts = nodes = 0
    quantizers: list[QuantizerNode] = []
    for each in reader.fields(graph.begin, graph.end):
        if each.number == _SPARSE_INITIALIZER:
            raise WeightFileError("onnx.sparse")
        if each.number == _NODE and nodes < MOST_NODES:
            nodes += 1
            quantizer = read_quantizer(reader, each)
            quantizers += [] if quantizer is None else [quantizer]
        if each.number == _INITIALIZER:
            tensor = read_tensor(reader, each)
            if tensor.name in names:
                raise WeightFileError("onnx.tensor-twice", tensor=tensor.label)
            if len(names) == MAX_TENSORS:
                raise WeightFileError("onnx.too-many-tensors", limit=MAX_TENSORS)
            names.add(tensor.name)
            texts += tensor.is_text
            if not tensor.is_text:
                contents.add(tensor, each)
    if not names:
        raise WeightFileError("onnx.no-tensors")
    tensors, extra_parts = contents.finish()
    details: dict[str, Any] = {"text_tensors": texts} if texts else {}
    if quantizers:
        details["quantizers"] = tuple(quantizers)
    return FileHeader("onnx", tensors, metadata, ranges.size, details, extra_parts)


def _take_metadata(reader: FieldReader, each: Field, metadata: dict[str, Any]) -> None:
    if each.number == _IR_VERSION:
        if "ir_version" in metadata:
            raise WeightFileError("onnx.field-twice", field=_IR_VERSION, position=each.begin)
        metadata["ir_version"] = signed(each.value)
    elif each.number in _TEXTS:
        metadata[_TEXTS[each.number]] = read_text(reader, each, _MAX_TEXT_BYTES)
    elif each.number == _OPSET:
        domain, version = _opset(reader, each)
        _bounded(metadata, "opset_import")[domain] = version
    elif each.number == _PROPERTIES:
        key, value = read_pair(reader, each, _MAX_TEXT_BYTES)
        _bounded(metadata, "metadata_props")[key] = value


def _bounded(metadata: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = metadata.setdefault(name, {})
    if len(found) == _MAX_PROPERTIES:
        raise WeightFileError("onnx.too-many-properties", name=shown(name), limit=_MAX_PROPERTIES)
    return found


def _opset(reader: FieldReader, message: Field) -> tuple[str, int]:
    domain, version = "", 0
    for each in reader.fields(message.begin, message.end):
        if each.number == 1:
            domain = read_text(reader, each, _MAX_TEXT_BYTES)
        elif each.number == 2:
            version = signed(each.value)
    return domain, version

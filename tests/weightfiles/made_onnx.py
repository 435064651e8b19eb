"""ONNX models made field by field, and what onnx's own library reads in one."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from app.weightfiles.range_reader import WeightFile


def varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def field(number: int, content: int | bytes) -> bytes:
    if isinstance(content, int):
        return varint(number << 3) + varint(content)
    return varint(number << 3 | 2) + varint(len(content)) + content


def tensor(name: bytes = b"a", dims: tuple[int, ...] = (1,), data_type: int = 1, *more: bytes) -> bytes:
    """The fields of a TensorProto."""
    return b"".join(field(1, dim) for dim in dims) + field(2, data_type) + field(8, name) + b"".join(more)


def model(*initializers: bytes, graph: bytes = b"") -> bytes:
    return field(1, 10) + field(7, b"".join(field(5, each) for each in initializers) + graph) + field(8, field(2, 21))


ONE = field(9, b"\0\0\x80\x3f")
"""raw_data of one float32: 1.0."""


def external(**entries: str) -> bytes:
    """A tensor's fields that say where in another file its bytes are."""
    pairs = [field(13, field(1, key.encode()) + field(2, value.encode())) for key, value in entries.items()]
    return b"".join(pairs) + field(14, 1)


def model_of(*tensors: TensorProto) -> onnx.ModelProto:
    graph = helper.make_graph([], "g", [], [], list(tensors))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)])


def ours(path: Path) -> dict[str, tuple[str, tuple[int, ...], bytes]]:
    """Type, shape and bytes of every tensor."""
    found = {}
    with WeightFile(path) as file:
        for entry in file.header.tensors:
            content = bytearray(entry.bytes)
            file.read_into(memoryview(content), entry.begin, entry.part)
            found[entry.name] = (entry.type.name, entry.shape, bytes(content))
    return found


def theirs(path: Path) -> Mapping[str, tuple[str, tuple[int, ...], bytes]]:
    """The same of onnx's library; sub-byte elements packed again from its unpacked ones."""
    loaded = onnx.load(path)
    found = {}
    for each in loaded.graph.initializer:
        if each.data_type == TensorProto.STRING:
            continue
        array = numpy_helper.to_array(each, str(path.parent))
        bits = BITS.get(TensorProto.DataType.Name(each.data_type))
        content = array.tobytes() if bits is None else packed(array, bits)
        found[each.name] = (TensorProto.DataType.Name(each.data_type), tuple(each.dims), content)
    return found


BITS = {"UINT4": 4, "INT4": 4, "FLOAT4E2M1": 4, "UINT2": 2, "INT2": 2, "FLOAT6E2M3": 6, "FLOAT6E3M2": 6}


def packed(array: np.ndarray, bits: int) -> bytes:
    codes = array.ravel().view(np.uint8) & ((1 << bits) - 1)
    stream = np.unpackbits(codes[:, None], axis=1, count=bits, bitorder="little").ravel()
    return np.packbits(stream, bitorder="little").tobytes()

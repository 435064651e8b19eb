"""Every rule of the ONNX reader, broken once; and whatever it accepts of mutated models, onnx's library accepts too."""

import os
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from app.errors import WeightFileError
from app.weightfiles.checking import check_file
from app.weightfiles.onnx_structure import DOUBLES, FLOATS, MESSAGES, VARINTS
from app.wording import Language, say
from tests.weightfiles.made_onnx import ONE, external, field, model, model_of, ours, tensor, theirs, varint

GOOD = model(tensor(b"a", (1,), 1, ONE))
FOUR = b"\0\0\x80\x3f"


def nested(depth: int) -> bytes:
    """A graph whose one node has a graph whose one node has a graph."""
    graph = b""
    for _ in range(depth):
        graph = field(1, field(5, field(6, graph)))
    return graph


BROKEN = {
    # In another file.
    "a path upwards": (model(tensor(b"a", (1,), 1, external(location="../../../../etc/passwd"))), "external-path"),
    "an absolute path": (model(tensor(b"a", (1,), 1, external(location="/etc/passwd"))), "external-path"),
    "a folder below": (model(tensor(b"a", (1,), 1, external(location="b/c"))), "external-path"),
    "a drive": (model(tensor(b"a", (1,), 1, external(location="C:x"))), "external-path"),
    "a NUL": (model(tensor(b"a", (1,), 1, external(location="x\0y"))), "external-path"),
    "no place": (model(tensor(b"a", (1,), 1, external(offset="0"))), "external-path"),
    "two dots": (model(tensor(b"a", (1,), 1, external(location=".."))), "external-path"),
    "an offset of 2^62": (model(tensor(b"a", (1,), 1, external(location="d", offset=str(1 << 62)))), "external-number"),
    "an offset of 2^59": (model(tensor(b"a", (1,), 1, external(location="d", offset=str(1 << 59)))), "external-short"),
    "a length of 2^40": (model(tensor(b"a", (1,), 1, external(location="d", length=str(1 << 40)))), "size-mismatch"),
    "all of 2^40": (model(tensor(b"a", (1 << 38,), 1, external(location="d", length=str(1 << 40)))), "external-short"),
    "a negative offset": (model(tensor(b"a", (1,), 1, external(location="d", offset="-4"))), "external-number"),
    "a negative length": (model(tensor(b"a", (1,), 1, external(location="d", length="-4"))), "external-number"),
    "an offset of 1e9": (model(tensor(b"a", (1,), 1, external(location="d", offset="1e9"))), "external-number"),
    "an offset of 0x10": (model(tensor(b"a", (1,), 1, external(location="d", offset="0x10"))), "external-number"),
    "an offset in other digits": (model(tensor(b"a", (1,), 1, external(location="d", offset="١"))), "external-number"),
    "an unknown key": (model(tensor(b"a", (1,), 1, external(location="d", __class__="x"))), "external-key"),
    "a base path": (model(tensor(b"a", (1,), 1, external(location="d", basepath="/etc"))), "external-key"),
    "a key twice": (model(tensor(b"a", (1,), 1, external(location="d"), external(location="e"))), "external-key"),
    "raw data as well": (model(tensor(b"a", (1,), 1, external(location="d"), ONE)), "two-contents"),
    "a place that is not meant": (model(tensor(b"a", (1,), 1, ONE, external(location="d")[:-2])), "two-contents"),
    "a missing file": (model(tensor(b"a", (1,), 1, external(location="nowhere"))), "external-missing"),
    "shared bytes": (
        model(*(tensor(name, (2,), 1, external(location="d", offset=at)) for name, at in ((b"a", "0"), (b"b", "4")))),
        "external-overlap",
    ),
    "a link": (model(tensor(b"a", (1,), 1, external(location="link"))), "folder.link"),
    "a hard link": (model(tensor(b"a", (1,), 1, external(location="second"))), "folder.link"),
    "a pipe": (model(tensor(b"a", (1,), 1, external(location="pipe"))), "file.unreadable"),
    "a kind of place of its own": (model(tensor(b"a", (1,), 1, field(14, 2))), "location"),
    # In the model.
    "raw data too short": (model(tensor(b"a", (2,), 1, ONE)), "size-mismatch"),
    "raw data too long": (model(tensor(b"a", (1,), 2, ONE)), "size-mismatch"),
    "no data": (model(tensor(b"a", (1,), 1)), "size-mismatch"),
    "data of an empty tensor": (model(tensor(b"a", (0,), 1, ONE)), "size-mismatch"),
    "a negative dimension": (model(tensor(b"a", (-4,), 1, ONE)), "tensor.dimension"),
    "dimensions that overflow": (model(tensor(b"a", (1 << 33, 1 << 33), 1, ONE)), "tensor.overflow"),
    "dimensions that overflow to one": (model(tensor(b"a", (1 << 32, 1 << 32), 1, ONE)), "tensor.overflow"),
    "a dimension of 2^63": (model(tensor(b"a", (1 << 63,), 1, ONE)), "tensor.dimension"),
    "200 000 dimensions": (model(tensor(b"a", (1,) * 200_000, 1, ONE)), "tensor.rank"),
    "200 000 packed dimensions": (model(tensor(b"a", (), 1, field(1, b"\1" * 200_000), ONE)), "tensor.rank"),
    "type 99": (model(tensor(b"a", (1,), 99, ONE)), "unknown-type"),
    "type 0": (model(tensor(b"a", (1,), 0, ONE)), "unknown-type"),
    "a negative type": (model(tensor(b"a", (1,), -1, ONE)), "unknown-type"),
    "two of one name": (model(tensor(b"a", (1,), 1, ONE), tensor(b"a", (1,), 1, ONE)), "tensor-twice"),
    "no name": (model(tensor(b"", (1,), 1, ONE)), "no-name"),
    "a name with a line feed": (model(tensor(b"a\nb", (1,), 1, ONE)), "tensor.name-control"),
    "a name that is no text": (model(tensor(b"\xff\xfe", (1,), 1, ONE)), "utf8"),
    "a name of 5 MB": (model(tensor(b"n" * 5_000_000, (1,), 1, ONE)), "text-too-long"),
    "raw data twice": (model(tensor(b"a", (1,), 1, ONE, ONE)), "field-twice"),
    "raw and typed data": (model(tensor(b"a", (1,), 1, ONE, field(4, FOUR))), "two-contents"),
    "a typed field of another type": (model(tensor(b"a", (1,), 1, field(5, b"\1"))), "wrong-field"),
    "numbers one by one": (model(tensor(b"a", (1,), 6, field(5, 1))), "not-packed"),
    "too few packed floats": (model(tensor(b"a", (2,), 1, field(4, FOUR))), "size-mismatch"),
    "too few packed numbers": (model(tensor(b"a", (3,), 7, field(7, b"\1\x80\1"))), "varint-count"),
    "too many packed numbers": (model(tensor(b"a", (1,), 7, field(7, b"\1\1"))), "varint-count"),
    "a number without an end": (model(tensor(b"a", (1,), 7, field(7, b"\x80"))), "varint-count"),
    "a number of 11 bytes": (model(tensor(b"a", (2,), 7, field(7, b"\x80" * 10 + b"\1\1"))), "varint-count"),
    "an endless number": (model(tensor(b"a", (1,), 7, field(7, b"\x80" * 1_000_000))), "too-many-varints"),
    "numbers for a terabyte": (model(tensor(b"a", (1 << 37,), 7, field(7, b"\1"))), "size-mismatch"),
    "a segment": (model(tensor(b"a", (1,), 1, ONE, field(3, b"\x08\0"))), "segment"),
    "a sparse tensor": (model(tensor(b"a", (1,), 1, ONE), graph=field(15, b"")), "sparse"),
    "5 000 graphs in each other": (model(tensor(b"a", (1,), 1, ONE), graph=nested(5000)), "depth"),
    "33 graphs in each other": (model(tensor(b"a", (1,), 1, ONE), graph=nested(32)), "depth"),
    "no initializers": (model(), "no-tensors"),
    "no graph": (field(1, 8) + field(8, field(2, 21)), "no-graph"),
    "two graphs": (GOOD + field(7, b""), "field-twice"),
    "two versions": (GOOD + field(1, 8), "field-twice"),
    "a graph that is a number": (field(1, 8) + field(8, b"") + field(7, 1), "wire-type"),
    "an initializer that is a number": (field(1, 8) + field(7, field(5, 1)), "wire-type"),
    "a node that is a number": (model(tensor(b"a", (1,), 1, ONE), graph=field(1, 1)), "wire-type"),
    "a name that is a number": (model(field(8, 1)), "wire-type"),
    "a type that is a text": (model(field(2, b"1")), "wire-type"),
    "a group": (GOOD + varint(30 << 3 | 3), "wire-type"),
    "field 0": (GOOD + b"\0\0", "wire-type"),
    "cut in a tensor": (GOOD[:12], "cut"),
    "cut in the last field": (GOOD[:-1], "cut"),
    "a length beyond the message": (field(1, 8) + varint(7 << 3 | 2) + varint(1 << 63), "cut"),
    "a length that leaves the graph": (
        field(1, 8) + field(7, varint(5 << 3 | 2) + varint(50)) + field(2, bytes(60)), "cut",
    ),
    "a tag of 11 bytes": (GOOD + b"\x80" * 11, "varint"),
    "a tag beyond 64 bits": (GOOD + b"\xff" * 9 + b"\x7f", "varint"),
    "100 001 tensors": (
        model(*(tensor(b"%d" % index, (0,)) for index in range(100_001))), "too-many-tensors",
    ),
    "2 000 000 fields": (model(graph=b"\x68\0" * 2_000_000), "too-many-fields"),
    "5 000 properties": (
        GOOD + b"".join(field(14, field(1, b"%d" % index)) for index in range(5000)), "too-many-properties",
    ),
    "twenty texts of 900 kB": (
        GOOD + b"".join(field(14, field(1, b"%d" % index) + field(2, b"x" * 900_000)) for index in range(20)),
        "text-too-long",
    ),
    "a text of 5 MB": (GOOD + field(6, b"x" * 5_000_000), "text-too-long"),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_rule_is_refused_by_its_code(tmp_path: Path, case: str) -> None:
    content, code = BROKEN[case]
    folder = tmp_path / "folder"
    folder.mkdir()
    (tmp_path / "secret").write_bytes(FOUR)
    (folder / "link").symlink_to("../secret")
    os.link(tmp_path / "secret", folder / "second")
    os.mkfifo(folder / "pipe")
    (folder / "d").write_bytes(bytes(64))
    path = folder / "model.onnx"
    path.write_bytes(content)
    started = time.process_time()
    with pytest.raises(WeightFileError) as caught:
        check_file(path)
    assert time.process_time() - started < 4
    assert caught.value.code == (code if "." in code else f"onnx.{code}")
    for language in Language:
        sentence = say(caught.value.code, caught.value.figures, language)
        assert len(sentence) < 600
        assert sentence.isprintable()


def test_the_messages_are_those_of_onnx() -> None:
    """Our table of what holds what, against the owner's descriptors."""
    from onnx.onnx_ml_pb2 import ModelProto

    kinds = {1: DOUBLES, 2: FLOATS}
    seen = {}
    left = [ModelProto.DESCRIPTOR]
    while left:
        message = left.pop()
        if message.name in seen:
            continue
        fields = {each.number: each.message_type for each in message.fields if each.message_type}
        numbers = {
            each.number: kinds.get(each.type, VARINTS)
            for each in message.fields
            if each.is_repeated and each.type in {1, 2, 3, 4, 5, 13}
        }
        seen[message.name] = {**{number: inner.name for number, inner in fields.items()}, **numbers}
        left += fields.values()
    assert {name: fields for name, fields in seen.items() if fields} == MESSAGES


def test_the_limits_themselves_are_accepted(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(model(tensor("é".encode() * 512, (1,) * 8, 1, ONE), graph=nested(31)))
    assert check_file(path).tensors == 1
    path.write_bytes(model(*(tensor(b"%d" % index, (0,)) for index in range(100_000))))
    assert check_file(path).tensors == 100_000


def test_nothing_of_a_sparse_terabyte_is_read(tmp_path: Path) -> None:
    size = 1 << 40
    path = tmp_path / "model.onnx"
    fields = field(2, 2) + field(1, size) + field(8, b"a") + varint(9 << 3 | 2) + varint(size)
    graph_size = len(fields) + size
    head = varint(5 << 3 | 2) + varint(graph_size)
    path.write_bytes(field(1, 8) + varint(7 << 3 | 2) + varint(len(head) + graph_size) + head + fields)
    os.truncate(path, path.stat().st_size + size)
    assert check_file(path).bytes == path.stat().st_size


def valid_models() -> list[bytes]:
    floats = numpy_helper.from_array(np.arange(6, dtype=np.float32).reshape(2, 3), "w")
    small = helper.make_tensor("small", TensorProto.INT64, [3], [1, -2, 300])
    nibbles = numpy_helper.from_array(np.array([1, 2, 3], np.uint8), "bytes")
    half = helper.make_tensor("half", TensorProto.FLOAT16, [2], [1.5, -2.0])
    typed = helper.make_tensor("typed", TensorProto.FLOAT, [2], [1.5, -2.0])
    return [
        each.SerializeToString() for each in (model_of(floats), model_of(floats, small, half), model_of(typed, nibbles))
    ]


VALID = valid_models()


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    content = bytearray(draw(st.sampled_from(VALID)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(len(content) - 1, 0)))
        match draw(st.sampled_from(["set", "delete", "insert", "repeat"])):
            case "set":
                content[at : at + 1] = bytes([draw(st.integers(0, 255))])
            case "delete":
                del content[at : at + draw(st.integers(1, 8))]
            case "insert":
                content[at:at] = draw(st.binary(max_size=6))
            case "repeat":
                content[at:at] = content[at : at + draw(st.integers(1, 30))]
    return bytes(content)


@given(content=mutated())
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_accepted_is_what_the_owner_reads(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    try:
        found = ours(path)
    except WeightFileError:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert theirs(path) == found

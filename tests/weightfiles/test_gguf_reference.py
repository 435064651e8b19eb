"""Our reader of GGUF beside gguf-py's: on files that its writer makes, and on what we accept of damaged ones."""

import json
import struct
from collections.abc import Iterator
from pathlib import Path

import gguf
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.errors import WeightFileError
from app.weightfiles.byte_ranges import LocalFile
from app.weightfiles.file_header import FileHeader
from app.weightfiles.gguf_header import read_header
from app.weightfiles.gguf_types import REMOVED_TYPES, TYPE_NUMBERS, TYPES
from app.weightfiles.memory_ranges import MemoryRanges
from app.weightfiles.range_reader import WeightFile
from app.weightfiles.tensor_reader import TensorReader
from tests.campaigns.fuzz_readers import READERS, campaign
from tests.oracles import ggml_library
from tests.oracles.ggml_files import read_file
from tests.weightfiles.made_gguf import ARRAY, STRING, array, entry, made, tensor, text, word

READABLE = [number for number in TYPES if TYPES[number].name != "Q8_1"]
"""gguf-py 0.19 has blocks of Q8_1 of 40 bytes; ggml has had 36 since 2023, and no file holds any."""

Found = dict[str, tuple[int, tuple[int, ...], bytes]]


def read_with_ours(path: Path) -> Found:
    with WeightFile(path) as file:
        reader = TensorReader(file)
        return {
            entry.name: (TYPE_NUMBERS[entry.type.name], entry.shape, bytes(reader.bytes(entry)))
            for entry in file.header.tensors
        }


def read_with_reference(path: Path) -> Found:
    return {
        each.name: (
            int(each.tensor_type), tuple(int(size) for size in reversed(each.shape)), each.data.tobytes(),
        )
        for each in gguf.GGUFReader(path).tensors
    }  # fmt: skip


def written(path: Path, alignment: int = 32, types: list[int] = READABLE) -> gguf.GGUFWriter:
    """A file with a tensor of each type, of random bytes."""
    chance = np.random.default_rng(alignment)
    writer = gguf.GGUFWriter(path, "llama")
    if alignment != 32:
        writer.add_custom_alignment(alignment)
    for number in types:
        kind = TYPES[number]
        shape = (2, 3, kind.bits // 8 * 2)
        writer.add_tensor(
            f"blk.{number}.weight",
            chance.integers(0, 256, shape, dtype=np.uint8),
            raw_shape=shape,
            raw_dtype=gguf.GGMLQuantizationType(number),
        )
    return writer


def closed(writer: gguf.GGUFWriter) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


@pytest.mark.parametrize("alignment", [8, 32, 64, 4096])
def test_every_type_is_read_as_gguf_py_reads_it(alignment: int, tmp_path: Path) -> None:
    path = tmp_path / "x.gguf"
    closed(written(path, alignment))
    ours = read_with_ours(path)
    assert len(ours) == len(READABLE)
    assert ours == read_with_reference(path)


@pytest.mark.parametrize("alignment", [8, 32, 65_536])
def test_headers_are_read_as_ggml_reads_them_in_c(alignment: int, tmp_path: Path) -> None:
    path = tmp_path / "x.gguf"
    closed(written(path, alignment))
    header, theirs = read_header(LocalFile(path)), read_file(path)
    assert theirs is not None
    assert theirs.alignment == header.details["alignment"] == alignment
    assert theirs.data_begin == header.details["data_begin"]
    assert theirs.keys == tuple(header.metadata)
    assert theirs.tensors == tuple(
        (each.name, TYPE_NUMBERS[each.type.name], each.begin, each.bytes) for each in header.tensors
    )


def test_a_file_without_its_magic_is_refused() -> None:
    with pytest.raises(WeightFileError, match=r"gguf\.magic"):
        read_header(MemoryRanges("x", b"GGUX" + made()[4:]))


def test_types_and_blocks_are_those_of_gguf_py_and_of_the_library_in_c() -> None:
    for number, kind in TYPES.items():
        theirs = gguf.GGMLQuantizationType(number)
        assert theirs.name == kind.name
        traits = ggml_library._library("ggml-base").ggml_get_type_traits(number).contents
        assert (traits.block, traits.bytes) == (kind.block_elements, kind.bits // 8)
        if kind.name != "Q8_1":
            assert gguf.GGML_QUANT_SIZES[theirs] == (kind.block_elements, kind.bits // 8)
    assert {int(each) for each in gguf.GGMLQuantizationType} == set(TYPES)
    for number in REMOVED_TYPES:
        assert ggml_library._library("ggml-base").ggml_get_type_traits(number).contents.block == 0


def test_all_kinds_of_metadata_are_told_as_json_has_them(tmp_path: Path) -> None:
    path = tmp_path / "x.gguf"
    writer = written(path, 32, [0])
    chat = "{{ ''.__class__.__mro__[1].__subclasses__() }}"
    told = {
        "u8": 200, "i8": -100, "u16": 60_000, "i16": -30_000, "u32": 4_000_000_000, "i32": -2_000_000_000,
        "u64": (1 << 64) - 1, "i64": -(1 << 63), "f64": 0.1, "b": True, "s": "текст 中文",
        "tokenizer.chat_template": chat,
    }  # fmt: skip
    writer.add_uint8("u8", 200)
    writer.add_int8("i8", -100)
    writer.add_uint16("u16", 60_000)
    writer.add_int16("i16", -30_000)
    writer.add_uint32("u32", 4_000_000_000)
    writer.add_int32("i32", -2_000_000_000)
    writer.add_uint64("u64", (1 << 64) - 1)
    writer.add_int64("i64", -(1 << 63))
    writer.add_float64("f64", 0.1)
    writer.add_bool("b", val=True)
    writer.add_string("s", "текст 中文")
    writer.add_chat_template(chat)
    writer.add_float32("f32", 1e-5)
    writer.add_float32("third", 1 / 3)
    writer.add_float32("nan", float("nan"))
    writer.add_float32("inf", float("-inf"))
    writer.add_array("short", [1, 2, 3])
    writer.add_array("names", ["a", "б"])
    writer.add_array("scores", [i / 8 for i in range(1000)])
    writer.add_token_list([f"token{i}" for i in range(1000)])
    writer.add_string("novel", "x" * 70_000)
    closed(writer)
    with WeightFile(path) as file:
        found = file.header.metadata
    assert told == {key: found[key] for key in told}
    assert found["general.architecture"] == "llama"
    assert found["f32"] == 1e-5
    assert np.float32(found["third"]) == np.float32(1 / 3)
    assert (found["nan"], found["inf"]) == ("nan", "-inf")
    assert (found["short"], found["names"]) == ([1, 2, 3], ["a", "б"])
    assert found["scores"] == {"type": "float32", "count": 1000, "first": [i / 8 for i in range(8)]}
    assert found["tokenizer.ggml.tokens"] == {
        "type": "string", "count": 1000, "first": [f"token{i}" for i in range(8)],
    }  # fmt: skip
    assert found["novel"] == {"type": "string", "bytes": 70_000, "first": "x" * 256}
    assert json.loads(json.dumps(dict(found), allow_nan=False)) == found


def test_text_that_is_no_utf_8_is_shown_with_its_bytes() -> None:
    content = made((entry("k", STRING, text(b"a\xffb")), entry("l", ARRAY, array(STRING, 1, text(b"\xed\xa0\x80")))))
    found = read_header(MemoryRanges("x", content)).metadata
    assert found == {"k": r"a\xffb", "l": [r"\xed\xa0\x80"]}


@settings(max_examples=200, deadline=None)
@given(value=st.floats(width=32))
def test_a_float32_is_told_by_a_number_that_is_the_same_float32(value: float) -> None:
    content = made((entry("k", 6, struct.pack("<f", value)),))
    found = float(read_header(MemoryRanges("x", content)).metadata["k"])
    assert struct.pack("<f", found) == struct.pack("<f", value) or (found != found and value != value)
    if found == found:
        assert len(f"{found:.9g}".lstrip("-").replace(".", "").split("e")[0].strip("0")) <= 9


def test_what_a_writer_needs_to_copy_the_metadata_is_in_the_details(tmp_path: Path) -> None:
    path = tmp_path / "x.gguf"
    writer = written(path, 64, [0, 2])
    writer.add_file_type(2)
    writer.add_token_list([f"token{i}" for i in range(1000)])
    closed(writer)
    header = read_header(LocalFile(path))
    details, content = header.details, path.read_bytes()
    assert (details["version"], details["alignment"]) == (3, 64)
    assert details["data_begin"] == header.tensors[0].begin == gguf.GGUFReader(path).data_offset
    copied = content[details["metadata_begin"] : details["metadata_end"]]
    again = tmp_path / "y.gguf"
    again.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 0, details["metadata_count"]) + copied)
    theirs, copies = gguf.GGUFReader(path).fields, gguf.GGUFReader(again).fields
    assert {name: field.contents() for name, field in theirs.items() if not name.startswith("GGUF.")} == {
        name: field.contents() for name, field in copies.items() if not name.startswith("GGUF.")
    }
    begin, end = details["spans"]["general.file_type"]
    assert content[begin:end] == word("general.file_type", 2)
    assert set(details["spans"]) == {"general.alignment", "general.file_type"}


def test_tensors_in_any_order_are_told_in_that_of_their_bytes() -> None:
    content = made((), (tensor("b", offset=32), tensor("a"), tensor("", (0, 7), offset=64)), bytes(64))
    header = read_header(MemoryRanges("x", content))
    assert [(each.name, each.shape) for each in header.tensors] == [("a", (4,)), ("b", (4,)), ("", (7, 0))]


@pytest.mark.parametrize("padding", [0, 1, 15, 16])
def test_padding_after_the_last_tensor_may_be_there_or_not(padding: int) -> None:
    header = read_header(MemoryRanges("x", made((), (tensor(),), bytes(16 + padding))))
    assert header.tensors[0].bytes == 16


def test_versions_2_and_3_are_the_same(tmp_path: Path) -> None:
    two, three = (
        read_header(MemoryRanges("x", made((word("k", 1),), (tensor(),), bytes(16), version=version)))
        for version in (2, 3)
    )
    assert two.tensors == three.tensors
    assert two.metadata == three.metadata


PIECES = (
    b"\0", b"\1", b"\2", b"\x08", b"\x09", b"\x20", b"\xff", b"\0" * 8, b"\1" + b"\0" * 7, b"\xff" * 8,
    b"\0" * 7 + b"\x80", b"GGUF", text("k"), word("k", 1), entry("l", ARRAY, array(STRING, 1, text("a"))), tensor("v"),
)  # fmt: skip
SEEDS = (
    made((word("k", 1), entry("t", STRING, text("abc"))), (tensor(), tensor("v", (32, 2), 2, 32)), bytes(range(68))),
    made((word("general.alignment", 8),), (tensor("a", (3,), 24), tensor("b", (2, 2), 1, 8)), bytes(range(16))),
    made((entry("l", ARRAY, array(STRING, 2, text("a") + text("b"))),), (tensor("w", (), 0),), bytes(4)),
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    content = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(0, 2))):
        place = draw(st.integers(4, len(content)))
        end = min(len(content), place + draw(st.integers(0, 8)))
        piece = draw(st.sampled_from(PIECES) | st.binary(max_size=2))
        content[place : place + len(piece) if draw(st.booleans()) else end] = piece
    return bytes(content)


def accepted(content: bytes) -> Iterator[FileHeader]:
    try:
        yield read_header(MemoryRanges("x", content))
    except WeightFileError:
        return


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=damaged())
def test_what_we_accept_of_damaged_files_gguf_py_accepts_too(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x.gguf"
    path.write_bytes(content)
    for header in accepted(content):
        if any(each.type.name == "Q8_1" for each in header.tensors):
            return
        assert read_with_ours(path) == read_with_reference(path)
        if all(each.elements for each in header.tensors):  # ggml divides by every dimension
            assert read_file(path) is not None


def test_a_thousand_damaged_files_end_in_a_header_or_our_error() -> None:
    found = campaign(READERS["gguf"], count=3000, seed=1)
    assert found.accepted > 100
    assert found.slowest < 1

"""Good ONNX models, indexes and zips of folders to damage, with pieces of their grammar, for the fuzzing campaign."""

import io
import json
import struct
import zipfile
from collections.abc import Mapping, Sequence

from app.errors import WeightFileError
from app.weightfiles import onnx_header
from app.weightfiles.byte_ranges import ByteRanges, read_buffer, read_exactly
from app.weightfiles.file_header import FileHeader
from app.weightfiles.memory_ranges import MemoryRanges
from app.weightfiles.shard_index import check_holders, read_index
from app.weightfiles.source import open_file
from tests.weightfiles.made_onnx import ONE, external, field, model, tensor, varint


class MemoryListing:
    """Files in memory."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.files = files
        self.sizes = {name: len(content) for name, content in files.items()}

    def open(self, name: str, *, hard_links: bool = True) -> ByteRanges:
        if name not in self.files:
            raise WeightFileError("folder.no-such-file", name=name)
        return MemoryRanges(name, self.files[name])

    def close(self) -> None:
        """Nothing is open."""


def safetensors(name: str) -> bytes:
    header = json.dumps({name: {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    return struct.pack("<Q", len(header)) + header + bytes(4)


SHARDS = {"one.safetensors": safetensors("a"), "two.safetensors": safetensors("b"), "config.json": b"{}"}


def onnx_seeds() -> Sequence[bytes]:
    node = field(1, field(1, b"x") + field(4, b"If") + field(5, field(1, b"body") + field(6, field(2, b"g"))))
    shape = field(11, field(1, b"x") + field(2, field(1, field(1, 1) + field(2, field(1, field(1, 3))))))
    return (
        model(tensor(b"a", (1,), 1, ONE), tensor(b"b", (3,), 7, field(7, varint(1) + varint(300) + varint(-1)))),
        model(
            tensor(b"raw", (2, 3), 10, field(9, bytes(12))),
            tensor(b"floats", (2,), 1, field(4, bytes(8))),
            tensor(b"halves", (2,), 10, field(5, varint(1000) + varint(2))),
            tensor(b"six", (5,), 27, field(5, bytes(5))),
            graph=node + shape,
        ),
        model(tensor(b"far", (4,), 1, external(location="x.data", offset="16", length="16"))),
    )


ONNX_PIECES = (
    *(ONE, field(1, 4), field(2, 27), field(2, 8), field(8, b"a"), field(14, 1), varint(1 << 63), b"\x80" * 11),
    *(field(5, b"\1"), field(6, b""), field(15, b""), field(7, b""), external(location="../x"), external(offset="1e9")),
)


def read_onnx(ranges: ByteRanges) -> FileHeader:
    """Reads a model; what was decoded must hold the tensors that are said to lie there."""
    header = onnx_header.read_header(ranges)
    for entry in header.tensors:
        if entry.part:
            extra = header.extra_parts[entry.part - 1]
            assert entry.end <= (extra.needed_bytes if extra.content is None else len(extra.content))
    return header


def index_seeds() -> Sequence[bytes]:
    weight_map = {"a": "one.safetensors", "b": "two.safetensors"}
    return (
        json.dumps({"metadata": {"total_size": 8.0}, "weight_map": weight_map}, indent=2).encode(),
        json.dumps({"weight_map": weight_map}).encode(),
    )


INDEX_PIECES = (
    *(b"{", b"}", b"[", b"]", b'"', b",", b":", b"../", b"/", b"\\\\", b"\\u0000", b"null", b"1e999", b"1.5", b"NaN"),
    *(b'"a": ', b"one.safetensors", b"config.json", b'"weight_map": '),
)


def read_shards(ranges: ByteRanges) -> FileHeader:
    index = read_index(read_buffer(ranges, 0, ranges.size), MemoryListing(SHARDS))
    assert set(index.shards) <= SHARDS.keys()
    check_holders(index, {"a": "one.safetensors", "b": "two.safetensors"})
    return FileHeader("index", (), index.metadata, ranges.size)


def folder_seeds() -> Sequence[bytes]:
    seeds = []
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w", method) as archive:
            for name, data in {**SHARDS, "model.safetensors.index.json": index_seeds()[1]}.items():
                archive.writestr(f"model/{name}", data)
        seeds.append(content.getvalue())
    return seeds


def read_folder(ranges: ByteRanges) -> FileHeader:
    """Opens a zip as an upload is opened; every tensor must lie in its part."""
    source = open_file(ranges, MemoryListing({}))
    for entry in source.header.tensors:
        assert 0 <= entry.begin <= entry.end <= source.parts[entry.part].size
        if entry.bytes < 1000:
            try:
                read_exactly(source.parts[entry.part], entry.begin, entry.bytes)
            except WeightFileError as error:
                assert error.code.startswith("zip.")  # noqa: PT017 - a deflated member can turn out broken at its end
    source.close()
    return FileHeader(source.header.kind, (), {}, ranges.size)

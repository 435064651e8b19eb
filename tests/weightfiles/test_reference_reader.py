"""Our reader beside the safetensors package: what we accept, it accepts too, with equal bytes."""

import json
import os
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors import SafetensorError, deserialize
from safetensors.torch import load_file, save_file

from app.errors import WeightFileError
from app.weightfiles.byte_ranges import LocalFile
from app.weightfiles.range_reader import WeightFile
from app.weightfiles.safetensors_header import read_header
from app.weightfiles.tensor_reader import TensorReader

FLOATS = ("float64", "float32", "float16", "bfloat16")
SMALL_FLOATS = ("float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e8m0fnu")
INTEGERS = ("int64", "int32", "int16", "int8", "uint64", "uint32", "uint16", "uint8", "bool")
DTYPES = (*FLOATS, *SMALL_FLOATS, *INTEGERS)
SHAPES = ((), (0,), (3,), (2, 0, 5), (4, 7), (2, 3, 1, 5))


def read_with_ours(path: Path) -> dict[str, tuple[str, tuple[int, ...], bytes]]:
    with WeightFile(path) as file:
        reader = TensorReader(file)
        return {entry.name: (entry.type.name, entry.shape, bytes(reader.bytes(entry))) for entry in file.header.tensors}


def read_with_reference(content: bytes) -> dict[str, tuple[str, tuple[int, ...], bytes]]:
    return {name: (info["dtype"], tuple(info["shape"]), bytes(info["data"])) for name, info in deserialize(content)}


def random_tensor(dtype: str, shape: tuple[int, ...], seed: int) -> torch.Tensor:
    torch_dtype = getattr(torch, dtype)
    size = torch.empty(shape, dtype=torch_dtype).numel() * torch_dtype.itemsize
    raw = torch.randint(0, 2 if dtype == "bool" else 256, (size,), generator=torch.Generator().manual_seed(seed))
    return raw.to(torch.uint8).view(torch_dtype).view(shape)


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_dtype_is_read_as_the_package_reads_it(dtype: str, tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    tensors = {str(shape): random_tensor(dtype, shape, seed) for seed, shape in enumerate(SHAPES)}
    save_file(tensors, path, metadata={"format": "pt", "说明": "ok"})
    assert read_with_ours(path) == read_with_reference(path.read_bytes())
    loaded = load_file(path)
    with WeightFile(path) as file:
        assert file.header.metadata == {"format": "pt", "说明": "ok"}
        reader = TensorReader(file)
        for entry in file.header.tensors:
            values = reader.elements(entry, 0, entry.elements)
            assert values.dtype == loaded[entry.name].dtype
            assert torch.equal(values.view(torch.uint8), loaded[entry.name].reshape(-1).view(torch.uint8))


@pytest.mark.parametrize(
    ("dtype", "shape", "size"),
    [("F4", [4, 4], 8), ("F6_E2M3", [4], 3), ("F6_E3M2", [2, 2], 3), ("C64", [2], 16), ("F4", [0], 0)],
)
def test_formats_that_are_only_copied_are_sized_as_the_package_sizes_them(dtype, shape, size, build) -> None:
    path = build({"a": {"dtype": dtype, "shape": shape, "data_offsets": [0, size]}}, os.urandom(size))
    assert read_with_ours(path) == read_with_reference(path.read_bytes())


def test_chunks_put_together_are_the_tensor(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    tensor = torch.arange(1000, dtype=torch.int16)
    save_file({"a": tensor}, path)
    with WeightFile(path) as file:
        reader = TensorReader(file, chunk_bytes=64)
        (entry,) = file.header.tensors
        chunks = [(first, chunk.clone()) for first, chunk in reader.chunks(entry)]
        assert [first for first, _ in chunks] == list(range(0, 1000, 32))
        assert torch.equal(torch.cat([chunk for _, chunk in chunks]), tensor)
        assert b"".join(bytes(data) for _, data in reader.byte_chunks(entry)) == tensor.numpy().tobytes()


SEEDS = (
    b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[2,2],"data_offsets":[4,8]}}',
    b'{"__metadata__":{"k":"v"},"a":{"dtype":"F4","shape":[8],"data_offsets":[0,4]}}    ',
    b'{"\\u00e9":{"data_offsets":[0,8],"shape":[],"dtype":"F64"}}',
)
TOKENS = (b"0", b"1", b"-", b"9", b'"', b"{", b"}", b"[", b"]", b",", b":", b" ", b"\0", b"\\", b"null", b"1.0", b"F16",
          b'"a":', b"\xff", b"\xc3\xa9", b"e3", b"true", b"[1]", b'"__metadata__":{},')  # fmt: skip


FIELDS = ("dtype", "shape", "data_offsets")


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    header = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, len(header)))
        end = min(len(header), place + draw(st.integers(0, 3)))
        header[place:end] = draw(st.sampled_from(TOKENS) | st.binary(max_size=2))
    length = len(header) + draw(st.sampled_from((0, 0, 0, 0, 1, -1)))
    return (
        max(length, 0).to_bytes(8, "little") + bytes(header) + bytes(range(8))[: draw(st.sampled_from((8, 8, 7, 4, 0)))]
    )


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=mutated())
def test_what_we_accept_of_damaged_files_the_package_accepts_too(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(content)
    try:
        ours = read_with_ours(path)
    except WeightFileError:
        return
    try:
        reference = read_with_reference(content)
    except SafetensorError as error:
        raise AssertionError(f"accepted by us alone: {error}") from error
    assert ours == reference


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    document=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(("F32", "U8")),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.text(max_size=3) | st.sampled_from(("dtype", "shape", "data_offsets")), inner, max_size=3
            )
        ),
        max_leaves=12,
    )
)
def test_any_json_at_all_is_answered_with_a_header_or_our_error(document: object, tmp_path: Path) -> None:
    text = json.dumps(document).encode()
    path = tmp_path / "x.safetensors"
    path.write_bytes(len(text).to_bytes(8, "little") + text)
    try:
        read_header(LocalFile(path))
    except WeightFileError:
        return
    read_with_reference(path.read_bytes())

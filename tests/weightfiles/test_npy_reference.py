"""Our reader of .npy and .npz beside NumPy's own: equal names, shapes and numbers for whatever NumPy saves."""

import io
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from app.errors import WeightFileError
from app.weightfiles.range_reader import WeightFile
from app.weightfiles.tensor_reader import TensorReader
from tests.weightfiles.made_npy import npy

DTYPES = ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1", "c8")
SHAPES = ((), (0,), (5,), (3, 4), (2, 0, 3), (2, 3, 4), (1, 7, 1), (2, 3, 1, 5))
Found = dict[str, tuple[str, tuple[int, ...], bytes]]


def format_of(dtype: np.dtype) -> str:
    return dtype.newbyteorder("=").name


def plain_bytes(array: np.ndarray) -> bytes:
    return np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<")).tobytes()


def read_with_ours(path: Path, chunk_bytes: int = 1 << 20) -> Found:
    found: Found = {}
    with WeightFile(path) as file:
        reader = TensorReader(file, chunk_bytes)
        for entry in file.header.tensors:
            data = b"".join(bytes(chunk) for _, chunk in reader.byte_chunks(entry))
            found[entry.name] = (entry.type.format, entry.shape, data)
    return found


def read_with_numpy(path: Path) -> Found:
    loaded = np.load(path, allow_pickle=False)  # noqa: TID251 - the oracle
    arrays = {"x": loaded} if isinstance(loaded, np.ndarray) else dict(loaded.items())
    return {name: (format_of(array.dtype), array.shape, plain_bytes(array)) for name, array in arrays.items()}


def random_array(dtype: str, shape: tuple[int, ...], order: str = "C") -> np.ndarray:
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    raw = np.random.default_rng(size).integers(0, 2 if "b1" in dtype else 256, size, dtype=np.uint8)
    return raw.view(dtype).reshape(shape, order=order)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("byte_order", ["<", ">"])
@pytest.mark.parametrize("order", ["C", "F"])  # D15
def test_every_dtype_and_order_is_read_as_numpy_reads_it(
    dtype: str, byte_order: str, order: str, tmp_path: Path
) -> None:
    path = tmp_path / "x.npy"
    for shape in SHAPES:
        np.save(path, random_array(byte_order + dtype, shape, order))
        assert read_with_ours(path) == read_with_numpy(path)
        assert read_with_ours(path, 16) == read_with_numpy(path)


def test_order_and_bytes_are_told(tmp_path: Path) -> None:  # D15, D16
    path = tmp_path / "x.npy"
    np.save(path, np.asfortranarray(np.arange(6, dtype=">f4").reshape(2, 3)))
    with WeightFile(path) as file:
        (entry,) = file.header.tensors
        assert (file.header.kind, entry.strides, entry.is_big_endian) == ("npy", (1, 2), True)
        values = TensorReader(file).elements(entry, 0, 6)
        assert values.tolist() == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_archives_are_read_as_numpy_reads_them(save, tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    rng = np.random.default_rng(1)
    save(
        path,
        rng.standard_normal((40, 30)),
        weight=rng.standard_normal((700, 500)).astype("f4"),
        turned=np.asfortranarray(rng.standard_normal((50, 60))),
        zeros=np.zeros((1000, 1000), dtype=np.int8),
        empty=np.zeros((0, 3)),
        **{"层/0.bias": np.arange(5, dtype=">i2"), "W": np.float32(3), "w": np.ones(2, dtype=bool)},
    )
    assert read_with_ours(path) == read_with_numpy(path)
    assert read_with_ours(path, 1 << 12) == read_with_numpy(path)


def test_an_archive_written_to_a_stream_is_read(tmp_path: Path) -> None:
    class Stream(io.RawIOBase):
        def __init__(self) -> None:
            self.out = bytearray()

        def writable(self) -> bool:
            return True

        def write(self, data: bytes) -> int:
            self.out += data
            return len(data)

    stream = Stream()
    np.savez_compressed(stream, a=np.arange(1000), b=np.ones((3, 4)))
    path = tmp_path / "x.npz"
    path.write_bytes(bytes(stream.out))
    assert read_with_ours(path) == read_with_numpy(path)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_array_is_read_as_numpy_reads_it(data: st.DataObject, tmp_path: Path) -> None:
    dtype = data.draw(st.sampled_from(DTYPES))
    shape = data.draw(arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=6))
    array = random_array(data.draw(st.sampled_from("<>")) + dtype, shape, data.draw(st.sampled_from("CF")))
    path = tmp_path / "x.npy"
    path.write_bytes(b"")
    with path.open("wb") as file:
        np.lib.format.write_array(file, array.T if data.draw(st.booleans()) else array)
    assert read_with_ours(path, data.draw(st.sampled_from((16, 48, 4096)))) == read_with_numpy(path)


GOOD = npy("<f4", (2, 3), bytes(range(24)))
PIECES = (
    b"",
    b" ",
    b"'",
    b"(",
    b")",
    b",",
    b"1",
    b"0",
    b"2",
    b"L",
    b">",
    b"<",
    b"f8",
    b"True",
    b"False",
    b"}",
    b"\n",
    b"\0",
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    content = bytearray(GOOD)
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(6, len(content)))
        end = min(len(content), place + draw(st.integers(0, 2)))
        content[place:end] = draw(st.sampled_from(PIECES) | st.binary(max_size=1))
    if draw(st.booleans()):
        begin = content.find(b"}") + 2
        content[8:10] = max(begin - 10, 0).to_bytes(2, "little")
    return bytes(content)


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=damaged())
def test_what_we_accept_of_damaged_files_numpy_accepts_too(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x.npy"
    path.write_bytes(content)
    try:
        ours = read_with_ours(path)
    except WeightFileError:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # numbers as Python 2 wrote them
        assert ours == read_with_numpy(path)

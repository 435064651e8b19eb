"""Our reader of checkpoints beside torch's own: equal names, dtypes, shapes and bytes for whatever torch saves."""

import io
import struct
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.errors import WeightFileError
from app.weightfiles.range_reader import WeightFile
from app.weightfiles.tensor_reader import TensorReader
from tests.weightfiles.made_checkpoints import archive, dictionary, program, storage, tensor
from tests.weightfiles.test_reference_reader import DTYPES, random_tensor

Found = dict[str, tuple[str, tuple[int, ...], bytes]]


def plain_bytes(tensor: torch.Tensor) -> bytes:
    flat = tensor.detach().clone(memory_format=torch.contiguous_format).view(-1)
    return bytes(flat.view(torch.uint8).numpy()) if flat.numel() else b""


def flattened(value: Any, path: str = "") -> Found:
    """What torch loads, by the names that we give."""
    if isinstance(value, torch.Tensor):
        return {path or "tensor": (str(value.dtype).removeprefix("torch."), tuple(value.shape), plain_bytes(value))}
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list | tuple) else ()
    found: Found = {}
    for key, inner in pairs:
        found |= flattened(inner, f"{path}.{key}" if path else str(key))
    return found


def read_with_ours(path: Path) -> Found:
    with WeightFile(path) as file:
        assert file.header.kind == "pytorch"
        reader = TensorReader(file)
        found: Found = {}
        for entry in file.header.tensors:
            data = b"".join(bytes(chunk) for _, chunk in reader.byte_chunks(entry))
            found[entry.name] = (entry.type.format, entry.shape, data)
        return found


def read_with_torch(content: bytes, **how: Any) -> Found:
    return flattened(torch.load(io.BytesIO(content), map_location="cpu", **how))  # noqa: TID251 - the oracle


def saved(value: Any, path: Path, **how: Any) -> bytes:
    torch.save(value, path, **how)
    return path.read_bytes()


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_dtype_is_read_as_torch_reads_it(dtype: str, tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    shapes = ((), (0,), (3,), (2, 0, 5), (4, 7), (2, 3, 1, 5))
    content = saved({str(shape): random_tensor(dtype, shape, seed) for seed, shape in enumerate(shapes)}, path)
    assert read_with_ours(path) == read_with_torch(content, weights_only=True)


def test_complex_numbers_are_listed_and_copied(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    values = torch.randn(3, 4, dtype=torch.complex64)
    content = saved({"a": values, "b": values.T}, path)
    assert read_with_ours(path) == read_with_torch(content, weights_only=True)
    saved({"a": values.to(torch.complex128)}, path)
    with pytest.raises(WeightFileError, match=r"pytorch\.dtype"):
        read_with_ours(path)
    saved({"a": values.conj()}, path)
    with pytest.raises(WeightFileError, match=r"pytorch\.lazy-tensor"):
        read_with_ours(path)


def test_pairs_of_4_bit_floats_are_listed_by_number(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    saved({"a": torch.arange(6, dtype=torch.uint8).view(2, 3).view(torch.float4_e2m1fn_x2)}, path)
    assert read_with_ours(path) == {"a": ("float4_e2m1fn", (2, 6), bytes(range(6)))}


def views() -> dict[str, torch.Tensor]:
    base = torch.arange(2 * 3 * 40.0).view(2, 3, 40)
    return {
        "base": base,
        "transposed": base.transpose(0, 2),
        "row": base[1, 2],
        "column": base[..., 7],
        "every third": base[..., ::3],
        "window": base[:, 1:, 5:30],
        "expanded": base[:, :1].expand(2, 50, 40),
        "from one": torch.tensor(5.0).expand(7, 3),
        "unfolded": base.view(-1).unfold(0, 8, 2),
        "diagonal": base[0].diagonal(),
        "tied": base,
        "empty": base[:0],
        "scalar": base[1, 1, 1],
        "columns last": torch.randn(2, 5, 4, 3).to(memory_format=torch.channels_last),
    }


def test_views_and_tied_tensors_are_read_in_the_order_of_their_indices(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    content = saved(views(), path)
    assert read_with_ours(path) == read_with_torch(content, weights_only=True)
    with WeightFile(path) as file:
        entries = {entry.name: entry for entry in file.header.tensors}
        assert (entries["base"].begin, entries["base"].end) == (entries["tied"].begin, entries["tied"].end)
        assert entries["base"].strides is None
        assert entries["transposed"].strides == (1, 40, 120)
        reader = TensorReader(file, chunk_bytes=64)
        for name, tensor in views().items():
            chunks = [chunk.clone() for _, chunk in reader.chunks(entries[name])]
            if name != "columns last":
                assert torch.equal(torch.cat([torch.empty(0), *chunks]), tensor.reshape(-1))


class Doubled(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4))
        self.head = torch.nn.Linear(3, 4)
        self.head.weight = self.inner[0].weight


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_what_people_save_is_read_in_every_protocol(protocol: int, tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    module = Doubled()
    optimizer = torch.optim.AdamW(module.parameters())
    module.head(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    noted = torch.nn.Parameter(torch.ones(2))
    noted.is_shared = True
    tensor_with_notes = torch.zeros(3)
    tensor_with_notes.note = "x"
    for value in (
        module.state_dict(),
        {
            "state_dict": module.state_dict(),
            "optimizer": optimizer.state_dict(),
            "epoch": 3,
            "lr": [1e-3, float("nan")],
        },
        OrderedDict(model={"层": noted}),
        {"model": {"b": tensor_with_notes, 7: torch.ones(1), None: torch.ones(2)}},
        [torch.ones(2), (torch.zeros(1), {"x": torch.ones(1)})],
        torch.arange(5),
        {"size": torch.Size([1, 2]), "device": torch.device("cpu"), "dtype": torch.float16, "w": torch.ones(1)},
    ):
        content = saved(value, path, pickle_protocol=protocol)
        assert read_with_ours(path) == read_with_torch(content, weights_only=False)


def test_what_is_no_tensor_is_metadata(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    saved({"w": torch.ones(1), "epoch": 3, "lr": 0.1, "name": "模型", "best": None, "flag": True, "nan": float("nan"),
           "device": torch.device("cuda", 1), "dtype": torch.bfloat16, "list": [1, {"x": 2}], "long": "x" * 5000,
           "big": 1 << 100}, path)  # fmt: skip
    with WeightFile(path) as file:
        found = dict(file.header.metadata)
    assert len(found.pop("long")) == 1000
    assert found == {
        "epoch": 3, "lr": 0.1, "name": "模型", "best": None, "flag": True, "nan": "nan", "device": "cuda",
        "dtype": "torch.bfloat16", "list.0": 1, "list.1.x": 2, "big": 1 << 100,
    }  # fmt: skip


def test_big_endian_files_are_read(tmp_path: Path) -> None:  # B49
    tensors = {"a": torch.randn(5, 3), "b": torch.arange(7), "c": torch.randn(4).bfloat16(), "d": torch.ones(3).bool()}
    source = io.BytesIO()
    torch.save(tensors, source)
    turned = io.BytesIO()
    items = [4, 8, 2, 1]
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(turned, "w") as new:
        for info in old.infolist():
            data = old.read(info)
            name = info.filename.removeprefix("archive/")
            if name.startswith("data/"):
                item = items[int(name.removeprefix("data/"))]
                data = b"".join(data[at : at + item][::-1] for at in range(0, len(data), item))
            new.writestr(info.filename, b"big" if name == "byteorder" else data)
    path = tmp_path / "model.pt"
    path.write_bytes(turned.getvalue())
    assert read_with_ours(path) == flattened(tensors) == read_with_torch(turned.getvalue(), weights_only=True)


FLOATS = struct.pack("<12f", *range(12))


@st.composite
def strided(draw: st.DrawFn) -> tuple[tuple[int, ...], tuple[int, ...], int]:
    shape = draw(st.lists(st.integers(0, 4), max_size=3))
    strides = draw(st.lists(st.integers(0, 6), min_size=len(shape), max_size=len(shape)))
    return tuple(shape), tuple(strides), draw(st.integers(0, 12))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(places=st.lists(strided(), min_size=1, max_size=3))
def test_any_strides_that_we_accept_give_what_torch_gives(places, tmp_path: Path) -> None:
    stored = storage(count=12)
    made = {f"t{index}": tensor(*place, stored=stored) for index, place in enumerate(places)}
    content = archive(program(dictionary(made)), {"0": FLOATS})
    path = tmp_path / "model.pt"
    path.write_bytes(content)
    try:
        ours = read_with_ours(path)
    except WeightFileError as error:
        if error.code == "tensor.past-storage":
            return
        raise
    assert ours == read_with_torch(content, weights_only=True)


STORED = storage(count=12)
GOOD = program(dictionary({"w": tensor((3,), stored=STORED), "v": tensor((3, 2), (1, 3), 2, STORED)}))
PIECES = (
    *(b"", b"\0", b"\1", b"\2", b"(", b")", b"t", b"}", b"]", b"0", b"1", b"2", b"s", b"u", b"a", b"e", b"N", b"\x85"),
    *(b"\x86", b"\x88", b"\x89", b"K\2", b"q\1", b"h\1", b"\x94", b"R", b"Q", b"b", b".", b"X\1\0\0\0a", b"\xff"),
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    content = bytearray(GOOD)
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(2, len(content)))
        end = min(len(content), place + draw(st.integers(0, 2)))
        content[place:end] = draw(st.sampled_from(PIECES) | st.binary(max_size=1))
    return bytes(content)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=damaged())
def test_what_we_accept_of_damaged_pickles_torch_accepts_too(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    made = archive(content, {"0": FLOATS})
    path.write_bytes(made)
    try:
        ours = read_with_ours(path)
    except WeightFileError:
        return
    # Only what has passed our reader, which lets nothing through that could be called.
    assert ours == read_with_torch(made, weights_only=False)

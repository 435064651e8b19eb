"""ONNX models read as onnx's own library reads them: every type, in every field that may hold it."""

from pathlib import Path

import ml_dtypes
import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from app.errors import WeightFileError
from app.formats import find_format
from app.weightfiles.onnx_header import looks_like_onnx
from app.weightfiles.onnx_types import ONNX_TYPES
from app.weightfiles.range_reader import WeightFile
from app.weightfiles.tensor_reader import TensorReader
from tests.weightfiles.made_onnx import BITS, ONE, external, field, model, model_of, ours, tensor, theirs

NUMERIC = [number for name, number in TensorProto.DataType.items() if name not in {"UNDEFINED", "STRING"}]


def drawn(data_type: int, count: int) -> np.ndarray:
    """Elements of that type with every kind of bit pattern."""
    kind = helper.tensor_dtype_to_np_dtype(data_type)
    name = TensorProto.DataType.Name(data_type)
    generator = np.random.default_rng(data_type)
    codes = generator.integers(0, 256, count * kind.itemsize, np.uint8)
    if name in BITS:
        codes &= (1 << BITS[name]) - 1
    if name in {"INT4", "INT2"}:
        return codes.view(np.int8).astype(kind)
    if name == "BOOL":
        codes &= 1
    return codes.view(kind)


def saved(path: Path, *tensors: TensorProto) -> Path:
    onnx.save(model_of(*tensors), path)
    return path


def test_every_type_of_onnx_is_known() -> None:
    assert {number: kind.name for number, kind in ONNX_TYPES.items()} == {
        number: TensorProto.DataType.Name(number) for number in NUMERIC
    }
    for kind in ONNX_TYPES.values():
        if kind.name != "BOOL" and not kind.name.startswith("COMPLEX"):
            assert find_format(kind.format).width == kind.bits


@pytest.mark.parametrize("data_type", NUMERIC, ids=TensorProto.DataType.Name)
@pytest.mark.parametrize("shape", [(3, 5), (4, 8), (), (0, 3), (1,)])
def test_raw_data_is_read_where_it_lies(tmp_path: Path, data_type: int, shape: tuple[int, ...]) -> None:
    array = drawn(data_type, int(np.prod(shape))).reshape(shape)
    path = saved(tmp_path / "m.onnx", numpy_helper.from_array(array, "w"))
    assert onnx.load(path).graph.initializer[0].HasField("raw_data")
    assert ours(path) == theirs(path)


@pytest.mark.parametrize("data_type", NUMERIC, ids=TensorProto.DataType.Name)
def test_typed_fields_hold_the_same_numbers(tmp_path: Path, data_type: int) -> None:
    values = {"BOOL": [0, 1, 1], "FLOAT8E8M0": [1.0, 2.0, 0.5], "UINT2": [0, 1, 3]}
    plain = [1, 2, 3] if TensorProto.DataType.Name(data_type).startswith("UINT") else [1, -1, 0]
    name = TensorProto.DataType.Name(data_type)
    made = helper.make_tensor("w", data_type, [3], values.get(name, plain))
    assert not made.HasField("raw_data")
    path = saved(tmp_path / "m.onnx", made)
    assert ours(path) == theirs(path)


@given(
    data_type=st.sampled_from([TensorProto.INT64, TensorProto.INT32, TensorProto.UINT64, TensorProto.INT8]),
    data=st.data(),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_varints_of_every_length(tmp_path: Path, data_type: int, data: st.DataObject) -> None:
    kind = np.iinfo(helper.tensor_dtype_to_np_dtype(data_type))
    values = data.draw(st.lists(st.integers(int(kind.min), int(kind.max)), min_size=1, max_size=40))
    path = saved(tmp_path / "m.onnx", helper.make_tensor("w", data_type, [len(values)], values))
    assert ours(path) == theirs(path)


def test_many_small_numbers_cost_nothing(tmp_path: Path) -> None:
    values = np.arange(1_000_000, dtype=np.int64) % 100
    path = saved(tmp_path / "m.onnx", helper.make_tensor("w", TensorProto.INT64, [1_000_000], values))
    assert ours(path)["w"][2] == values.tobytes()


def test_many_large_numbers_are_refused_with_advice(tmp_path: Path) -> None:
    values = np.full(600_000, -1, np.int64)
    path = saved(tmp_path / "m.onnx", helper.make_tensor("w", TensorProto.INT64, [600_000], values))
    with pytest.raises(WeightFileError, match=r"onnx\.too-many-varints"):
        ours(path)


def test_text_is_left_out_and_counted(tmp_path: Path) -> None:
    text = helper.make_tensor("t", TensorProto.STRING, [2], [b"a", b"b"])
    path = saved(tmp_path / "m.onnx", text, numpy_helper.from_array(np.ones(2, np.float32), "w"))
    with WeightFile(path) as file:
        assert [entry.name for entry in file.header.tensors] == ["w"]
        assert file.header.details["text_tensors"] == 1


def test_what_the_model_says_of_itself(tmp_path: Path) -> None:
    made = model_of(numpy_helper.from_array(np.ones(2, np.float32), "w"))
    made.producer_name = "测试"
    made.ir_version = 10
    helper.set_model_props(made, {"author": "nobody"})
    onnx.save(made, tmp_path / "m.onnx")
    with WeightFile(tmp_path / "m.onnx") as file:
        assert file.header.kind == "onnx"
        assert file.header.metadata == {
            "ir_version": 10,
            "producer_name": "测试",
            "opset_import": {"": 21},
            "metadata_props": {"author": "nobody"},
        }
        assert file.header.file_bytes == (tmp_path / "m.onnx").stat().st_size


@pytest.mark.parametrize("whole", [True, False])
def test_data_in_other_files_is_read_if_it_came_along(tmp_path: Path, whole: bool) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    arrays = {name: np.arange(index * 100, index * 100 + 50, dtype=np.float32) for index, name in enumerate("abc")}
    made = model_of(*(numpy_helper.from_array(array, name) for name, array in arrays.items()))
    how = {"location": "model.bin"} if whole else {"all_tensors_to_one_file": False}
    onnx.save(made, folder / "model.onnx", save_as_external_data=True, size_threshold=0, **how)
    assert len(list(folder.iterdir())) == (2 if whole else 4)
    expected = theirs(folder / "model.onnx")
    assert ours(folder / "model.onnx") == expected
    assert ours(folder) == expected
    with WeightFile(folder) as file:
        assert file.header.file_bytes == sum(path.stat().st_size for path in folder.iterdir())
        assert file.source.companions == {}
        assert "left_out" not in file.header.details
        reader = TensorReader(file)
        for entry in file.header.tensors:
            assert reader.elements(entry, 10, 5).tolist() == arrays[entry.name][10:15].tolist()
    alone = (folder / "model.onnx").rename(tmp_path / "alone.onnx")
    with pytest.raises(WeightFileError, match=r"onnx\.external-missing"):
        ours(alone)


def test_a_model_with_data_beside_it_in_a_zip(tmp_path: Path) -> None:
    import zipfile

    folder = tmp_path / "model"
    folder.mkdir()
    made = model_of(numpy_helper.from_array(np.arange(50, dtype=np.float32), "w"))
    onnx.save(made, folder / "model.onnx", save_as_external_data=True, size_threshold=0, location="model.onnx.data")
    expected = theirs(folder / "model.onnx")
    with zipfile.ZipFile(tmp_path / "upload.safetensors", "w") as archive:
        for path in folder.iterdir():
            archive.write(path, f"exported/{path.name}")
    assert ours(tmp_path / "upload.safetensors") == expected


def test_onnx_beside_other_weights_that_it_names(tmp_path: Path) -> None:
    """Data in a file that is a container itself belongs to the model, and is not listed twice."""
    from safetensors.numpy import save_file

    save_file({"w": np.arange(6, dtype=np.float32)}, tmp_path / "data.safetensors")
    size = (tmp_path / "data.safetensors").stat().st_size
    fields = external(location="data.safetensors", offset=str(size - 24), length="24")
    (tmp_path / "z.onnx").write_bytes(model(tensor(b"w", (6,), 1, fields)))
    assert ours(tmp_path)["w"][2] == np.arange(6, dtype=np.float32).tobytes()


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (model(tensor(b"a", (1,), 1, ONE)), True),
        (field(1, 8) + field(2, b"x" * 5000), True),
        (field(1, 8) + field(2, b"x") + field(6, b"y" * 90) + field(8, b""), True),
        (field(1, 8) + field(8, field(2, 21)), True),
        (b"\x08\x07", False),
        (b"\x08", False),
        (b"", False),
        (b"\x08\x00\x3a\x00", False),
        (field(1, 8) + field(1, 8) + field(7, b""), False),
        (field(1, 8) + field(30, b"") + field(7, b""), False),
        (b"\x08\x01\x3d\0\0\0\0", False),
        (b"\x80\x02}q\0.", False),
        (b"PK\x03\x04", False),
        ((0x0108).to_bytes(8, "little") + b"{}", False),
    ],
)
def test_a_model_is_known_by_its_first_fields(start: bytes, expected: bool) -> None:
    assert looks_like_onnx(start[:4096]) is expected


def test_numbers_come_out_as_their_own_type(tmp_path: Path) -> None:
    array = np.array([1.5, -2, 0.25], ml_dtypes.bfloat16)
    path = saved(tmp_path / "m.onnx", numpy_helper.from_array(array, "w"))
    with WeightFile(path) as file:
        (entry,) = file.header.tensors
        assert TensorReader(file).elements(entry, 0, 3).float().tolist() == [1.5, -2, 0.25]

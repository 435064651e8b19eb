"""ONNX models that are written: onnx's own checker and evaluator take them and give the numbers that we read back."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from app.errors import InvalidInput, WeightFileError
from app.layouts import numbers, onnx_coders
from app.tasks.compare_files import compare_files
from app.tasks.compress_file import compress_file, plan_only
from app.tasks.compress_options import CompressOptions
from app.weightfiles import onnx_graph, onnx_layout
from tests.layouts.onnx_models import (
    checked,
    compressed,
    evaluated,
    mlp,
    mlp_arrays,
    ours,
    sample,
)

TENSORS = {
    "a.weight": torch.randn(64, 96, generator=torch.Generator().manual_seed(1)),
    "b.weight": torch.randn(48, 128, generator=torch.Generator().manual_seed(2)).half(),
    "conv.weight": torch.randn(8, 4, 3, 4, generator=torch.Generator().manual_seed(3)),
    "a.bias": torch.arange(64.0),
    "steps": torch.arange(5),
    "one": torch.tensor(7.0),
}
SCHEMES = [
    *("int8", "int8:asymmetric", "int8:tensor", "int8:tensor:asymmetric", "int8:group=32"),
    *("int4:group=32", "int4:group=32:asymmetric", "int4:channel", "int4:tensor:asymmetric"),
    *("fp8", "fp8:tensor", "fp8:group=32", "float16", "int2:group=16"),
]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_graph_that_gives_the_weights(scheme: str, tmp_path: Path) -> None:
    path = compressed(tmp_path, TENSORS, scheme)
    model = checked(path)
    assert not model.graph.input
    assert {each.name for each in model.graph.output} == set(TENSORS)
    theirs, mine = evaluated(model), ours(path)
    assert set(mine) == set(TENSORS)
    for name, values in mine.items():
        assert values.shape == tuple(TENSORS[name].shape)
        assert np.array_equal(values, theirs[name]), name
    rows = {row["name"]: row for row in compare_files(tmp_path / "source.safetensors", path)["tensors"]}
    assert rows["a.weight"]["sqnr_db"] > (5 if scheme.startswith("int2") else 15)
    assert rows["a.bias"]["sqnr_db"] == "inf" or rows["a.bias"]["sqnr_db"] == float("inf")


@pytest.mark.parametrize(
    ("opset", "scheme"),
    [
        *((10, "int8:tensor"), (10, "int8"), (12, "int8:asymmetric"), (12, "float16")),
        *((13, "int8"), (19, "int8"), (21, "int8:tensor"), (21, "int8:asymmetric"), (21, "float16")),
    ],
)
def test_a_model_goes_on_computing(scheme: str, opset: int, tmp_path: Path) -> None:
    source = mlp(opset=opset)
    path = compressed(tmp_path, source, scheme)
    model, mine = checked(path), ours(path)
    assert set(mine) == set(mlp_arrays())
    x = sample()
    expected = np.maximum(x @ mine["w1"] + mine["b1"], 0) @ mine["w2"].T + mine["b2"]
    before = evaluated(source, {"x": x})["y"]
    is_foreign = any(node.domain for node in model.graph.node)
    assert is_foreign == ((opset, scheme) in {(10, "int8"), (12, "int8:asymmetric")})
    if opset >= 19:  # onnx's evaluator knows no older DequantizeLinear
        assert np.allclose(evaluated(model, {"x": x})["y"], expected, atol=1e-5)
    assert np.linalg.norm(expected - before) < 0.02 * np.linalg.norm(before)


@pytest.mark.parametrize("scheme", ["int4:group=32", "int4:group=32:asymmetric", "fp8", "bfloat16", "float8_e4m3fn"])
@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_what_needs_a_new_operator_set(scheme: str, dtype: type, tmp_path: Path) -> None:
    source = mlp(opset=21, dtype=dtype)
    path = compressed(tmp_path, source, scheme)
    mine, x = ours(path), sample(dtype)
    assert mine["w1"].dtype == mine["w2"].dtype == dtype
    wide = {name: array.astype(np.float64) for name, array in mine.items()}
    expected = np.maximum(x @ wide["w1"] + wide["b1"], 0) @ wide["w2"].T + wide["b2"]
    assert np.allclose(evaluated(checked(path), {"x": x})["y"], expected, atol=1e-5 if dtype is np.float32 else 0.02)
    for old in (9, 18):
        with pytest.raises(WeightFileError, match=r"compress\.nothing"):
            compressed(tmp_path, mlp(opset=old if scheme != "bfloat16" else 12), scheme)


def test_channels_lie_along_what_is_not_summed_over(tmp_path: Path) -> None:
    """`w1` is multiplied from the left, so its outputs are columns; `w2` is turned by Gemm, so they are rows."""
    model = checked(compressed(tmp_path, mlp(), "int8"))
    shapes = {each.name: tuple(each.dims) for each in model.graph.initializer}
    assert shapes["w1_scale"] == (96,)
    assert shapes["w2_scale"] == (32,)
    groups = checked(compressed(tmp_path, mlp(), "int4:group=32"))
    shapes = {each.name: tuple(each.dims) for each in groups.graph.initializer}
    assert shapes["w1_scale"] == (2, 96)
    assert shapes["w2_scale"] == (32, 3)


def test_the_rest_of_the_model_is_kept_byte_for_byte(tmp_path: Path) -> None:
    text = TensorProto(name="words", data_type=TensorProto.STRING, dims=[2], string_data=[b"a", b"b"])
    inner = helper.make_graph(
        [helper.make_node("Identity", ["w1_scale"], ["z"])], "inner", [], [], [numpy_helper.from_array(np.ones(1), "q")]
    )
    source = mlp(more=[text, numpy_helper.from_array(np.ones((3, 5), np.int64), "w2_scale")])
    source.graph.node.add().CopyFrom(helper.make_node("If", ["flag"], [], then_branch=inner, else_branch=inner))
    source.functions.add(name="f", domain="own")
    path = tmp_path / "source.onnx"
    path.write_bytes(source.SerializeToString())
    compress_file(path, tmp_path / "target.onnx", CompressOptions(scheme="int8", layout="onnx"))
    model = onnx.load(tmp_path / "target.onnx")
    # Names that the model has, even inside its branches, are not taken.
    added = {each.name for each in model.graph.initializer} - {each.name for each in source.graph.initializer}
    assert added == {"w1_quantized", "w1_scale_2", "w2_quantized", "w2_scale_2"}
    assert [node.op_type for node in model.graph.node[:2]] == ["DequantizeLinear", "DequantizeLinear"]
    del model.graph.node[:2]
    for each in (model, source):
        del each.graph.initializer[:]
    assert model.SerializeToString() == source.SerializeToString()


def test_weights_that_are_inputs_too(tmp_path: Path) -> None:
    """Models of the first versions list every initializer as an input."""
    infos = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, array.shape) for name, array in mlp_arrays().items()
    ]
    model = checked(compressed(tmp_path, mlp(opset=19, ir_version=3, inputs=infos), "int8"))
    assert model.ir_version == 4
    assert [each.name for each in model.graph.input] == ["x", "b1", "b2"]
    evaluated(model, {"x": sample()})


def test_a_quantized_model_is_kept_as_it_is(tmp_path: Path) -> None:
    first = compressed(tmp_path, mlp(), "int8", exclude=("w2",))
    again = tmp_path / "again.onnx"
    report = compress_file(first, again, CompressOptions(scheme="int4:group=32", layout="onnx"))
    reasons = {row["name"]: row["reason"] for row in report["tensors"]}
    assert reasons["w1"] == "onnx-quantized"
    assert reasons["w2"] is None
    assert np.array_equal(ours(first)["w1"], ours(again)["w1"])
    checked(again)


def test_external_data_comes_inside(tmp_path: Path) -> None:
    onnx.save_model(mlp(), tmp_path / "m.onnx", save_as_external_data=True, location="m.data", size_threshold=0)
    options = CompressOptions(scheme="int8", layout="onnx")
    compress_file(tmp_path / "m.onnx", tmp_path / "out.onnx", options)
    expected = compressed(tmp_path, mlp(), "int8").read_bytes()
    assert len((tmp_path / "out.onnx").read_bytes()) == len(expected)
    checked(tmp_path / "out.onnx")


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    first = compressed(tmp_path, mlp(), "int4:group=32:asymmetric").read_bytes()
    assert compressed(tmp_path, mlp(), "int4:group=32:asymmetric").read_bytes() == first


@pytest.mark.parametrize(
    ("scheme", "layout"),
    [
        ("int8", "onnx"),
        ("int8:group=32:asymmetric", "onnx"),
        ("int4:group=32:asymmetric", "onnx"),
        ("int2:group=32:asymmetric", "onnx"),
        ("fp8:group=32", "onnx"),
        ("int4:group=32:asymmetric", "onnx-matmulnbits"),
        ("int2:group=16:asymmetric", "onnx-matmulnbits"),
    ],
)
def test_bands_and_stripes_make_the_same_file(
    scheme: str, layout: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Zero points of an odd number of groups begin inside a byte; a turned matrix is written line by line."""
    source = mlp(opset=25, ir_version=13)
    whole = compressed(tmp_path, source, scheme, layout=layout).read_bytes()
    monkeypatch.setattr(numbers, "BAND_ELEMENTS", 300)
    assert compressed(tmp_path, source, scheme, layout=layout).read_bytes() == whole
    monkeypatch.setattr(onnx_coders, "HELD_BYTES", 0)
    assert compressed(tmp_path, source, scheme, layout=layout).read_bytes() == whole


def test_tied_tensors_are_stored_once_and_given_twice(tmp_path: Path) -> None:
    weight = torch.randn(64, 64, generator=torch.Generator().manual_seed(1))
    torch.save({"a.weight": weight, "b.weight": weight}, tmp_path / "source.pt")
    path = tmp_path / "target.onnx"
    compress_file(tmp_path / "source.pt", path, CompressOptions(scheme="int8", layout="onnx"))
    given = evaluated(checked(path))
    assert set(given) == {"a.weight", "b.weight"}
    assert np.array_equal(given["a.weight"], given["b.weight"])
    assert path.stat().st_size < 64 * 64 * 1.5


def test_products_become_matmulnbits(tmp_path: Path) -> None:
    path = compressed(tmp_path, mlp(opset=13), "int4:group=32:asymmetric", layout="onnx-matmulnbits")
    model = checked(path)
    first = model.graph.node[0]
    assert (first.op_type, first.domain, first.name, list(first.output)) == (
        "MatMulNBits",
        "com.microsoft",
        "first",
        ["a"],
    )
    shapes = {each.name: tuple(each.dims) for each in model.graph.initializer}
    assert shapes["w1_Q4G32"] == (96, 2, 16)
    assert shapes["w1_zero_point"] == (96, 1)
    assert "w1" not in shapes
    mine, original = ours(path), mlp_arrays()
    assert mine["w1"].shape == original["w1"].shape
    assert np.abs(mine["w1"] - original["w1"]).max() < 0.05
    assert np.array_equal(mine["w2"], original["w2"])


@pytest.mark.parametrize(
    ("scheme", "options", "code"),
    [
        ("int8:block=16x16", {}, "layout.granularity"),
        ("int8:scales=float16", {}, "layout.option"),
        ("int4:zero=float", {}, "layout.option"),
        ("int4:channel", {"layout": "onnx-matmulnbits"}, "layout.granularity"),
        ("int4:group=48", {"layout": "onnx-matmulnbits"}, "layout.granularity"),
        ("q4_0", {}, "layout.scheme"),
    ],
)
def test_options_without_a_place_are_refused(scheme: str, options: dict[str, str], code: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as caught:
        compressed(tmp_path, mlp(), scheme, **options)
    assert caught.value.code == code


def test_what_cannot_be_one_model_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(WeightFileError, match=r"onnx\.no-products"):
        compressed(tmp_path, TENSORS, "int4:group=32", layout="onnx-matmulnbits")
    monkeypatch.setattr(onnx_layout, "MOST_BYTES", 10_000)
    with pytest.raises(WeightFileError, match=r"onnx\.too-large-to-write"):
        compressed(tmp_path, mlp(), "int8")
    monkeypatch.setattr(onnx_graph, "MOST_FRAME_BYTES", 100)
    with pytest.raises(WeightFileError, match=r"onnx\.frame-too-large"):
        compressed(tmp_path, mlp(), "int8")


def test_a_plan_says_what_a_model_cannot_restore(tmp_path: Path) -> None:
    onnx.save(mlp(opset=13), tmp_path / "old.onnx")
    options = CompressOptions(scheme="int8", set=("w2=int4:group=32",), layout="onnx")
    plan = plan_only(tmp_path / "old.onnx", tmp_path / "out.onnx", options)
    rows = {row["name"]: row["reason"] for row in plan["tensors"]}
    assert rows["w2"] == "onnx-opset"
    assert rows["w1"] is None

"""ONNX: quantized initializers are read as onnxruntime computes them, bit for bit where it can run them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from app.errors import WeightFileError
from tests.layouts.reading import Back, read_back, same_bits

onnx: Any = pytest.importorskip("onnx")
onnxruntime: Any = pytest.importorskip("onnxruntime")
helper, numpy_helper, Proto = onnx.helper, onnx.numpy_helper, onnx.TensorProto


def _saved(
    path: Path, nodes: list[Any], tensors: list[Any], shape: tuple[int, ...], kind: int, inputs: Any = ()
) -> Any:
    output = helper.make_tensor_value_info(nodes[0].output[0], kind, shape)
    graph = helper.make_graph(nodes, "g", list(inputs), [output], tensors)
    opsets = [helper.make_opsetid("", 21), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=10)
    onnx.save(model, path)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _only(path: Path, name: str, count: int) -> Back:
    found = read_back(path)
    assert set(found) == {name}
    assert found[name].scheme.startswith("onnx ")
    assert len(found[name].weight.parts) == count
    return found[name]


_RANDOM = np.random.default_rng(4)


def _scales(shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
    return np.asarray(_RANDOM.random(shape) / 8 + 0.01, dtype=dtype)


@pytest.mark.parametrize(
    ("kind", "width"), [("INT8", 8), ("UINT8", 8), ("INT4", 4), ("UINT4", 4), ("INT16", 16), ("UINT16", 16)]
)
@pytest.mark.parametrize("dtype", [np.float32, np.float16])
@pytest.mark.parametrize(
    ("shape", "scale", "attributes"),
    [
        ((9, 31), (), {}),
        ((9, 31), (9,), {"axis": 0}),
        ((9, 31), (31,), {"axis": -1}),
        ((5, 3, 2, 2), (5,), {"axis": 0}),
        ((5, 3, 2, 2), (3,), {"axis": 1}),
        ((9, 64), (9, 4), {"axis": 1, "block_size": 16}),
        ((32, 7), (2, 7), {"axis": 0, "block_size": 16}),
    ],
)
@pytest.mark.parametrize("with_zero", [False, True])
def test_dequantize_linear(
    tmp_path: Path,
    kind: str,
    width: int,
    dtype: Any,
    shape: tuple[int, ...],
    scale: tuple[int, ...],
    attributes: dict[str, int],
    *,
    with_zero: bool,
) -> None:
    low = 0 if kind.startswith("U") else -(1 << (width - 1))
    number = getattr(Proto, kind)

    def codes(size: tuple[int, ...], name: str) -> Any:
        values = _RANDOM.integers(low, low + (1 << width), size)
        return helper.make_tensor(name, number, size, np.asarray(values).flatten().tolist())

    scales = numpy_helper.from_array(_scales(scale, dtype), "w_scale")
    tensors = [codes(shape, "w_quantized"), scales]
    if with_zero:
        tensors.append(codes(scale, "w_zero_point"))
    node = helper.make_node("DequantizeLinear", [tensor.name for tensor in tensors], ["w"], **attributes)
    floats = Proto.FLOAT if dtype is np.float32 else Proto.FLOAT16
    session = _saved(tmp_path / "m.onnx", [node], tensors, shape, floats)
    back = _only(tmp_path / "m.onnx", "w", len(tensors))
    assert same_bits(back.numbers, torch.from_numpy(session.run(None, {})[0]))


@pytest.mark.parametrize("kind", ["FLOAT8E4M3FN", "FLOAT8E5M2", "FLOAT8E4M3FNUZ", "FLOAT8E5M2FNUZ"])
def test_float8(tmp_path: Path, kind: str) -> None:
    values = _RANDOM.standard_normal((9, 31)).flatten().tolist()
    tensors = [
        helper.make_tensor("c", getattr(Proto, kind), (9, 31), values),
        numpy_helper.from_array(_scales((9,), np.float32), "s"),
    ]
    node = helper.make_node("DequantizeLinear", ["c", "s"], ["w"], axis=0)
    session = _saved(tmp_path / "m.onnx", [node], tensors, (9, 31), Proto.FLOAT)
    back = _only(tmp_path / "m.onnx", "w", 2)
    assert same_bits(back.numbers, torch.from_numpy(session.run(None, {})[0]))


# The runtime has no kernel for 8 bits with zero points that are floats.
@pytest.mark.parametrize(
    ("bits", "zero"),
    [(bits, zero) for bits in (2, 4, 8) for zero in ("none", "packed", "float") if (bits, zero) != (8, "float")],
)
@pytest.mark.parametrize("columns", [96, 80])
def test_matmul_n_bits(tmp_path: Path, bits: int, zero: str, columns: int) -> None:
    """The product with a unit matrix is the weight; the runtime adds up zeros and one number."""
    rows, size = 12, 32
    across = -(-columns // size)
    names = ["x", "w_Q4", "w_scales"]
    tensors = [
        numpy_helper.from_array(_RANDOM.integers(0, 256, (rows, across, size * bits // 8)).astype(np.uint8), names[1]),
        numpy_helper.from_array(_scales((rows * across,), np.float32), names[2]),
    ]
    if zero != "none":
        names.append("w_zero_points")
        packed = _RANDOM.integers(0, 256, (rows * -(-across * bits // 8),)).astype(np.uint8)
        floats = (_RANDOM.random(rows * across) * 8).astype(np.float32)
        tensors.append(numpy_helper.from_array(packed if zero == "packed" else floats, names[3]))
    node = helper.make_node(
        "MatMulNBits", names, ["y"], domain="com.microsoft", K=columns, N=rows, bits=bits, block_size=size
    )
    inputs = [helper.make_tensor_value_info("x", Proto.FLOAT, (columns, columns))]
    path = tmp_path / "m.onnx"
    session = _saved(path, [node], tensors, (columns, rows), Proto.FLOAT, inputs)
    expected = session.run(None, {"x": np.eye(columns, dtype=np.float32)})[0]
    back = _only(path, "w", len(tensors))
    assert np.allclose(back.numbers.numpy(), expected, rtol=1e-6, atol=1e-7)


def test_what_a_graph_computes_stays_what_is_stored(tmp_path: Path) -> None:
    tensors = [
        numpy_helper.from_array(np.zeros((4, 4), np.int8), "w_quantized"),
        numpy_helper.from_array(np.ones(3, np.float32), "w_scale"),
    ]
    node = helper.make_node("DequantizeLinear", ["w_quantized", "w_scale"], ["y"], axis=0)
    graph = helper.make_graph([node], "g", [], [helper.make_tensor_value_info("y", 1, (4, 4))], tensors)
    onnx.save(helper.make_model(graph), tmp_path / "m.onnx")
    assert set(read_back(tmp_path / "m.onnx")) == {"w_quantized", "w_scale"}


_ANY = st.one_of(st.integers(-2, 70), st.integers(-(2**63), 2**63 - 1))
_SHAPES = st.lists(st.integers(0, 9), max_size=4)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    operator=st.sampled_from(["DequantizeLinear", "MatMulNBits"]),
    shapes=st.lists(_SHAPES, min_size=3, max_size=3),
    kinds=st.lists(st.sampled_from([np.uint8, np.int8, np.float32, np.float16, np.int64]), min_size=3, max_size=3),
    attributes=st.dictionaries(st.sampled_from(["axis", "block_size", "K", "N", "bits"]), _ANY),
    count=st.integers(0, 5),
)
def test_nodes_that_say_anything(
    tmp_path: Path, operator: str, shapes: Any, kinds: Any, attributes: dict[str, int], count: int
) -> None:
    arrays = [np.ones(shape, kind) for shape, kind in zip(shapes, kinds, strict=True)]
    tensors = [numpy_helper.from_array(array, f"t{place}") for place, array in enumerate(arrays)]
    inputs = ["x", "t0", "t1", "t2", ""][operator == "DequantizeLinear" :][:count]
    node = helper.make_node(operator, inputs, ["y"], **attributes)
    graph = helper.make_graph([node], "g", [], [helper.make_tensor_value_info("y", 1, (4, 4))], tensors)
    onnx.save(helper.make_model(graph), tmp_path / "m.onnx")
    try:
        found = read_back(tmp_path / "m.onnx")
    except WeightFileError as error:
        assert error.code.startswith(("layout.", "tensor.")), error  # noqa: PT017 - a refusal of ours
        return
    assert set(found) <= {"t0", "t1", "t2"}

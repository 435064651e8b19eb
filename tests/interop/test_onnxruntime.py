"""onnxruntime runs the ONNX models that are written: weights and products are those that we read back."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from app.tasks.compress_file import compress_file
from app.tasks.compress_options import CompressOptions
from tests.layouts.onnx_models import Array, checked, compressed, mlp, ours, sample

TENSORS = {
    "a.weight": torch.randn(64, 96, generator=torch.Generator().manual_seed(1)),
    "b.weight": torch.randn(48, 128, generator=torch.Generator().manual_seed(2)).half(),
    "c.weight": torch.randn(16, 64, generator=torch.Generator().manual_seed(4)).bfloat16(),
    "conv.weight": torch.randn(8, 4, 3, 4, generator=torch.Generator().manual_seed(3)),
    "a.bias": torch.arange(64.0),
    "steps": torch.arange(5),
}


def run(path: Path, feeds: Mapping[str, Any] | None = None, *, optimized: bool = True) -> dict[str, Array]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    if not optimized:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    names = [each.name for each in session.get_outputs()]
    return dict(zip(names, session.run(names, dict(feeds or {})), strict=True))


@pytest.mark.parametrize(
    "scheme",
    [
        *("int8", "int8:asymmetric", "int8:tensor", "int8:tensor:asymmetric", "int8:group=32", "int2:group=16"),
        *("int4:group=32", "int4:group=32:asymmetric", "int4:channel:asymmetric", "int4:tensor:asymmetric"),
        *("fp8", "fp8:tensor", "fp8:group=32"),
    ],
)
def test_the_weights_are_those_that_we_read(scheme: str, tmp_path: Path) -> None:
    path = compressed(tmp_path, TENSORS, scheme)
    mine, theirs = ours(path), run(path)
    assert set(mine) == set(theirs) == set(TENSORS)
    for name, values in mine.items():
        assert values.dtype == theirs[name].dtype
        assert np.array_equal(values, theirs[name]), name


@pytest.mark.parametrize("opset", [10, 13, 17, 21])
@pytest.mark.parametrize("dtype", [np.float32, np.float16])
@pytest.mark.parametrize("scheme", ["int8", "int8:tensor", "int8:asymmetric", "int4:channel:asymmetric"])
def test_a_model_of_any_age_computes_with_the_weights_that_we_read(
    scheme: str, dtype: Any, opset: int, tmp_path: Path
) -> None:
    _check(mlp(opset=opset, ir_version=8, dtype=dtype), scheme, "onnx", dtype, tmp_path)


@pytest.mark.parametrize("scheme", ["int4:group=32", "int4:group=16:asymmetric", "fp8", "bfloat16", "float8_e4m3fn"])
@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_a_new_model_computes_with_the_weights_that_we_read(scheme: str, dtype: Any, tmp_path: Path) -> None:
    _check(mlp(dtype=dtype), scheme, "onnx", dtype, tmp_path)


@pytest.mark.parametrize("bits", [2, 4, 8])
@pytest.mark.parametrize("rest", ["group=32", "group=16:asymmetric", "group=64:asymmetric"])
@pytest.mark.parametrize("opset", [11, 21])
def test_matmulnbits_multiplies_by_the_weights_that_we_read(bits: int, rest: str, opset: int, tmp_path: Path) -> None:
    _check(mlp(opset=opset), f"int{bits}:{rest}", "onnx-matmulnbits", np.float32, tmp_path)


def _check(source: onnx.ModelProto, scheme: str, layout: str, dtype: Any, folder: Path) -> None:
    path = compressed(folder, source, scheme, layout=layout)
    checked(path)
    x, mine = sample(dtype), {name: array.astype(np.float64) for name, array in ours(path).items()}
    expected = np.maximum(x @ mine["w1"] + mine["b1"], 0) @ mine["w2"].T + mine["b2"]
    tolerance = 1e-5 if dtype is np.float32 else 0.02
    assert np.allclose(run(path, {"x": x}, optimized=False)["y"], expected, atol=tolerance)
    # Optimized, the runtime may round otherwise, and take 8 bits for what is multiplied too.
    before = run(folder / "source.onnx", {"x": x})["y"].astype(np.float64)
    error = np.linalg.norm(run(path, {"x": x})["y"] - before) / np.linalg.norm(before)
    assert (
        error < {"8": 0.02, "4": 0.3, "2": 0.7, "p": 0.06, "f": 0.06, "l": 0.06}[scheme[3] if scheme[0] == "i" else "p"]
    )


def test_a_models_own_quantizer_is_read(tmp_path: Path) -> None:
    """onnxruntime's static form is read weight by weight, under the names that they had."""
    quantization = pytest.importorskip("onnxruntime.quantization")
    onnx.save(mlp(opset=17, ir_version=8), tmp_path / "m.onnx")

    class Reader(quantization.CalibrationDataReader):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            self.left = [{"x": sample()}]

        def get_next(self) -> Any:
            return self.left.pop() if self.left else None

    out = tmp_path / "q.onnx"
    quantization.quantize_static(
        str(tmp_path / "m.onnx"), str(out), Reader(), quant_format=quantization.QuantFormat.QDQ, per_channel=True
    )
    mine = ours(out)
    original = {
        each.name: onnx.numpy_helper.to_array(each) for each in onnx.load(tmp_path / "m.onnx").graph.initializer
    }
    for name in ("w1", "w2"):
        assert np.abs(mine[name] - original[name]).max() < 0.01
    report = compress_file(
        out, tmp_path / "again.onnx", CompressOptions(scheme="float16", layout="onnx", include=("b1",))
    )
    assert report["tensors"]

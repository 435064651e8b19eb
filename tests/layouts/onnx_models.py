"""Small ONNX models to compress, and what onnx's own evaluator makes of the results."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from safetensors.torch import save_file

from app.layouts.weights import WeightReader, find_weights
from app.tasks.compress_file import compress_file
from app.tasks.compress_options import CompressOptions
from app.weightfiles.range_reader import WeightFile

Array = NDArray[Any]
INPUTS = 64
OUTPUTS = 32


def mlp_arrays(dtype: Any = np.float32) -> dict[str, Array]:
    random = np.random.default_rng(5)
    shapes = {"w1": (INPUTS, 96), "b1": (96,), "w2": (OUTPUTS, 96), "b2": (OUTPUTS,)}
    return {name: (random.standard_normal(shape) / 8).astype(dtype) for name, shape in shapes.items()}


def mlp(
    *, opset: int = 21, ir_version: int = 10, dtype: Any = np.float32, more: Sequence[Any] = (), inputs: Any = ()
) -> onnx.ModelProto:
    """MatMul by `w1`, then Gemm by `w2` turned."""
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    nodes = [
        helper.make_node("MatMul", ["x", "w1"], ["a"], name="first"),
        helper.make_node("Add", ["a", "b1"], ["b"]),
        helper.make_node("Relu", ["b"], ["c"]),
        helper.make_node("Gemm", ["c", "w2", "b2"], ["y"], name="second", transB=1),
    ]
    tensors = [numpy_helper.from_array(array, name) for name, array in mlp_arrays(dtype).items()]
    graph = helper.make_graph(
        nodes,
        "mlp",
        [helper.make_tensor_value_info("x", kind, ["n", INPUTS]), *inputs],
        [helper.make_tensor_value_info("y", kind, ["n", OUTPUTS])],
        [*tensors, *more],
        doc_string="a graph",
        value_info=[helper.make_tensor_value_info("w1", kind, [INPUTS, 96])],
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=ir_version, producer_name="somebody"
    )
    helper.set_model_props(model, {"author": "a person"})
    return model


def sample(dtype: Any = np.float32) -> Array:
    return np.random.default_rng(6).standard_normal((5, INPUTS)).astype(dtype)


def compressed(folder: Path, source: onnx.ModelProto | Mapping[str, torch.Tensor], scheme: str, **options: Any) -> Path:
    """The model, or the tensors as safetensors, compressed to ONNX."""
    if isinstance(source, onnx.ModelProto):
        path = folder / "source.onnx"
        onnx.save(source, path)
    else:
        path = folder / "source.safetensors"
        save_file(dict(source), path)
    target = folder / "target.onnx"
    compress_file(path, target, CompressOptions(scheme=scheme, **{"layout": "onnx", **options}), force=True)
    return target


def ours(path: Path) -> dict[str, Array]:
    """All weights by our reader, as float32 where numpy has no such type."""
    with WeightFile(path) as file:
        reader = WeightReader(file)
        found = {}
        for weight in find_weights(file):
            if weight.is_readable:
                chunks = [chunk.clone() for _, chunk in reader.chunks(weight)]
                values = torch.cat(chunks) if chunks else torch.empty(0)
                wide = values.to(torch.float32) if values.dtype is torch.bfloat16 else values
                found[weight.name] = wide.view(weight.shape).numpy()
        return found


def checked(path: Path) -> onnx.ModelProto:
    onnx.checker.check_model(str(path), full_check=True)
    return onnx.load(path)


def evaluated(model: onnx.ModelProto, feeds: Mapping[str, Array] | None = None) -> dict[str, Array]:
    """The outputs by onnx's reference evaluator."""
    evaluator = ReferenceEvaluator(model)
    return dict(zip(evaluator.output_names, evaluator.run(None, dict(feeds or {})), strict=True))

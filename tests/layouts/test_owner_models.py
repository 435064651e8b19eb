"""Whole models that owners saved: expanded, they load in transformers without a word and say the same."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from app.tasks.expand_file import expand_file

# transformers, torchao and bitsandbytes use what torch has deprecated.
pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.slow]
TOKENS = torch.arange(12).view(2, 6)


def _llama(dtype: torch.dtype = torch.bfloat16, *, tied: bool = False) -> Any:
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(3)
    config = LlamaConfig(
        vocab_size=64,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        tie_word_embeddings=tied,
    )
    return LlamaForCausalLM(config).to(dtype).eval()


def _logits(model: Any) -> Tensor:
    with torch.no_grad():
        found: Tensor = model(TOKENS).logits
    return found


def _loaded(folder: Path, **more: Any) -> Any:
    from transformers import AutoModelForCausalLM

    model, told = AutoModelForCausalLM.from_pretrained(folder, output_loading_info=True, **more)
    assert not told["missing_keys"]
    assert not told["unexpected_keys"]
    assert not told["mismatched_keys"]
    return model.eval()


def _expanded(folder: Path, target: Path, **more: Any) -> Any:
    report = expand_file(folder, target, **more)
    config = json.loads((target / "config.json").read_text())
    assert "quantization_config" not in config
    assert {row["name"] for row in report["tensors"] if "quant" in row["name"] or "scale" in row["name"]} == set()
    return _loaded(target)


@pytest.mark.parametrize("nested", [True, False])
def test_bitsandbytes(tmp_path: Path, *, nested: bool) -> None:
    from transformers import BitsAndBytesConfig

    _llama().save_pretrained(tmp_path / "plain")
    told = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=nested,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )
    quantized = _loaded(tmp_path / "plain", quantization_config=told, device_map="cpu")
    quantized.save_pretrained(tmp_path / "stored")
    mine = _expanded(tmp_path / "stored", tmp_path / "mine")
    assert mine.dtype is torch.bfloat16
    owners = quantized.dequantize(dtype=torch.bfloat16).state_dict()
    for name, numbers in mine.state_dict().items():
        assert torch.equal(numbers, owners[name]), name


@pytest.mark.parametrize("kind", ["Int8WeightOnlyConfig", "Float8WeightOnlyConfig", "IntxWeightOnlyConfig"])
def test_torchao(tmp_path: Path, kind: str) -> None:
    import torchao.quantization
    from transformers import TorchAoConfig

    _llama().save_pretrained(tmp_path / "plain")
    told = TorchAoConfig(getattr(torchao.quantization, kind)())
    quantized = _loaded(tmp_path / "plain", quantization_config=told, device_map="cpu")
    quantized.save_pretrained(tmp_path / "stored")
    mine = _expanded(tmp_path / "stored", tmp_path / "mine")
    for name, stored in quantized.state_dict().items():
        owner = stored.dequantize() if hasattr(stored, "qdata") else stored
        assert torch.equal(mine.state_dict()[name], owner), name


def test_mixed_compressed_tensors(tmp_path: Path) -> None:
    from compressed_tensors.compressors import ModelCompressor
    from compressed_tensors.quantization import QuantizationConfig, apply_quantization_config

    model = _llama(torch.float32)
    whole = {"num_bits": 4, "type": "int", "strategy": "group", "group_size": 32, "symmetric": True}
    byte = {"num_bits": 8, "type": "float", "strategy": "channel", "symmetric": True}
    config = QuantizationConfig(
        config_groups={
            "group_0": {"targets": ["re:.*self_attn.*"], "weights": whole},
            "group_1": {"targets": ["re:.*mlp.*"], "weights": byte},
        },
        ignore=["lm_head"],
    )
    apply_quantization_config(model, config)
    for module in model.modules():
        scheme = getattr(module, "quantization_scheme", None)
        if scheme is not None:
            rows, columns = module.weight.shape
            blocks = module.weight.data.view(rows, -1, 32 if scheme.weights.num_bits == 4 else columns)
            largest = 7 if scheme.weights.num_bits == 4 else 448
            module.weight_scale.data = blocks.abs().amax(dim=2) / largest
    compressor = ModelCompressor.from_pretrained_model(model)
    compressor.compress_model(model)
    model.save_pretrained(tmp_path / "stored")
    compressor.update_config(str(tmp_path / "stored"))
    stored = load_file(tmp_path / "stored" / "model.safetensors")
    assert any(name.endswith("weight_packed") for name in stored)
    mine = _expanded(tmp_path / "stored", tmp_path / "mine")
    compressor.decompress_model(model)
    for name, numbers in mine.state_dict().items():
        assert torch.equal(numbers, model.state_dict()[name]), name
    assert torch.equal(_logits(mine), _logits(_loaded(tmp_path / "stored")))


def test_a_tied_head(tmp_path: Path) -> None:
    model = _llama(tied=True)
    model.save_pretrained(tmp_path / "stored")
    mine = _expanded(tmp_path / "stored", tmp_path / "mine", dtype="float32")
    assert mine.lm_head.weight is mine.model.embed_tokens.weight
    owners = model.float().state_dict()
    for name, numbers in mine.state_dict().items():
        assert torch.equal(numbers, owners[name]), name

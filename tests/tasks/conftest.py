import math
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A small model with something of everything: long rows, odd columns, NaN in a norm, integers, an empty tensor."""
    generator = torch.Generator().manual_seed(7)
    tensors = {
        "model.embed_tokens.weight": torch.randn(50, 24, generator=generator),
        "model.layers.0.q_proj.weight": torch.randn(24, 37, generator=generator),
        "model.layers.0.k_proj.weight": torch.randn(24, 37, generator=generator).to(torch.bfloat16),
        "model.layers.0.v_proj.weight": torch.randn(24, 37, generator=generator).to(torch.float16),
        "model.layers.0.o_proj.weight": torch.randn(24, 37, generator=generator).to(torch.float64),
        "model.layers.0.blank.weight": torch.zeros(3, 8),
        "model.layers.0.conv.weight": torch.randn(4, 3, 3, generator=generator),
        "model.layers.0.norm.weight": torch.tensor([1.0, math.nan, math.inf, -0.0]),
        "model.layers.0.q_proj.bias": torch.randn(24, generator=generator),
        "model.layers.0.loose": torch.randn(5, 6, generator=generator),
        "position_ids": torch.arange(7),
        "empty.weight": torch.zeros(0, 4),
        "lm_head.weight": torch.randn(50, 24, generator=generator),
    }
    path = tmp_path / "model.safetensors"
    save_file(tensors, path, metadata={"format": "pt"})
    return path

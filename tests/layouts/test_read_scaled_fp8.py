"""FP8 tiles as DeepSeek has them, against transformers' own dequantization; NVFP4 as ModelOpt spells it."""

from pathlib import Path

import pytest
import torch

from app.formats import find_format
from tests.layouts.reading import read_back, same_bits, save

pytestmark = pytest.mark.filterwarnings("ignore")
NAME = "model.layers.0.mlp.up_proj.weight"


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("scale", [torch.float32, torch.bfloat16, torch.float8_e8m0fnu])
def test_tiles(tmp_path: Path, dtype: torch.dtype, scale: torch.dtype) -> None:
    from transformers.integrations.finegrained_fp8 import Fp8Dequantize

    generator = torch.Generator().manual_seed(1)
    codes = torch.randn(256, 384, generator=generator).to(torch.float8_e4m3fn)
    scales = (torch.rand(2, 3, generator=generator) / 256 + 2.0**-9).to(scale)
    expected = Fp8Dequantize(None)._dequantize_one(codes, scales, dtype)
    config = {
        "torch_dtype": str(dtype).removeprefix("torch."),
        "quantization_config": {"quant_method": "fp8", "weight_block_size": [128, 128]},
    }
    found = read_back(save(tmp_path, {NAME: codes, f"{NAME}_scale_inv": scales}, config))
    assert list(found) == [NAME]
    assert found[NAME].scheme == "fp8 fp8:block=128x128"
    assert same_bits(found[NAME].numbers, expected)


def test_last_tiles_may_be_short(tmp_path: Path) -> None:
    codes = torch.randn(200, 130, generator=torch.Generator().manual_seed(1)).to(torch.float8_e4m3fn)
    scales = torch.rand(2, 2) + 0.1
    spread = scales.repeat_interleave(128, 0).repeat_interleave(128, 1)[:200, :130]
    (back,) = read_back(save(tmp_path, {NAME: codes, f"{NAME}_scale_inv": scales})).values()
    assert same_bits(back.numbers, codes.float() * spread)


def test_nvfp4_of_modelopt(tmp_path: Path) -> None:
    generator = torch.Generator().manual_seed(2)
    packed = torch.randint(0, 256, (12, 32), generator=generator).to(torch.uint8)
    scales = (torch.rand(12, 4, generator=generator) * 448).to(torch.float8_e4m3fn)
    whole = torch.tensor(0.0007)
    parts = {NAME: packed, f"{NAME}_scale": scales, f"{NAME}_scale_2": whole}
    parts[NAME.replace("weight", "input_scale")] = torch.tensor(0.1)
    found = read_back(save(tmp_path, parts))
    assert list(found) == [NAME]
    levels = torch.tensor([0, 0.5, 1, 1.5, 2, 3, 4, 6, -0.0, -0.5, -1, -1.5, -2, -3, -4, -6])
    codes = torch.stack((packed & 15, packed >> 4), dim=2).view(12, 64).int()
    expected = levels[codes] * (scales.float() * whole).repeat_interleave(16, dim=1)
    assert found[NAME].scheme == "modelopt nvfp4"
    assert same_bits(found[NAME].numbers, expected.to(torch.bfloat16))
    assert find_format(found[NAME].weight.format).name == "bfloat16"

"""bitsandbytes: what its own quantizers store is read as its own dequantizers read it, bit for bit."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.layouts.reading import read_back, same_bits, save

pytestmark = pytest.mark.filterwarnings("ignore")
functional: Any = pytest.importorskip("bitsandbytes.functional")

NAME = "model.layers.0.self_attn.q_proj.weight"


@pytest.mark.parametrize("kind", ["nf4", "fp4"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("nested", [True, False])
@pytest.mark.parametrize(("shape", "block"), [((48, 64), 64), ((7, 50), 128), ((130, 128), 64)])
def test_four_bits(
    tmp_path: Path, kind: str, dtype: torch.dtype, shape: tuple[int, int], block: int, *, nested: bool
) -> None:
    values = torch.randn(shape, generator=torch.Generator().manual_seed(3)).to(dtype)
    packed, state = functional.quantize_4bit(values, blocksize=block, compress_statistics=nested, quant_type=kind)
    expected = functional.dequantize_4bit(packed, state)
    back = _read(tmp_path, packed, state.as_dict(packed=True))
    text = f"bitsandbytes {kind}:block={block}" + (":double-quant" if nested else "")
    assert back.scheme == text
    assert same_bits(back.numbers, expected)


def test_codes_in_wider_elements(tmp_path: Path) -> None:
    values = torch.randn(16, 64, generator=torch.Generator().manual_seed(3)).to(torch.bfloat16)
    packed, state = functional.quantize_4bit(values, quant_type="nf4", quant_storage=torch.bfloat16)
    expected = functional.dequantize_4bit(packed, state)
    assert same_bits(_read(tmp_path, packed, state.as_dict(packed=True)).numbers, expected)


def _read(folder: Path, packed: Tensor, parts: dict[str, Tensor]) -> Any:
    found = read_back(save(folder, {NAME: packed, **{f"{NAME}.{name}": part for name, part in parts.items()}}))
    assert list(found) == [NAME]
    return found[NAME]


@pytest.mark.parametrize("with_format", [True, False])
def test_eight_bits(tmp_path: Path, *, with_format: bool) -> None:
    values = torch.randn(33, 40, generator=torch.Generator().manual_seed(3)).to(torch.float16)
    codes, scales, _ = functional.int8_vectorwise_quant(values)
    expected = functional.int8_vectorwise_dequant(codes, scales)
    prefix = NAME.removesuffix("weight")
    parts = {NAME: codes, f"{prefix}SCB": scales}
    if with_format:
        parts[f"{prefix}weight_format"] = torch.tensor(0, dtype=torch.uint8)
    found = read_back(save(tmp_path, parts))
    assert list(found) == [NAME]
    assert found[NAME].scheme == "bitsandbytes int8:channel"
    assert same_bits(found[NAME].numbers, expected)

"""What MLX itself reads out of the tensors that are written for it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from app.errors import InvalidInput
from tests.layouts.coding import NAME, Coded

mx = pytest.importorskip("mlx.core")
MODULE = NAME.removesuffix(".weight")


def to_mlx(tensor: torch.Tensor) -> Any:
    if tensor.dtype in (torch.bfloat16, torch.float16):
        return mx.array(tensor.float().numpy()).astype(mx.bfloat16 if tensor.dtype is torch.bfloat16 else mx.float16)
    return mx.array(tensor.numpy())


def read_by_owner(coded: Coded, dtype: torch.dtype) -> torch.Tensor:
    tensors, said = coded.tensors, coded.description.config["quantization"]
    biases = tensors.get(f"{MODULE}.biases")
    found = mx.dequantize(
        to_mlx(tensors[NAME]),
        to_mlx(tensors[f"{MODULE}.scales"]),
        None if biases is None else to_mlx(biases),
        group_size=said["group_size"],
        bits=said["bits"],
        mode=said["mode"],
    )
    return torch.from_numpy(np.array(found.astype(mx.float32))).to(dtype)


@pytest.mark.parametrize("bits", [2, 3, 4, 5, 6, 8])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_the_owner_reads_what_we_read(bits: int, dtype: torch.dtype, tmp_path: Path) -> None:
    values = torch.randn(24, 192, generator=torch.Generator().manual_seed(bits)).to(dtype)
    coded = Coded(tmp_path, "mlx", f"affine{bits}", values, band_elements=1024)
    theirs = read_by_owner(coded, dtype)
    sums = coded.outcome.sums
    assert sums is not None
    assert sums.error_squares == pytest.approx((theirs.double() - values.double()).square().sum().item(), rel=1e-9)
    assert coded.description.metadata["format"] == "mlx"


@pytest.mark.parametrize("scheme", ["mxfp4", "mxfp8"])
def test_microscaling(scheme: str, tmp_path: Path) -> None:
    values = torch.randn(8, 96, generator=torch.Generator().manual_seed(3))
    coded = Coded(tmp_path, "mlx", scheme, values)
    theirs = read_by_owner(coded, torch.float32)
    sums = coded.outcome.sums
    assert sums is not None
    assert sums.error_squares == pytest.approx((theirs.double() - values.double()).square().sum().item(), rel=1e-9)


def test_groups_that_it_has_no_kernels_for_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as caught:
        Coded(tmp_path, "mlx", "affine4:group=16", torch.randn(4, 64))
    assert caught.value.code == "layout.granularity"

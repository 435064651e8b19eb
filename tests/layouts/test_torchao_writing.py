"""What torchao itself makes of the tensors and metadata that are written for it."""

from pathlib import Path
from typing import Any

import pytest
import torch

from app.errors import InvalidInput
from tests.layouts.coding import NAME, Coded

# torchao uses what torch has deprecated; torch says so where it is imported.
pytestmark = pytest.mark.filterwarnings("ignore")


def read_by_owner(coded: Coded) -> Any:
    from torchao.prototype.safetensors.safetensors_support import unflatten_tensor_state_dict

    metadata = {key: str(value) for key, value in coded.description.metadata.items()}
    found, _left = unflatten_tensor_state_dict(coded.tensors, metadata)
    return found[NAME]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(
    ("scheme", "kind"),
    [
        ("int8", "Int8Tensor"),
        ("int8:group=32:absmax", "Int8Tensor"),
        ("int8:tensor", "Int8Tensor"),
        ("fp8", "Float8Tensor"),
        ("fp8:tensor", "Float8Tensor"),
        ("fp8:block=128x128", "Float8Tensor"),
        ("mxfp8", "MXTensor"),
        ("mxfp4", "MXTensor"),
    ],
)
def test_the_owner_reads_what_we_read(scheme: str, kind: str, dtype: torch.dtype, tmp_path: Path) -> None:
    values = torch.randn(256, 384, generator=torch.Generator().manual_seed(4)).to(dtype)
    coded = Coded(tmp_path, "torchao", scheme, values, band_elements=1 << 14)
    theirs = read_by_owner(coded)
    assert type(theirs).__name__ == kind
    numbers = theirs.dequantize()
    assert numbers.dtype is dtype
    assert torch.equal(coded.read_back(tmp_path), numbers)
    sums = coded.outcome.sums
    assert sums is not None
    assert sums.error_squares == pytest.approx((numbers.double() - values.double()).square().sum().item(), rel=1e-9)


@pytest.mark.parametrize("scheme", ["int8:asymmetric", "int8:block=16x16", "fp8:group=64"])
def test_options_without_a_place_are_refused(scheme: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as caught:
        Coded(tmp_path, "torchao", scheme, torch.randn(64, 128))
    assert caught.value.code in {"layout.option", "layout.granularity"}

"""What bitsandbytes itself reads out of the tensors that are written for it."""

from pathlib import Path

import pytest
import torch

from app.errors import WeightFileError
from tests.layouts.coding import NAME, Coded

functional = pytest.importorskip("bitsandbytes.functional")


def read_by_owner(coded: Coded) -> torch.Tensor:
    tensors = coded.tensors
    state_parts = {name.removeprefix(f"{NAME}."): value for name, value in tensors.items() if name != NAME}
    state = functional.QuantState.from_dict(state_parts, device=torch.device("cpu"))
    found: torch.Tensor = functional.dequantize_4bit(tensors[NAME], state)
    return found


@pytest.mark.parametrize("scheme", ["nf4", "fp4:block=128", "nf4:double-quant", "fp4:block=32:double-quant:absmax"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize(("rows", "columns"), [(48, 256), (7, 100), (3, 33)])
def test_the_owner_reads_what_we_read(scheme: str, dtype: torch.dtype, rows: int, columns: int, tmp_path: Path) -> None:
    values = torch.randn(rows, columns, generator=torch.Generator().manual_seed(rows)).to(dtype)
    values[0, :5] = 0
    coded = Coded(tmp_path, "bitsandbytes", scheme, values, band_elements=1024)
    theirs = read_by_owner(coded)
    assert theirs.dtype is dtype
    assert theirs.shape == values.shape
    sums = coded.outcome.sums
    assert sums is not None
    error = (theirs.double() - values.double()).square().sum().item()
    assert sums.error_squares == pytest.approx(error, rel=1e-9)
    assert error < values.double().square().sum().item() / 30
    assert torch.equal(coded.read_back(tmp_path), theirs)


@pytest.mark.parametrize("scheme", ["nf4", "nf4:double-quant"])
def test_bands_change_nothing(scheme: str, tmp_path: Path) -> None:
    values = torch.randn(40, 192, generator=torch.Generator().manual_seed(1))
    small, whole = (
        Coded(tmp_path, "bitsandbytes", scheme, values, band_elements=count).tensors for count in (512, 1 << 20)
    )
    assert small.keys() == whole.keys()
    assert all(torch.equal(small[name], whole[name]) for name in small)


@pytest.mark.parametrize("scheme", ["int8", "int8:absmax"])
def test_int8_rows(scheme: str, tmp_path: Path) -> None:
    values = torch.randn(20, 77, generator=torch.Generator().manual_seed(2))
    values[3] = 0
    coded = Coded(tmp_path, "bitsandbytes", scheme, values, band_elements=256)
    tensors = coded.tensors
    scb = tensors[f"{NAME.removesuffix('weight')}SCB"]
    theirs = functional.int8_vectorwise_dequant(tensors[NAME], scb)
    assert torch.equal(coded.read_back(tmp_path), theirs)
    sums = coded.outcome.sums
    assert sums is not None
    assert sums.error_squares == pytest.approx((theirs.double() - values.double()).square().sum().item(), rel=1e-9)
    assert float((theirs - values).abs().max()) < float(values.abs().max()) / 200


def test_numbers_that_are_not_finite_are_counted(tmp_path: Path) -> None:
    values = torch.randn(4, 64)
    values[1, 2], values[3, 4] = torch.nan, torch.inf
    with pytest.raises(WeightFileError) as caught:
        Coded(tmp_path, "bitsandbytes", "nf4", values)
    assert caught.value.code == "compress.not-finite"
    assert (caught.value.figures["nans"], caught.value.figures["infinities"]) == (1, 1)

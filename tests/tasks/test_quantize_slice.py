"""Parts of tensors by byte ranges, against safetensors' own reader and torch's indexing."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from app.errors import AppError, WeightFileError
from app.tasks.quantize_slice import TensorPlace, parse_place, read_slice

TENSORS = {
    "layer.weight": torch.randn(12, 40, generator=torch.Generator().manual_seed(1)),
    "half": torch.randn(7, 9, generator=torch.Generator().manual_seed(2)).to(torch.bfloat16),
    "conv": torch.arange(2 * 3 * 4 * 5, dtype=torch.float32).view(2, 3, 4, 5),
    "bias": torch.arange(6, dtype=torch.float64) / 3,
    "codes": torch.arange(6, dtype=torch.int8).view(2, 3),
    "none": torch.empty(0, 4),
    "one": torch.tensor(2.5),
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "a:b.safetensors"
    save_file(TENSORS, found)
    return found


@pytest.mark.parametrize(
    ("name", "place", "rows", "columns"),
    [
        ("layer.weight", "[0:8,0:16]", slice(0, 8), slice(0, 16)),
        ("layer.weight", "[3,5:]", slice(3, 4), slice(5, None)),
        ("layer.weight", "[:,7]", slice(None), slice(7, 8)),
        ("layer.weight", "[2:5]", slice(2, 5), slice(None)),
        ("layer.weight", "", slice(None), slice(None)),
        ("layer.weight", "[10:99,38:99]", slice(10, 12), slice(38, 40)),
        ("half", "[1:3,2:4]", slice(1, 3), slice(2, 4)),
        ("conv", "[1,10:30]", slice(1, 2), slice(10, 30)),
        ("bias", "[:,1:4]", slice(None), slice(1, 4)),
        ("codes", "", slice(None), slice(None)),
        ("one", "", slice(None), slice(None)),
    ],
)
def test_parts(path: Path, name: str, place: str, rows: slice, columns: slice) -> None:
    found = read_slice(parse_place(f"{path}:{name}{place}"))
    tensor = TENSORS[name].to(torch.float32)
    matrix = tensor.reshape(tensor.shape[0], -1) if tensor.dim() > 1 else tensor.reshape(1, -1)
    assert torch.equal(found.values, matrix[rows, columns])
    assert found.values.is_contiguous()
    assert found.whole == tuple(matrix.shape)


def test_without_a_name_the_largest_matrix_of_floats(path: Path) -> None:
    found = read_slice(parse_place(str(path)), most_values=100)
    assert (found.name, found.rows, found.columns) == ("layer.weight", range(2), range(40))
    assert read_slice(parse_place(str(path)), most_values=10).columns == range(10)


def test_names_with_colons(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    save_file({"a:b[0]": torch.ones(2, 2)}, path)
    assert parse_place(f"{path}:a:b[0]") == TensorPlace(path, "a:b", "0", ":")
    assert read_slice(TensorPlace(path, "a:b[0]")).values.sum() == 4


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (":nosuch", "quantize.no-tensor"),
        (":none", "quantize.tensor-kind"),
        (":layer.weight[12:,:]", "quantize.slice-outside"),
        (":layer.weight[:,5:5]", "quantize.slice-outside"),
        (":layer.weight[1:2:3,:]", "quantize.slice"),
        (":layer.weight[9999999999999999,:]", "quantize.slice"),
    ],
)
def test_refusals(path: Path, text: str, code: str) -> None:
    with pytest.raises(AppError) as caught:
        read_slice(parse_place(f"{path}{text}"))
    assert caught.value.code == code


def test_what_is_no_weight_file(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(b"{}")
    for text in (str(path), f"{path}:w", str(tmp_path / "missing.safetensors:w[0,0]")):
        with pytest.raises(WeightFileError):
            read_slice(parse_place(text))

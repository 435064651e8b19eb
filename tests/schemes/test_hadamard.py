"""The random rotation: orthonormal, its own way back, and good against outliers."""

import pytest
import torch

from app.errors import InvalidInput
from app.schemes.hadamard import Rotation
from app.schemes.registry import find_scheme
from app.schemes.scheme import Choices


@pytest.mark.parametrize("size", [1, 2, 8, 64])
def test_lengths_are_kept_and_the_way_back_leads_home(size: int) -> None:
    values = torch.randn(5, 192, generator=torch.Generator().manual_seed(1))
    rotation = Rotation(size, seed=3)
    rotated = rotation.forth(values)
    assert torch.allclose(rotated.square().sum(dim=1), values.square().sum(dim=1), rtol=1e-5)
    assert torch.allclose(rotation.back(rotated), values, atol=1e-6)


def test_it_is_a_hadamard_matrix_with_signs() -> None:
    matrix = Rotation(8, seed=1).forth(torch.eye(8)) * 8**0.5
    assert torch.allclose(matrix.abs(), torch.ones(8, 8))
    assert torch.allclose(matrix @ matrix.t(), 8 * torch.eye(8), atol=1e-5)
    assert not torch.equal(matrix, Rotation(8, seed=2).forth(torch.eye(8)) * 8**0.5)


@pytest.mark.parametrize(("columns", "size"), [(192, 64), (7, 1), (4096, 1024), (1, 1)])
def test_blocks_divide_the_columns(columns: int, size: int) -> None:
    assert Rotation.of_columns(columns).size == size


@pytest.mark.parametrize("size", [0, 3, -4, 16])
def test_sizes_that_do_not_fit_are_refused(size: int) -> None:
    with pytest.raises(InvalidInput) as refusal:
        Rotation(size).forth(torch.ones(1, 8))
    assert refusal.value.code == "scheme.rotation"


def test_outliers_cost_less_when_rotated() -> None:
    random = torch.Generator().manual_seed(2)
    values = torch.randn(16, 512, generator=random)
    values[torch.rand(16, 512, generator=random) < 0.002] *= 20
    scheme, rotation = find_scheme("int4"), Rotation.of_columns(512)
    plain = values - scheme.dequantize(scheme.quantize(values, Choices()))
    rotated = values - rotation.back(scheme.dequantize(scheme.quantize(rotation.forth(values), Choices())))
    assert float(rotated.square().sum()) < float(plain.square().sum()) * 0.8

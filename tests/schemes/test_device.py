"""Quantizing on a CUDA device gives the codes of the plain version; without one, the plain version is what runs."""

import pytest
import torch
from torch import Tensor

from app.errors import InvalidInput
from app.schemes.device import quantize_on_device
from app.schemes.grid_scheme import GridScheme
from app.schemes.registry import ENTRIES, find_scheme
from app.schemes.scheme import Choices, ScaleRule

ABSMAX = Choices(scale=ScaleRule.ABSMAX)
NAMES = [name for name in ENTRIES if isinstance(find_scheme(name), GridScheme)]
on_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


def matrices() -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(5)
    normal = torch.randn(64, 512, generator=generator)
    few = torch.randint(-8, 9, (64, 512), generator=generator).to(torch.float32) / 4
    spread = normal * torch.exp2(torch.randint(-60, 60, (64, 1), generator=generator).to(torch.float32))
    holes = torch.where(torch.rand(64, 512, generator=generator) < 0.97, 0.0, normal)
    return {"normal": normal, "ties": few, "spread": spread, "holes": holes, "zeros": torch.zeros(64, 512)}


@on_cuda
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", sorted(matrices()))
def test_codes_are_those_of_the_plain_version_for_the_same_scales(name: str, kind: str) -> None:
    scheme = find_scheme(name)
    assert isinstance(scheme, GridScheme)
    values = matrices()[kind]
    found = quantize_on_device(scheme, values.cuda(), ABSMAX)
    scales = scheme.read_scales(found).cpu().view(-1)
    plain = scheme.with_scales(values, scales, scheme.fitted_format(values))
    assert torch.equal(found.codes.cpu(), plain.codes)


@on_cuda
@pytest.mark.parametrize("name", ["int8", "int4"])
def test_numbers_that_are_not_finite_are_refused_there_too(name: str) -> None:
    values = torch.ones(4, 256)
    values[2, 7] = torch.nan
    scheme = find_scheme(name)
    assert isinstance(scheme, GridScheme)
    with pytest.raises(InvalidInput, match="not-finite"):
        quantize_on_device(scheme, values.cuda(), ABSMAX)


@pytest.mark.parametrize("name", NAMES)
def test_on_the_cpu_it_is_the_plain_version(name: str) -> None:
    scheme = find_scheme(name)
    assert isinstance(scheme, GridScheme)
    values = matrices()["normal"]
    found, plain = quantize_on_device(scheme, values, ABSMAX), scheme.quantize(values, ABSMAX)
    assert torch.equal(found.codes, plain.codes)

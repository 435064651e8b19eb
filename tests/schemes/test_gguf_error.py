"""The error of GGUF blocks: next to the least that any storable scale gives, and below ggml's own."""

import ggml_library
import pytest
import torch
from gguf import GGMLQuantizationType, quants
from scale_oracle import KINDS
from scale_search import LIMIT, MORE_KINDS, SUBJECTS, gaps

from app.schemes.gguf_schemes import ENTRIES
from app.schemes.registry import find_scheme
from app.schemes.scheme import Choices, ScaleRule

NAMES = tuple(entry.name for entry in ENTRIES)
OF_THE_PACKAGE = ("q8_0", "q4_0", "q4_1", "q5_0", "q5_1")
DISTRIBUTIONS = ("gaussian", "laplace", "student")


def squared_error(values: torch.Tensor, back: torch.Tensor) -> float:
    return float((values.to(torch.float64) - back).square().sum())


def weights_of(distribution: str, columns: int, rows: int = 4) -> torch.Tensor:
    random = torch.Generator().manual_seed(DISTRIBUTIONS.index(distribution))
    normal = torch.randn(rows, columns, generator=random)
    if distribution == "laplace":
        uniform = torch.rand(rows, columns, generator=random) - 0.5
        normal = uniform.sign() * -torch.log1p(-2 * uniform.abs())
    if distribution == "student":
        normal = normal / torch.randn(rows, columns, 5, generator=random).square().mean(dim=2).sqrt()
    return normal * 0.02


@pytest.mark.parametrize("kind", [*KINDS, *MORE_KINDS])
@pytest.mark.parametrize("name", [name for name in NAMES if name in SUBJECTS])
def test_no_storable_scale_is_better(name: str, kind: str) -> None:
    """The campaign tries ten thousand blocks."""
    gap, _ = gaps(SUBJECTS[name](), kind, 8)
    assert gap <= LIMIT


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
@pytest.mark.parametrize("name", NAMES)
def test_the_error_is_below_that_of_ggml(name: str, distribution: str) -> None:
    scheme, values = find_scheme(name), weights_of(distribution, 256)
    ours = squared_error(values, scheme.dequantize(scheme.quantize(values, Choices())))
    plain, ones = (
        ggml_library.dequantize(
            scheme.layout.name, ggml_library.quantize(scheme.layout.name, values.numpy(), importance), values.shape[1]
        )
        for importance in (None, torch.ones(values.shape[1]).numpy())
    )
    for theirs in (plain, ones):
        assert ours < squared_error(values, torch.from_numpy(theirs))
    if name in OF_THE_PACKAGE:
        number = GGMLQuantizationType(scheme.layout.type_id)
        theirs = quants.dequantize(quants.quantize(values.numpy(), number), number)
        assert ours < squared_error(values, torch.from_numpy(theirs))


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
@pytest.mark.parametrize("name", NAMES)
def test_the_plain_rule_is_ggmls(name: str, distribution: str) -> None:
    """Without a search of either: ours rounds with the scale that is stored, which costs nothing and wins little."""
    if name in ("iq4_nl", "gguf_nvfp4"):
        pytest.skip("ggml's IQ4_NL always searches, and its NVFP4 has no scale of the tensor")
    scheme, values = find_scheme(name), weights_of(distribution, 256)
    ours = scheme.quantize(values, Choices(scale=ScaleRule.ABSMAX))
    theirs = ggml_library.quantize(scheme.layout.name, values.numpy())
    back = torch.from_numpy(ggml_library.dequantize(scheme.layout.name, theirs, values.shape[1]))
    ratio = squared_error(values, scheme.dequantize(ours)) / squared_error(values, back)
    assert 0.98 < ratio < 1.005
    if scheme.layout.has_minimum:
        return  # ours reaches from the minimum that is stored
    place = scheme.layout.place("d")
    blocks = ours.codes.view(-1, scheme.layout.bytes)[:, place]
    assert torch.equal(blocks, torch.from_numpy(theirs).view(-1, scheme.layout.bytes)[:, place]), "the same scales"


@pytest.mark.parametrize("name", NAMES)
def test_no_rule_errs_less_than_the_search(name: str) -> None:
    scheme, values = find_scheme(name), weights_of("student", 256, rows=2)
    errors = {
        rule: squared_error(values, scheme.dequantize(scheme.quantize(values, Choices(scale=rule, percentile=90))))
        for rule in ScaleRule
    }
    assert min(errors, key=errors.__getitem__) is ScaleRule.MSE
    assert errors[ScaleRule.PERCENTILE] != errors[ScaleRule.ABSMAX]


@pytest.mark.parametrize("name", NAMES)
def test_importance_moves_the_error_where_it_weighs_less(name: str) -> None:
    scheme, values = find_scheme(name), weights_of("student", 256, rows=2)
    importance = torch.where(torch.arange(256) % 3 == 0, 10.0, 0.1)

    def weighted(choices: Choices) -> float:
        back = scheme.dequantize(scheme.quantize(values, choices))
        return squared_error(values * importance.sqrt(), back * importance.sqrt())

    assert weighted(Choices(importance=importance)) < weighted(Choices())
    nothing = scheme.quantize(values, Choices(importance=torch.ones(256)))
    assert torch.equal(nothing.codes, scheme.quantize(values, Choices()).codes)

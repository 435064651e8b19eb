"""The compiled passes for affine integers against the plain search: equal bytes for equal pairs, little more error."""

import pytest
import torch
from affine_oracles import distribution, sqnr
from scale_oracle import KINDS, blocks_of
from torch import Tensor

from app.errors import InvalidInput
from app.schemes.affine import AffineScheme
from app.schemes.affine_fast import quantize_affine
from app.schemes.entries import SchemeOptions
from app.schemes.fast import quantize_fast
from app.schemes.registry import find_scheme
from app.schemes.scheme import Choices, QuantizedTensor, ScaleRule

pytestmark = pytest.mark.usefixtures("one_thread")
ABSMAX = Choices(scale=ScaleRule.ABSMAX)
SCHEMES = (
    ("affine4", SchemeOptions()),
    ("affine2", SchemeOptions(granularity="group=32", scale_format="bfloat16")),
    ("affine3", SchemeOptions(granularity="group=7")),
    ("affine6", SchemeOptions(granularity="group=128")),
    ("affine8", SchemeOptions(granularity="channel", scale_format="float32")),
    ("int3", SchemeOptions(symmetric=False, granularity="group=48")),
    ("int4", SchemeOptions(symmetric=False)),
    ("int8", SchemeOptions(symmetric=False, granularity="channel", scale_format="bfloat16")),
)


def scheme_of(name: str, options: SchemeOptions) -> AffineScheme:
    scheme = find_scheme(name, options)
    assert isinstance(scheme, AffineScheme)
    return scheme


def fast(scheme: AffineScheme, values: Tensor, choices: Choices, out: QuantizedTensor | None = None) -> QuantizedTensor:
    found = quantize_affine(scheme, values, choices, out)
    assert found is not None, "a kernel does this"
    return found


def bytes_of(stored: QuantizedTensor) -> tuple[bytes, ...]:
    assert stored.scales is not None
    assert stored.zero_points is not None
    tensors = stored.codes, stored.scales, stored.zero_points
    return tuple(each.contiguous().view(torch.uint8).numpy().tobytes() for each in tensors)


def matrices() -> list[Tensor]:
    every = [blocks_of(kind, 6, 384, seed=2) for kind in KINDS]
    return [torch.cat(every), distribution("student", 5, 331), distribution("gaussian", 1, 1), torch.zeros(3, 64)]


@pytest.mark.parametrize(("name", "options"), SCHEMES)
def test_the_ends_of_blocks_give_the_same_bytes(name: str, options: SchemeOptions) -> None:
    scheme = scheme_of(name, options)
    for values in matrices():
        assert bytes_of(fast(scheme, values, ABSMAX)) == bytes_of(scheme.quantize(values, ABSMAX))


@pytest.mark.parametrize(("name", "options"), SCHEMES)
def test_searched_pairs_give_the_codes_of_the_plain_arithmetic(name: str, options: SchemeOptions) -> None:
    scheme = scheme_of(name, options)
    for values in matrices():
        found = fast(scheme, values, Choices())
        pair = scheme.read_pair(found)
        again = scheme.with_pairs(values, (pair[0].reshape(-1), pair[1].reshape(-1)))
        assert bytes_of(again) == bytes_of(found)
        assert bytes_of(fast(scheme, values, Choices(), found)) == bytes_of(again)


@pytest.mark.parametrize(
    ("name", "options", "limit"),
    [
        ("affine2", SchemeOptions(), 0.012),
        ("affine3", SchemeOptions(), 0.012),
        ("affine4", SchemeOptions(), 0.015),
        ("affine4", SchemeOptions(granularity="group=32"), 0.02),
        ("affine5", SchemeOptions(), 0.04),
        ("affine8", SchemeOptions(granularity="group=128"), 0.25),
        ("int4", SchemeOptions(symmetric=False, scale_format="bfloat16"), 0.05),
    ],
)
@pytest.mark.parametrize("distribution_name", ["gaussian", "student"])
def test_hardly_more_error_than_the_plain_search(
    name: str, options: SchemeOptions, limit: float, distribution_name: str
) -> None:
    scheme, values = scheme_of(name, options), distribution(distribution_name, 64, 512)
    plain = sqnr(values, scheme.dequantize(scheme.quantize(values, Choices())))
    found = sqnr(values, scheme.dequantize(fast(scheme, values, Choices())))
    ends = sqnr(values, scheme.dequantize(scheme.quantize(values, ABSMAX)))
    assert found > plain - limit
    assert found > ends


@pytest.mark.parametrize("kind", KINDS)
def test_never_worse_than_the_ends_of_a_block(kind: str) -> None:
    scheme = scheme_of("affine4", SchemeOptions(granularity="group=32"))
    values = blocks_of(kind, 64, 32, seed=4)
    errors = [
        (scheme.dequantize(fast(scheme, values, choices)).to(torch.float64) - values).square().sum(dim=1)
        for choices in (Choices(), ABSMAX)
    ]
    assert (errors[0] <= errors[1] * (1 + 1e-4)).all()


def test_threads_change_nothing() -> None:
    values = distribution("student", 300, 512)
    for name, options in SCHEMES[:3]:
        scheme = scheme_of(name, options)
        found = [fast(scheme, values, Choices(threads=threads)) for threads in (1, 2, 3)]
        assert len({bytes_of(each) for each in found}) == 1


def test_what_no_kernel_does_goes_the_plain_way() -> None:
    values = distribution("gaussian", 8, 64)
    for options, choices in (
        (SchemeOptions(granularity="tensor"), ABSMAX),
        (SchemeOptions(granularity="block=4x16"), ABSMAX),
        (SchemeOptions(), Choices(scale=ScaleRule.PERCENTILE)),
        (SchemeOptions(), Choices(seed=3)),
        (SchemeOptions(), Choices(importance=torch.rand(64))),
    ):
        scheme = scheme_of("affine4", options)
        assert bytes_of(quantize_fast(scheme, values, choices)) == bytes_of(scheme.quantize(values, choices))


@pytest.mark.parametrize("bad", [torch.nan, torch.inf, -torch.inf])
@pytest.mark.parametrize("place", [0, 37, 129])
def test_what_is_not_finite_is_refused(bad: float, place: int) -> None:
    values = distribution("gaussian", 3, 130)
    values[1, place] = bad
    for rule in (ScaleRule.MSE, ScaleRule.ABSMAX):
        with pytest.raises(InvalidInput, match=r"scheme\.not-finite"):
            quantize_fast(find_scheme("affine4"), values, Choices(scale=rule))

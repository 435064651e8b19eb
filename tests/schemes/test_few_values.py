"""Blocks of few different numbers: the compiled way gives what the plain search finds, and whole bytes around them."""

import pytest
import torch

from app.schemes.entries import SchemeOptions
from app.schemes.fast import quantize_fast
from app.schemes.registry import find_scheme
from app.schemes.scheme import Choices

SCHEMES = (
    *("q8_0", "q4_0", "q5_0", "iq4_nl", "gguf_nvfp4", "int8:group=32", "int4:group=32", "nf4:block=32"),
    *("fp8:group=32", "nvfp4", "fp4_e2m1:group=32"),
)


def matrix(kind: str) -> torch.Tensor:
    random = torch.Generator().manual_seed(3)
    normal = torch.randn(6, 256, generator=random)
    match kind:
        case "constant":
            return torch.rand(6, 8, 1, generator=random).expand(6, 8, 32).reshape(6, 256) + 0.1
        case "one-hot":
            return torch.where(torch.arange(256) % 32 == 5, normal, 0.0)
        case "ternary":
            return torch.randint(-1, 2, (6, 256), generator=random) * 0.0371
        case "few":
            return torch.tensor([0.1, -0.37, 0.5, 0.0])[torch.randint(0, 4, (6, 256), generator=random)]
        case "tiny":
            return normal * 2e-6
        case _:  # some such blocks among others
            return torch.where(torch.arange(256) // 32 % 2 == 0, normal, 0.25)


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("kind", ["constant", "one-hot", "ternary", "few", "tiny", "mixed"])
@pytest.mark.parametrize("name", SCHEMES)
def test_no_more_error_than_the_plain_search(name: str, kind: str) -> None:
    scheme_name, _, granularity = name.partition(":")
    scheme = find_scheme(scheme_name, SchemeOptions(granularity=granularity or None))
    values = matrix(kind).contiguous()
    errors = [
        float((scheme.dequantize(stored) - values).double().square().sum())
        for stored in (scheme.quantize(values, Choices()), quantize_fast(scheme, values, Choices()))
    ]
    squares = float(values.double().square().sum())
    assert errors[1] <= errors[0] * 1.005 + squares * 1e-12

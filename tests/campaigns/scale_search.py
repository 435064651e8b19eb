"""The searches for scales held to every scale that can be stored: what tests/schemes tries on a few blocks, on many.

Run as `python tests/campaigns/scale_search.py [--blocks N] [SCHEME ...]`: a line for each scheme and kind of blocks,
with the decibels between the error that was found and the least there is, over all blocks and for the worst hundredth.
Ends with 1 where a kind of blocks is further from it than 0.02 dB. 10,000 blocks of a scheme take minutes.
"""

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from app.schemes.entries import SchemeOptions
from app.schemes.gguf_blocks import GgufBlockScheme
from app.schemes.gguf_schemes import ENTRIES
from app.schemes.grid_scheme import GridScheme
from app.schemes.registry import find_scheme
from app.schemes.scale_formats import every_number
from app.schemes.scheme import Choices

sys.path.append(str(Path(__file__).parents[1] / "schemes"))

from every_scale import least_errors
from scale_oracle import KINDS, blocks_of, least_error

LIMIT = 0.02
"""Decibels over all blocks of a kind."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A scheme, cut down to blocks that have a scale each."""

    size: int
    """Of a block."""
    found: Callable[[Tensor], Tensor]
    """float64 `[blocks]`: the squared error of each block as quantized."""
    least: Callable[[Tensor], Tensor]
    """The least that it can be."""


def gguf_subject(name: str) -> Subject:
    scheme = find_scheme(name)
    assert isinstance(scheme, GgufBlockScheme)
    rows, group = scheme.layout.elements, scheme.layout.group
    is_ternary = len(scheme.grid.levels) == 3

    def found(blocks: Tensor) -> Tensor:
        back = scheme.dequantize(scheme.quantize(blocks.view(-1, rows), Choices()))
        return (blocks.to(torch.float64) - back.view(-1, group)).square().sum(dim=1)

    def least(blocks: Tensor) -> Tensor:
        scale_format = scheme.fitted_format(blocks)
        every = every_number(scale_format.name)
        assert every is not None
        every = every[(every >= scale_format.smallest) & (every <= scale_format.largest)] / scale_format.divisor
        errors = least_errors(
            blocks.numpy(),
            scheme.grid.level_tensor().numpy(),
            every.numpy(),
            both_signs=scale_format.name == "float16" and not scheme.grid.is_symmetric,
            clipped=50.0 if is_ternary else 4.5,
        )
        return torch.from_numpy(errors)

    return Subject(group, found, least)


def grid_subject(name: str, scales: str | None) -> Subject:
    """A block a row; float32 scales are held to every choice of levels, others to every number of their format."""
    takes_scales = scales is not None
    granularity = "channel" if takes_scales else "block=64" if name in ("nf4", "fp4") else None
    scheme = find_scheme(name, SchemeOptions(granularity=granularity, scale_format=scales))
    assert isinstance(scheme, GridScheme)
    size = 32 if takes_scales else scheme.partition.columns

    def found(blocks: Tensor) -> Tensor:
        back = scheme.dequantize(scheme.quantize(blocks, Choices()))
        return (blocks.to(torch.float64) - back).square().sum(dim=1)

    def least(blocks: Tensor) -> Tensor:
        scale_format = scheme.fitted_format(blocks)
        every = every_number(scale_format.name)
        if every is None:
            return torch.cat([least_error(part, scheme.grid, scale_format) for part in torch.split(blocks, 256)])
        every = every[(every >= scale_format.smallest) & (every <= scale_format.largest)] / scale_format.divisor
        levels = scheme.grid.level_tensor().numpy()
        errors = least_errors(blocks.numpy(), levels, every.numpy(), both_signs=False, clipped=4.5)
        return torch.from_numpy(errors)

    return Subject(size, found, least)


_INTEGERS = tuple(f"int{bits}" for bits in range(2, 9))
_FLOATS = ("fp8", "fp8_e5m2", "fp6_e2m3", "fp6_e3m2", "fp4_e2m1")
_FIXED = ("mxfp8", "mxfp8_e5m2", "mxfp6", "mxfp6_e3m2", "mxfp4", "mxint8", "nvfp4", "nf4", "fp4")
_SCALES = ("float32", "float16", "bfloat16")

SUBJECTS: dict[str, Callable[[], Subject]] = {
    f"{name}:{scales}": partial(grid_subject, name, scales) for name in (*_INTEGERS, *_FLOATS) for scales in _SCALES
}
SUBJECTS |= {name: partial(grid_subject, name, None) for name in _FIXED}
SUBJECTS |= {
    entry.name: lambda name=entry.name: gguf_subject(name)  # type: ignore[misc]
    for entry in ENTRIES
    if isinstance(find_scheme(entry.name), GgufBlockScheme)
}
"""One for each scheme of one scale a block."""

MORE_KINDS = ("subnormal", "large")
"""Where the scales of float16 are subnormal, and where they near its end."""


def blocks_of_kind(kind: str, count: int, size: int) -> Tensor:
    if kind in MORE_KINDS:
        blocks = blocks_of("gaussian", count, size, seed=7)
        return blocks * (1e-4 if kind == "subnormal" else 1e6)
    return blocks_of(kind, count, size)


def gaps(subject: Subject, kind: str, count: int) -> tuple[float, Tensor]:
    """Decibels over all blocks, each measured by its own size, and for each of them."""
    blocks = blocks_of_kind(kind, count, subject.size)
    size = blocks.to(torch.float64).square().sum(dim=1).clamp(min=1e-300)
    found, least = (each(blocks) / size for each in (subject.found, subject.least))
    floor = 1e-16  # of the energy: rounding of float32 itself
    each = 10 * torch.log10((found + floor) / (least + floor))
    return float(10 * torch.log10((found.sum() + floor) / (least.sum() + floor))), each


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("schemes", nargs="*", metavar="SCHEME", help=", ".join(SUBJECTS))
    parser.add_argument("--blocks", type=int, default=10_240)
    options = parser.parse_args()
    worst = 0.0
    for name in options.schemes or SUBJECTS:
        subject = SUBJECTS[name]()
        for kind in (*KINDS, *MORE_KINDS):
            gap, each = gaps(subject, kind, options.blocks)
            hundredth = float(each.quantile(0.99))
            print(f"{name:17} {kind:10} {gap:+.5f} dB, worst hundredth {hundredth:.4f}, worst {float(each.max()):.3f}")
            worst = max(worst, gap)
    print(f"furthest: {worst:.5f} dB")
    return int(worst > LIMIT)


if __name__ == "__main__":
    sys.exit(main())

"""Quantizing on a CUDA device beside a copy and torch.compile: `python benchmarks/quantize_cuda.py [--gib N]`.

GB/s of float32 input, device time, the median of many runs. Before a scheme is timed, its codes are compared with
those of the plain version on the CPU for the same scales.
"""

import argparse
import statistics
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from app.schemes.device import quantize_on_device
from app.schemes.grid_scheme import GridScheme
from app.schemes.registry import find_scheme
from app.schemes.scheme import Choices, ScaleRule

ABSMAX = Choices(scale=ScaleRule.ABSMAX)
SCHEMES = ("int8", "int4", "nf4", "mxfp4", "nvfp4")


def device_seconds(work: Callable[[], Any], repeats: int = 20) -> float:
    for _ in range(3):
        work()
    times = []
    for _ in range(repeats):
        start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        start.record()
        work()
        end.record()
        torch.cuda.synchronize()
        times.append(start.elapsed_time(end) / 1e3)
    return statistics.median(times)


def differing_codes(scheme: GridScheme, values: Tensor) -> tuple[int, int]:
    """How many bytes of codes differ from the plain version's on the CPU, and how many scales, in a slice."""
    few = values[:512].contiguous()
    ours = quantize_on_device(scheme, few, ABSMAX)
    scales = scheme.read_scales(ours).cpu()
    plain = scheme.with_scales(few.cpu(), scales.view(-1), scheme.fitted_format(few.cpu()))
    own = scheme.quantize(few.cpu(), ABSMAX)
    other_scales = int((scheme.read_scales(own).view(-1) != scales.view(-1)).sum())
    return int((plain.codes.view(-1) != ours.codes.cpu().view(-1)).sum()), other_scales


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gib", type=float, default=1.0)
    parser.add_argument("schemes", nargs="*", default=SCHEMES)
    arguments = parser.parse_args()
    rows = int(arguments.gib * (1 << 28)) // 4096
    generator = torch.Generator("cuda").manual_seed(1)
    values = torch.randn(rows, 4096, device="cuda", generator=generator)
    size = values.numel() * 4 / 1e9
    target = torch.empty_like(values)
    copy = size / device_seconds(lambda: target.copy_(values))
    print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}, {arguments.gib:g} GiB of float32\n")
    print("| scheme | GB/s | of a copy | bytes of codes that differ | scales that differ |\n|---|---|---|---|---|")
    print(f"| copy | {copy:.0f} | 1.00 | | |")
    for name in arguments.schemes:
        scheme = find_scheme(name)
        assert isinstance(scheme, GridScheme)
        codes, scales = differing_codes(scheme, values)
        rate = size / device_seconds(lambda scheme=scheme: quantize_on_device(scheme, values, ABSMAX))
        print(f"| {name} | {rate:.0f} | {rate / copy:.2f} | {codes} | {scales} |", flush=True)


if __name__ == "__main__":
    main()

"""Speed of the compiled quantizers beside a memory copy: `python benchmarks/quantize_speed.py [--mib N] [--threads N]`.

GB/s of float32 input into memory that was lent, the best of some rounds whose order is drawn anew, all in one run.
"""

import argparse
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from app.schemes.entries import SchemeOptions
from app.schemes.fast import quantize_fast
from app.schemes.registry import find_scheme
from app.schemes.scheme import Choices, ScaleRule

COLUMNS = 4096
CASES = (
    ("int8", "channel", "float32"),
    ("int4", "group=128", "bfloat16"),
    ("int4", "group=32", "bfloat16"),
    ("int2", "group=128", "float16"),
    ("int3", "group=128", "float16"),
    ("fp8", "channel", "float32"),
    ("nf4", "block=64", None),
    ("fp4", "block=64", None),
    *((name, None, None) for name in ("mxfp4", "mxfp6", "mxfp8", "nvfp4")),
    *((name, None, None) for name in ("q8_0", "q4_0", "q5_0", "iq4_nl", "gguf_mxfp4", "gguf_nvfp4")),
)
SLOW = {("q8_0", "mse"), ("q5_0", "mse")}
"""So many candidates that a part of the rows is enough."""


@dataclass(slots=True)
class Timed:
    """A piece of work and its seconds."""

    name: str
    work: Callable[[], Any]
    count: int
    seconds: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """GB/s of float32 input."""
        return 4 * self.count / min(self.seconds) / 1e9


def ours(values: Tensor, threads: int) -> list[Timed]:
    """Every case by absmax and by search, each into memory of its own; compiled by a first call on a few rows."""
    found = []
    for name, granularity, scale_format in CASES:
        for rule in (ScaleRule.ABSMAX, ScaleRule.MSE):
            scheme = find_scheme(name, SchemeOptions(granularity=granularity, scale_format=scale_format))
            choices = Choices(scale=rule, threads=threads)
            part = values[: max(1, len(values) // 16)] if (name, rule.value) in SLOW else values
            out = quantize_fast(scheme, part, choices)
            label = " ".join(each for each in (name, granularity, scale_format, rule.value) if each)

            def work(scheme: Any = scheme, part: Tensor = part, choices: Choices = choices, out: Any = out) -> None:
                quantize_fast(scheme, part, choices, out)

            found.append(Timed(label, work, part.numel()))
    return found


def memory_copy(values: Tensor) -> Timed:
    """The yardstick."""
    target = torch.empty_like(values)
    return Timed("memory copy", lambda: target.copy_(values), values.numel())


def race(rivals: list[Timed], rounds: int) -> None:
    """Each once a round, in an order drawn anew."""
    source = random.Random(len(rivals))
    for _ in range(rounds):
        for rival in source.sample(rivals, len(rivals)):
            start = time.perf_counter()
            rival.work()
            rival.seconds.append(time.perf_counter() - start)


def table(rivals: list[Timed], copy: Timed) -> str:
    lines = ["| what | GB/s | of a copy |", "|---|---|---|"]
    lines += [f"| {each.name} | {each.rate:.2f} | {each.rate / copy.rate:.2f} |" for each in rivals]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mib", type=int, default=1024, help="of float32 input")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="", help="cases whose name has this")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    rows = options.mib * (1 << 18) // COLUMNS
    values = torch.randn(rows, COLUMNS, generator=torch.Generator().manual_seed(1))
    copy = memory_copy(values)
    rivals = [copy, *(each for each in ours(values, options.threads) if options.only in each.name)]
    race(rivals, options.rounds)
    print(f"{options.mib} MiB, {options.threads} threads, torch {torch.__version__}\n")
    print(table(rivals, copy))


if __name__ == "__main__":
    main()

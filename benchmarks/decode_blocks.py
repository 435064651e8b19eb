"""How fast blocks of ggml's types become numbers, beside gguf-py and ggml's own C code, on one thread.

`python -m benchmarks.decode_blocks [--elements N] [--rounds N]` prints a table: MB of float32 a second, the best round
of each, the programs taking turns.
"""

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable
from importlib.metadata import version

import gguf
import numpy as np
import torch

from app.layouts.gguf_blocks import decode_blocks
from app.weightfiles.gguf_types import TYPE_NUMBERS, TYPES
from tests.oracles import ggml_library

IN_C = ggml_library.TYPES | ggml_library.READ_ONLY_TYPES
WITHOUT_PYTHON = {"Q8_1", "Q8_K", "Q1_0"}

Decode = Callable[[], object]


def programs(name: str, blocks: np.ndarray) -> dict[str, Decode]:
    """Those that decode the type, each over all blocks."""
    kind, stored = TYPES[TYPE_NUMBERS[name]], torch.from_numpy(blocks)
    found: dict[str, Decode] = {"ours": lambda: decode_blocks(kind.format, stored)}
    if name not in WITHOUT_PYTHON and kind.block_elements > 1:
        found["gguf-py"] = lambda: gguf.dequantize(blocks, gguf.GGMLQuantizationType(TYPE_NUMBERS[name]))
    if name.lower() in IN_C:
        row = blocks.reshape(1, -1)
        found["ggml in C"] = lambda: ggml_library.dequantize(name.lower(), row, len(blocks) * kind.block_elements)
    return found


def rates(name: str, elements: int, rounds: int) -> dict[str, float]:
    """MB of float32 a second."""
    kind = TYPES[TYPE_NUMBERS[name]]
    size = kind.bits // 8
    blocks = np.random.default_rng(0).integers(0, 256, (elements // kind.block_elements, size), dtype=np.uint8)
    best: dict[str, float] = {}
    for _ in range(rounds):
        for program, decode in programs(name, blocks).items():
            start = time.perf_counter()
            decode()
            taken = time.perf_counter() - start
            best[program] = max(best.get(program, 0), elements * 4 / taken / 1e6)
    return best


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--elements", type=int, default=1 << 20)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    releases = ", ".join(f"{name} {version(name)}" for name in ("torch", "gguf", "pywhispercpp"))
    cores, load = len(os.sched_getaffinity(0)), os.getloadavg()[0]
    print(f"{platform.machine()}, {cores} cores, load {load:.1f} at the start; {releases}.\n")
    print("| type | ours | gguf-py | ggml in C |\n|---|---|---|---|")
    with np.errstate(all="ignore"):
        for name in TYPE_NUMBERS:
            found = rates(name, arguments.elements, arguments.rounds)
            cells = (f"{found[each]:,.0f}" if each in found else "–" for each in ("ours", "gguf-py", "ggml in C"))
            print(f"| {name} | {' | '.join(cells)} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

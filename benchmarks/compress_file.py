"""Compressing a file against copying it: `python benchmarks/compress_file.py [GIB] [FOLDER] [SCHEME ...]`.

A file of normal float32 matrices; each scheme beside `cp`, `sync` and `sha256sum` of the same file on the same disk
in the same run, three times in turn, each in a process of its own that has compiled its kernels before. The figure that
counts is the ratio of the medians: what is written is as durable and as hashed as the copy.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

SCHEMES = (
    "bfloat16",
    "float16",
    "float8_e4m3fn",
    "int8:absmax",
    "int4:absmax",
    "int8",
    "int4",
    "int4:asymmetric:absmax",
    "fp8:absmax",
    "nvfp4:absmax",
    "mxfp4",
)
AIMS = {"bfloat16": 1.4, "float16": 1.4, "float8_e4m3fn": 1.4, "int8:absmax": 2.0, "int4:absmax": 2.0}
ROUNDS = 3
SIDE = 4096


def make_file(path: Path, gibibytes: float) -> None:
    """Square matrices of float32."""
    from safetensors.torch import save_file

    generator = torch.Generator().manual_seed(1)
    count = max(1, round(gibibytes * 2**30 / (SIDE * SIDE * 4)))
    first = torch.randn(SIDE, SIDE, generator=generator) * 0.02
    save_file({f"layers.{index}.weight": first.roll(index, 0).clone() for index in range(count)}, path)


def copy_seconds(source: Path, folder: Path) -> float:
    """What a copy with the same guarantees takes."""
    target = folder / "copy.bin"
    target.unlink(missing_ok=True)
    started = time.perf_counter()
    subprocess.run(["cp", source, target], check=True)
    subprocess.run(["sync", target, folder], check=True)
    subprocess.run(["sha256sum", target], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def compress_seconds(source: Path, folder: Path, scheme: str) -> float:
    """In a process of its own."""
    command = [sys.executable, __file__, "--case", str(source), str(folder), scheme]
    return float(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))


def run_case(source: Path, folder: Path, scheme: str) -> None:
    """In the measuring process: a small file first, which loads or compiles the kernels, then the work."""
    from app.tasks.compress_file import compress_file
    from app.tasks.compress_options import CompressOptions

    options, small = CompressOptions(scheme=scheme), folder / "small.safetensors"
    if not small.exists():
        make_file(small, 0)
    target = folder / "out.safetensors"
    compress_file(small, target, options, force=True)
    target.unlink()
    started = time.perf_counter()
    compress_file(source, target, options, force=True)
    print(json.dumps(time.perf_counter() - started))


def main() -> int:
    """Measures and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("gibibytes", type=float, nargs="?", default=1)
    parser.add_argument("folder", nargs="?", default=None, help="where the temporary files go")
    parser.add_argument("schemes", nargs="*", default=SCHEMES)
    parser.add_argument("--case", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.case:
        run_case(Path(arguments.case[0]), Path(arguments.case[1]), arguments.case[2])
        return 0
    is_within = True
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name)
        source = folder / "source.safetensors"
        make_file(source, arguments.gibibytes)
        size = source.stat().st_size
        print(f"source: {size / 2**20:.0f} MiB of float32\n")
        print("| scheme | seconds | copy | ratio | aim | GB/s of input |\n|---|---|---|---|---|---|")
        for scheme in arguments.schemes:
            rounds = [(compress_seconds(source, folder, scheme), copy_seconds(source, folder)) for _ in range(ROUNDS)]
            mine, copy = (statistics.median(times) for times in zip(*rounds, strict=True))
            aim = AIMS.get(scheme)
            is_within &= aim is None or mine / copy <= aim
            rate = size / mine / 1e9
            print(f"| {scheme} | {mine:.2f} | {copy:.2f} | {mine / copy:.2f} | {aim or ''} | {rate:.2f} |", flush=True)
    return 0 if is_within else 1


if __name__ == "__main__":
    sys.exit(main())

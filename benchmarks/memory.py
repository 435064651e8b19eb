"""Peak memory and speed of compressing a file far larger than its budget: `python benchmarks/memory.py [GIB] [FOLDER]`.

A sparse file of random and zero tensors is made in a temporary folder and removed again. Each scheme runs in a process
of its own; its peak resident size is the kernel's figure (VmHWM), torch included.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MIB = 1 << 20
BUDGET_MIB = 600
CASES = (
    "analyse",
    "float16",
    "bfloat16",
    "float8_e4m3fn",
    "float8_e5m2",
    "int8:channel:absmax",
    "int8:channel",
    "int8:tensor",
    "int8:tensor:percentile=99.9",
    "int4:absmax",
    "int4",
    "int4:asymmetric",
    "fp8",
    "fp8:block=128x128",
    "nvfp4",
    "mxfp4",
    "mxfp6",
    "nf4:double-quant",
    "compare",
)
"""Schemes in words; `compare` reads what the first int8 wrote."""
COMPARED = "int8:channel:absmax"


def make_file(path: Path, gibibytes: int) -> None:
    """One tensor of half the size, one matrix with rows longer than a chunk, and smaller ones; 64 MiB are not zero."""
    half = gibibytes * 1024 * MIB // 2
    shapes = {"large.weight": [half // 4 // 4096, 4096], "long_rows.weight": [4, half // 2 // 16]}
    shapes |= {f"layers.{index}.weight": [half // 2 // 16 // 4 // 1024, 1024] for index in range(16)}
    header: dict[str, object] = {}
    end = 0
    for name, shape in shapes.items():
        begin, end = end, end + shape[0] * shape[1] * 4
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    noise = bytearray(random.Random(1).randbytes(64 * MIB))
    # Exponents near 1: every fourth byte is the top one of a little-endian float32.
    noise[3::4] = b"\x3d" * (len(noise) // 4)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text + noise)
        file.truncate(8 + len(text) + end)


def run_case(source: Path, folder: Path, scheme: str) -> None:
    """In the measuring process: the work itself, then one line of JSON."""
    from app.tasks.analyse_file import analyse_file
    from app.tasks.compare_files import compare_files
    from app.tasks.compress_file import compress_file
    from app.tasks.compress_options import CompressOptions

    started = time.perf_counter()
    if scheme == "analyse":
        analyse_file(source)
    elif scheme == "compare":
        compare_files(source, folder / "compared.safetensors")
    else:
        name = "compared" if scheme == COMPARED else "out"
        compress_file(source, folder / f"{name}.safetensors", CompressOptions(scheme=scheme), force=True)
    seconds = time.perf_counter() - started
    status = Path("/proc/self/status").read_text(encoding="ascii")
    peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    print(json.dumps({"seconds": seconds, "peak_mib": peak / 1024}))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("gibibytes", type=int, nargs="?", default=4)
    parser.add_argument("folder", nargs="?", default=None, help="where the temporary files go")
    parser.add_argument("--case", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.case:
        run_case(Path(arguments.case[0]), Path(arguments.case[1]), arguments.case[2])
        return 0
    worst = 0.0
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name)
        source = folder / "source.safetensors"
        make_file(source, arguments.gibibytes)
        print(f"source: {source.stat().st_size / MIB:.0f} MiB, {os.cpu_count()} cores\n")
        print("| work | peak MiB | seconds | MiB/s of input |\n|---|---|---|---|")
        for case in CASES:
            command = [sys.executable, __file__, "--case", str(source), str(folder), case]
            found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            rate = source.stat().st_size / MIB / found["seconds"]
            print(f"| {case} | {found['peak_mib']:.0f} | {found['seconds']:.1f} | {rate:.0f} |", flush=True)
            worst = max(worst, found["peak_mib"])
    print(f"\nworst peak {worst:.0f} MiB, budget {BUDGET_MIB} MiB")
    return 0 if worst <= BUDGET_MIB else 1


if __name__ == "__main__":
    sys.exit(main())

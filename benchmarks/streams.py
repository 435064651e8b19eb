"""Lines a second of `bitlens encode` and `decode`, the whole command on one core: benchmarks/streams.py [LINES]."""

import os
import random
import subprocess
import sys
import time

from app.formats import find_format
from app.tasks.code_text import format_hex

FORMATS = ("float16", "float32", "float64", "bfloat16", "posit16", "int8")


def lines_a_second(command: str, format_name: str, text: bytes, lines: int) -> float:
    """Start-up included; the better of two runs."""
    taken = []
    for _ in range(2):
        start = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "app", command, "-f", format_name], input=text, stdout=subprocess.DEVNULL, check=True
        )
        taken.append(time.perf_counter() - start)
    return lines / min(taken)


def main() -> None:
    lines = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    generator = random.Random(7)
    numbers = "".join(f"{generator.gauss(0, 1)!r}\n" for _ in range(lines)).encode()
    print("| format | encode, lines/s | decode, lines/s |\n|---|---|---|")
    for name in FORMATS:
        number_format = find_format(name)
        codes = "".join(
            f"{format_hex(generator.getrandbits(number_format.width), number_format)}\n" for _ in range(lines)
        ).encode()
        encoded = lines_a_second("encode", name, numbers, lines)
        decoded = lines_a_second("decode", name, codes, lines)
        print(f"| {name} | {encoded:,.0f} | {decoded:,.0f} |")
    print(f"\n{lines:,} lines each, one core; again with: python benchmarks/streams.py {lines}")


if __name__ == "__main__":
    main()

"""Holds the codec to the exact answer on random float64 numbers, for formats of 17 to 64 bits, every mode in turn.

`python tests/campaigns/agree_codec.py --count 1000000 posit32 takum_linear32` takes some 15 s a format.
"""

import argparse
import random
import sys
import time

import torch

from app import codec, exact
from app.formats import Format, find_format

FORMATS = (
    *("tfloat32", "float32", "posit32", "posit64", "takum_linear32", "takum_linear64", "int32", "int64", "uint64"),
    *("q15.16", "q31.32", "e8m16:no-subnormals", "e11m40:bias=900", "e6m30:specials=none", "posit24:es=0"),
)
MODES = ("nearest_even", "nearest_away", "toward_zero", "toward_positive", "toward_negative", "to_odd")
CHUNK = 20_000


def random_numbers(number_format: Format, count: int, source: random.Random) -> list[float]:
    """Half around the format's own numbers, half anywhere in its range."""
    largest = min(float(min(number_format.max, 2**1000)), 2.0**1000)
    found = []
    for _ in range(count // 2):
        own = number_format.value_of(source.getrandbits(number_format.width))
        near = float(own) if own is not None and abs(own) < 2**1000 else 1.0
        found.append(near * (1 + source.uniform(-1, 1) * 2.0 ** -source.randint(1, 53)))
        found.append(source.choice((1, -1)) * largest * 2.0 ** -source.uniform(-1, 120) * source.random())
    return found


def differences(number_format: Format, numbers: list[float], rounding: str) -> list[str]:
    codes = codec.encode(torch.tensor(numbers, dtype=torch.float64), number_format, rounding)
    mask = (1 << number_format.width) - 1
    wrong = []
    for number, code in zip(numbers, codes.tolist(), strict=True):
        asked = exact.Finite(number < 0, *abs(number).as_integer_ratio())
        expected = exact.encode(asked, number_format, rounding).code
        if code & mask != expected:
            wrong.append(f"{number.hex()} {rounding}: codec {code & mask:#x}, exact {expected:#x}")
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("formats", nargs="*", default=FORMATS)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    failed = 0
    for name in arguments.formats:
        number_format, source, begun = find_format(name), random.Random(f"{name} {arguments.seed}"), time.time()
        wrong: list[str] = []
        for start in range(0, arguments.count, CHUNK):
            numbers = random_numbers(number_format, min(CHUNK, arguments.count - start), source)
            wrong += differences(number_format, numbers, MODES[start // CHUNK % len(MODES)])
        print(f"{name}: {arguments.count} numbers, {len(wrong)} differ, {time.time() - begun:.1f} s", flush=True)
        print("\n".join(wrong[:5]), end="\n" if wrong else "")
        failed += len(wrong)
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())

"""All 2^32 float32 patterns through the compiled codec and the plain one: `all_float32.py [FORMAT ...] [--rounding M]`.

Exits with 1 at the first difference. About five minutes of one core for a format and a mode.
"""

import argparse
import sys
import time

import torch

from app import codec
from app.codec.fast import encode_fast
from app.formats import Format, find_format

FORMATS = ("float8_e4m3fn", "float16", "posit16")
CHUNK = 1 << 22


def differences(number_format: Format, rounding: str, step: int) -> int:
    """How many patterns get another code, NaN left out where the format has none."""
    count = 0
    for start in range(0, 1 << 32, CHUNK * step):
        patterns = torch.arange(start, start + CHUNK, dtype=torch.int64)
        values = torch.where(patterns >> 31 != 0, patterns - (1 << 32), patterns).to(torch.int32).view(torch.float32)
        if bool(values.isnan().any()) and not getattr(number_format, "has_nan", number_format.family == "posit"):
            values = torch.where(values.isnan(), 0.0, values)
        expected = codec.encode(values, number_format, rounding, seed=9, offset=start)
        found = encode_fast(values, number_format, rounding, seed=9, offset=start)
        count += int((found != expected).sum())
    return count


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("formats", nargs="*", default=FORMATS)
    parser.add_argument("--rounding", nargs="*", default=["nearest_even", "stochastic"])
    parser.add_argument("--step", type=int, default=1, help="every so many stretches of 2^22 patterns only")
    arguments = parser.parse_args()
    for name in arguments.formats:
        for rounding in arguments.rounding:
            started = time.perf_counter()
            count = differences(find_format(name), rounding, arguments.step)
            print(f"{name} {rounding}: {count} differences, {time.perf_counter() - started:.0f} s", flush=True)
            if count:
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

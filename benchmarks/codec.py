"""Speed of encoding and decoding float32 tensors, beside others: `python benchmarks/codec.py [--quick] [FORMAT ...]`.

GB/s of float32 in one run, interleaved, the best of many short repeats, one thread unless a column says two. Ours is
the compiled codec into memory given to it, torch's a cast into such memory, ml_dtypes `astype`, gfloat its NumPy
functions.
"""

import argparse
import os
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import gfloat
import gfloat.formats
import ml_dtypes
import numpy as np
import torch

from app.codec.fast import decode_fast, encode_fast
from app.codec.rounding import Rounding
from app.codec.storage_types import code_dtype
from app.formats import Format, find_format

FORMATS = (
    *(
        "bfloat16",
        "float16",
        "float8_e4m3fn",
        "float8_e5m2",
        "float8_e4m3fnuz",
        "float8_e5m2fnuz",
        "float8_e4m3b11fnuz",
    ),
    *("float8_e3m4", "float8_e4m3", "float8_e8m0fnu", "float6_e2m3fn", "float6_e3m2fn", "float4_e2m1fn", "binary8p3se"),
    *("e5m7", "e9m6", "e4m3:no-subnormals", "posit8", "posit16", "takum_linear16", "int4", "int8", "uint8", "int16"),
    *("q7.8", "nf4", "bool"),
)
MODES = tuple(mode.value for mode in Rounding)
TORCH_ROUNDS = ("bfloat16", "float16")
GFLOAT = {
    "bfloat16": "bfloat16",
    "float16": "binary16",
    "float8_e4m3fn": "ocp_e4m3",
    "float8_e5m2": "ocp_e5m2",
    "float6_e2m3fn": "ocp_e2m3",
    "float6_e3m2fn": "ocp_e3m2",
    "float4_e2m1fn": "ocp_e2m1",
}
SLOW_COUNT = 1 << 18
"""Elements for gfloat and ml_dtypes, whose time for an element does not hang on the size."""


@dataclass(slots=True)
class Rival:
    """Something to time, and its times."""

    name: str
    work: Callable[[], Any]
    count: int
    seconds: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """GB/s of float32."""
        return 4 * self.count / min(self.seconds) / 1e9


def race(rivals: list[Rival], repeats: int) -> dict[str, float]:
    """Their rates, taken in turns so that noise falls on all alike; the first round compiles and does not count.

    The order is drawn anew each round: what ran before decides what is in the caches.
    """
    for rival in rivals:
        rival.work()
    source = random.Random(len(rivals))
    for _ in range(repeats):
        for rival in source.sample(rivals, len(rivals)):
            started = time.perf_counter()
            rival.work()
            rival.seconds.append(time.perf_counter() - started)
    return {rival.name: rival.rate for rival in rivals}


def encoders(number_format: Format, values: torch.Tensor) -> list[Rival]:
    count, out = values.numel(), torch.empty(values.shape, dtype=code_dtype(number_format))
    copy = torch.empty_like(values)
    found = [Rival("copy", lambda: copy.copy_(values), count)]
    found += [Rival(mode, encoder(number_format, mode, values, out), count) for mode in MODES]
    found.append(Rival("two", lambda: encode_fast(values, number_format, threads=2, out=out), count))
    if has_torch_cast(number_format):
        cast = torch.empty(values.shape, dtype=getattr(torch, number_format.name))
        found.append(Rival("torch", lambda: cast.copy_(values), count))
    few = values[:SLOW_COUNT].numpy()
    dtype = getattr(ml_dtypes, number_format.name, None)
    if dtype is not None:
        found.append(Rival("ml_dtypes", lambda: few.astype(dtype), SLOW_COUNT))
    info = gfloat_info(number_format)
    if info is not None:
        fewer = few[: SLOW_COUNT >> 2].astype(np.float64)
        found.append(Rival("gfloat", lambda: gfloat_encode(info, fewer), SLOW_COUNT >> 2))
    return found


def encoder(number_format: Format, mode: str, values: torch.Tensor, out: torch.Tensor) -> Callable[[], Any]:
    return lambda: encode_fast(values, number_format, mode, None, 1, threads=1, out=out)


def decoders(number_format: Format, values: torch.Tensor) -> list[Rival]:
    count, back = values.numel(), torch.empty_like(values)
    codes = encode_fast(values, number_format)
    found = [Rival("copy", lambda: back.copy_(values), count)]
    found.append(Rival("ours", lambda: decode_fast(codes, number_format, threads=1, out=back), count))
    found.append(Rival("two", lambda: decode_fast(codes, number_format, threads=2, out=back), count))
    if has_torch_cast(number_format):
        cast = values.to(getattr(torch, number_format.name))
        found.append(Rival("torch", lambda: back.copy_(cast), count))
    dtype = getattr(ml_dtypes, number_format.name, None)
    words = codes[:SLOW_COUNT].numpy()
    if dtype is not None:
        few = values[:SLOW_COUNT].numpy().astype(dtype)
        found.append(Rival("ml_dtypes", lambda: few.astype(np.float32), SLOW_COUNT))
    info = gfloat_info(number_format)
    if info is not None:
        fewer = words.view(f"u{words.itemsize}")[: SLOW_COUNT >> 2].astype(np.int64)
        found.append(Rival("gfloat", lambda: gfloat.decode_ndarray(info, fewer), SLOW_COUNT >> 2))
    return found


def has_torch_cast(number_format: Format) -> bool:
    """Whether torch casts by rounding: its integers cut off, and its narrower dtypes have no cast."""
    name = number_format.name
    return (name in TORCH_ROUNDS or name.startswith("float8")) and hasattr(torch, name)


def gfloat_info(number_format: Format) -> Any:
    name = GFLOAT.get(number_format.name)
    return None if name is None else getattr(gfloat.formats, f"format_info_{name}")


def gfloat_encode(info: Any, values: Any) -> Any:
    return gfloat.encode_ndarray(info, gfloat.round_ndarray(info, values))


def cell(rates: dict[str, float], name: str, digits: int = 1) -> str:
    return f"{rates[name]:.{digits}f}" if name in rates else ""


def times(rates: dict[str, float], ours: str, other: str, digits: int = 1) -> str:
    return f"{rates[ours] / rates[other]:.{digits}f}" if other in rates else ""


HEAD = (
    *("format", "way", "1 thread", "2 threads", "copy", "torch", "ml_dtypes", "gfloat", "/ torch", "/ ml_dtypes"),
    *("/ gfloat", *(mode.replace("_", " ") for mode in MODES[1:])),
)


def rows(name: str, values: torch.Tensor, repeats: int) -> list[list[str]]:
    number_format = find_format(name)
    found = []
    for way, rivals, ours in (
        ("encode", encoders(number_format, values), "nearest_even"),
        ("decode", decoders(number_format, values), "ours"),
    ):
        rates = race(rivals, repeats)
        row = [name, way, cell(rates, ours), cell(rates, "two"), cell(rates, "copy"), cell(rates, "torch")]
        row += [cell(rates, "ml_dtypes", 2), cell(rates, "gfloat", 2), times(rates, ours, "torch", 2)]
        row += [times(rates, ours, "ml_dtypes"), times(rates, ours, "gfloat", 0)]
        row += [times(rates, mode, ours, 2) if way == "encode" else "" for mode in MODES[1:]]
        found.append(row)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("formats", nargs="*", default=FORMATS)
    parser.add_argument("--quick", action="store_true", help="few repeats, for a look")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    values = torch.randn(1 << 22, generator=torch.Generator().manual_seed(1))
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    print(
        f"{os.cpu_count()} cores, load {load:.1f} at the start; 2^22 normally distributed values; GB/s, then ratios\n"
    )
    print("| " + " | ".join(HEAD) + " |\n|" + "---|" * len(HEAD))
    for name in arguments.formats:
        for row in rows(name, values, 5 if arguments.quick else 25):
            print("| " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    main()

"""The work of a compiled pass cut into stretches, one for each thread: kernels let go of Python's lock."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import torch

_SMALLEST_SHARE = 1 << 16
"""Elements below which a thread is not worth starting."""


def shares(elements: int, threads: int | None) -> int:
    """How many threads work on so many elements."""
    wanted = torch.get_num_threads() if threads is None else threads
    return max(1, min(wanted, elements // _SMALLEST_SHARE))


def stretches(count: int, unit: int, parts: int) -> list[slice]:
    """Stretches of about equal length, each but the last a multiple of the unit."""
    units = -(-count // unit)
    ends = sorted({min(count, units * part // parts * unit) for part in range(parts + 1)})
    return [slice(start, end) for start, end in pairwise(ends)]


def mapped(work: Callable[[int, int], int], parts: list[slice]) -> list[int]:
    """The work done from the start to before the end of each part."""
    if len(parts) == 1:
        return [int(work(parts[0].start, parts[0].stop))]
    with ThreadPoolExecutor(len(parts)) as pool:
        return [int(found) for found in pool.map(lambda part: work(part.start, part.stop), parts)]

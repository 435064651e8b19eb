"""How many threads torch and compiled passes use while weights are processed."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread inside, what was set before afterwards.

    The blocks are small enough for the caches, so a second thread gains little; where another program uses the cores
    it costs much, for the threads of a block wait for one another (measured: 25 times slower).
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


_MOST_KERNEL_THREADS = 8
"""Beyond, the disk is slower than the passes."""


def kernel_threads() -> int:
    """For compiled passes: each works on a stretch of its own, so that none waits for another before the end.

    What they give does not depend on it.
    """
    return min(len(os.sched_getaffinity(0)), _MOST_KERNEL_THREADS)

"""How many threads torch uses while weights are processed."""

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

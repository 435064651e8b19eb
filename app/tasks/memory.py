"""Memory of a process that works on band after band: what one gives back is the system's again, not kept in pieces."""

import ctypes
from functools import lru_cache

_MMAP_THRESHOLD = -3
"""`M_MMAP_THRESHOLD` of glibc's malloc.h."""
_LEAST_BYTES = 1 << 20


@lru_cache(maxsize=1)
def give_back_large_blocks() -> None:
    """From now on blocks of a MiB and more are mapped, and unmapped when they are freed.

    Otherwise the C library raises that limit to the size of our bands, and what it keeps between them, in pieces, grows
    to hundreds of MiB. Where the C library has no such setting nothing happens.
    """
    try:
        ctypes.CDLL(None).mallopt(_MMAP_THRESHOLD, _LEAST_BYTES)
    except (AttributeError, OSError):
        return

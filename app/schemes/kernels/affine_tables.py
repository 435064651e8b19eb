"""Tables of errors for affine integers: for each place in a block's range, what rounding costs at 64 pairs."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

PAIRS = 64
"""Of the numbers that the first and the last integer stand for: eight at each end."""
STRETCH = 256
"""Elements whose errors are summed in 16 bits before they are added to sums of 32."""
_WITHIN = 9
"""Points at which the error of one place is taken, and averaged."""
_PLACES = {2: 128, 3: 256, 4: 256, 5: 512, 6: 1024, 7: 2048, 8: 2048}
_SHARES = {
    2: (-0.02, 0.30, 0.38),
    3: (-0.05, 0.16, 0.30),
    4: (-0.05, 0.085, 0.22),
    5: (-0.05, 0.045, 0.14),
    6: (-0.045, 0.02, 0.08),
    7: (-0.04, 0.01, 0.05),
    8: (-0.04, 0.004, 0.03),
}
"""Of the range, what is cut off at an end: the least and the most in blocks of 32 to 128, and the most in long ones."""
_SHARES_BY_SIZE = {4: ((48, (-0.065, 0.07)), (96, (-0.045, 0.055)), (192, (-0.015, 0.075)))}
"""By bits and blocks up to so long, the least and the most: the shorter, the more is won by ends beyond the numbers."""
_WITH_WHOLE_ZEROS = {4: ((192, (-0.09, 0.14)),)}
"""The same for whole zero points: the wider apart starts are, the more of them round to another."""
_LONG = 1024
_LARGEST_SUM = (1 << 27) - 1
"""With the number of a lane, a sum takes 32 bits."""


class PairTable(NamedTuple):
    """What a scan reads, by addresses."""

    rows: np.int64
    """uint16, 64 for each place and a last row of zeros, aligned to 64 bytes."""
    shares: np.int64
    """float32 `[64, 2]`: what each pair cuts off below and above."""
    steps: np.int64
    """Sixteen float32: the eight that shares are made of, twice."""
    last_place: np.int64


@dataclass(frozen=True, slots=True)
class HeldPairs:
    """A table for kernels, and its memory."""

    table: PairTable
    memory: tuple[Any, ...] = ()


NO_PAIRS = HeldPairs(PairTable(np.int64(0), np.int64(0), np.int64(0), np.int64(0)))


@lru_cache(maxsize=32)
def pair_table(bits: int, size: int, *, has_minimum: bool) -> HeldPairs:
    """The table for blocks of so many elements; without a minimum, their zero points are whole."""
    last, places = (1 << bits) - 1, _PLACES[bits]
    shares = _pairs(bits, size, (_SHARES_BY_SIZE if has_minimum else _WITH_WHOLE_ZEROS).get(bits, ()))
    errors = _errors(shares, last, places)
    unit = min(65535, _LARGEST_SUM * STRETCH / size) / (min(size, STRETCH) * (0.5 / last) ** 2)
    rows = np.zeros((places + 1, PAIRS), np.uint16)
    rows[:places] = np.minimum(np.rint(errors * unit), 65535)
    memory = _aligned(rows)
    steps = np.tile(shares[: shares.shape[0] // 8, 1], 2)
    held = memory, shares, steps
    rows_at, shares_at, steps_at = (np.int64(each.ctypes.data) for each in held)
    return HeldPairs(PairTable(rows_at, shares_at, steps_at, np.int64(places - 1)), held)


def _pairs(bits: int, size: int, by_size: tuple[tuple[int, tuple[float, float]], ...]) -> Any:
    """float32 `[64, 2]`."""
    least, most, long = _SHARES[bits]
    share = min(max(np.log2(max(size, 1) / 128) / np.log2(_LONG / 128), 0.0), 1.0)
    for longest, ends in by_size:
        if size <= longest:
            start, end = ends
            break
    else:
        start, end = least * (1 - share), most + (long - most) * share
    steps = np.linspace(start, end, 8)
    return np.ascontiguousarray(
        np.stack(np.meshgrid(steps, steps, indexing="ij"), axis=-1).reshape(PAIRS, 2), np.float32
    )


def _errors(shares: Any, last: int, places: int) -> Any:
    """float64 `[places, 64]`: the squared error over the squared range, averaged over each place."""
    within = (np.arange(_WITHIN) - _WITHIN // 2) / _WITHIN
    points = np.clip((np.arange(places)[:, None] + within) / (places - 1), 0, 1)[:, :, None]
    low, high = shares[:, 0].astype(np.float64), 1 - shares[:, 1].astype(np.float64)
    step = (high - low) / last
    codes = np.clip(np.rint((points - low) / step), 0, last)
    found = ((points - (low + codes * step)) ** 2).mean(axis=1)
    assert found.shape == (places, PAIRS)
    return found


def _aligned(rows: Any) -> Any:
    """The same numbers from a multiple of 64 bytes on, one after another."""
    memory = np.empty(rows.nbytes + 64, np.uint8)
    start = -memory.ctypes.data % 64
    found = memory[start : start + rows.nbytes].view(np.uint16)
    found[:] = rows.reshape(-1)
    return found

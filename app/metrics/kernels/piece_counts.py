"""How often each 16-bit piece of many words occurs: at most four tables of 65,536 counts, whatever the words are."""

from collections.abc import Callable
from functools import cache
from typing import Any

from numba import njit


@cache
def piece_count_kernel() -> Callable[[Any, Any], None]:
    """`count(words, counts)`: words are a row of pieces each, `counts` a table of uint32 for each place in a row.

    Two elements are counted into two tables in turn: equal neighbours would wait for each other's store.
    """

    def count(words: Any, counts: Any) -> None:
        rows, pieces = words.shape
        even = rows - rows % 2
        for row in range(0, even, 2):
            for piece in range(pieces):
                counts[0, piece, words[row, piece]] += 1
                counts[1, piece, words[row + 1, piece]] += 1
        for row in range(even, rows):
            for piece in range(pieces):
                counts[0, piece, words[row, piece]] += 1

    found: Callable[[Any, Any], None] = njit(nogil=True)(count)
    return found

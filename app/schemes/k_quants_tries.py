"""What the searches for K-quants try.

Starts were chosen one by one so that the best of them comes nearest to the best of a fine lattice of starts, on equal
parts of normal, Laplace and Student-t(5) numbers.
"""

from functools import lru_cache

from app.schemes.grids import Grid
from app.schemes.k_quants_affine import AffineSearch
from app.schemes.k_quants_symmetric import SymmetricSearch


@lru_cache(maxsize=8)
def counting_grid(bits: int, lowest: int) -> Grid:
    """Whole numbers from the lowest on; codes count from zero."""
    levels = range(lowest, lowest + (1 << bits))
    return Grid(f"levels{bits}{lowest}", bits, tuple(map(float, levels)), tuple(range(1 << bits)), ties_to_even=True)


def _clips(text: str) -> tuple[tuple[float, float], ...]:
    """Hundredths of the range that are clipped below and above."""
    pairs = [pair.split(",") for pair in text.split()]
    return tuple((int(below) / 100, int(above) / 100) for below, above in pairs)


_TWO_BITS = _clips("6,12 18,0 0,18 12,6 6,-6 12,12 -6,6 12,-30 -30,12 0,0 6,18 18,6")
_FOUR_BITS = _clips("2,0 0,2 -6,0 4,0 0,0 0,4 0,-6 2,2 2,-2 -2,2 -6,-6 -2,0 0,-2 2,-8 4,2 2,4")
_FIVE_BITS = _clips("0,0 0,1 -1,-3 0,-3 -4,-3 1,0 -1,1 1,-1 1,-4 -3,0 -3,-4 -3,-3 1,1 2,0 0,2 0,-1")
_DIAGONAL = ((1.0, 1.0), (1.05, 1.05), (1.1, 1.1), (1.05, 1.0), (1.0, 1.05))
_THREE_BITS_ENDS = (-4.9, -4.6, -4.3, -4.0, -3.7, -3.4, -3.2, -2.9, 4.0, 3.2)
_SIX_BITS_ENDS = (-32.6, -32.2, -32.0, -31.8, -31.2, -30.8, -30.2, -29.8, -29.2, -28.8, -28.4, -28.0)

SEARCHES: dict[str, AffineSearch | SymmetricSearch] = {
    "q2_k": AffineSearch(3, 15, _TWO_BITS, _DIAGONAL),
    "q3_k": SymmetricSearch(counting_grid(3, -4), -32, _THREE_BITS_ENDS, (-32, -31, -30, -29, -28, -27), 2),
    "q4_k": AffineSearch(15, 63, _FOUR_BITS, _DIAGONAL),
    "q5_k": AffineSearch(31, 63, _FIVE_BITS, _DIAGONAL),
    "q6_k": SymmetricSearch(counting_grid(6, -32), -128, _SIX_BITS_ENDS, (-128, -124, -120, -116), 2),
}

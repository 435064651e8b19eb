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
    """Thousandths of the range that are clipped below and above; negative ones leave room."""
    pairs = [pair.split(",") for pair in text.split()]
    return tuple((int(below) / 1000, int(above) / 1000) for below, above in pairs)


_TWO_BITS = _clips("60,120 180,0 0,180 120,60 60,-60 120,120 -60,60 120,-300 -300,120 0,0 60,180 180,60")
_FOUR_BITS = _clips("20,0 0,20 -60,0 40,0 0,0 0,40 0,-60 20,20 20,-20 -20,20 -60,-60 -20,0 0,-20 20,-80 40,20 20,40")
_FIVE_BITS = _clips(
    "0,5 -35,5 10,0 -8,10 0,-65 5,-35 15,-8 -100,5 5,-8 -65,-8 -25,-8 -8,-8 "
    "-8,15 -8,-25 10,10 -65,-65 0,-35 -8,-65 -8,-100 0,10 5,0 -120,-80 -65,0 -100,-8"
)
_FEW = ((1.0, 1.0), (1.05, 1.05), (1.1, 1.1), (1.05, 1.0), (1.0, 1.05))
_COARSE = (*_FEW, (1.3, 1.0), (1.0, 1.3))
_MORE = (*_FEW, (1.1, 1.0), (1.0, 1.1), (1.1, 1.05), (1.05, 1.1))
_THREE_BITS_ENDS = (-4.8, -4.4, -4.1, -3.8, -3.2, -2.9)
_SIX_BITS_ENDS = (-32.6, -32.0, -31.4, -30.8, -30.2, -29.6, -29.0, -28.4, -27.8, -27.2, -26.6, -26.0)

SEARCHES: dict[str, AffineSearch | SymmetricSearch] = {
    "q2_k": AffineSearch(3, 15, _TWO_BITS, _COARSE),
    "q3_k": SymmetricSearch(counting_grid(3, -4), -32, _THREE_BITS_ENDS, tuple(range(-32, -26)), 1, both_signs=False),
    "q4_k": AffineSearch(15, 63, _FOUR_BITS, _FEW),
    "q5_k": AffineSearch(31, 63, _FIVE_BITS, _MORE),
    "q6_k": SymmetricSearch(counting_grid(6, -32), -128, _SIX_BITS_ENDS, tuple(range(-128, -120)), 1, both_signs=False),
}

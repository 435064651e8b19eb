"""IQ4_XS: codes of four bits into ggml's codebook of uneven steps, in super-blocks with signed scales of six bits."""

from functools import cache

from app.schemes.gguf_schemes import IQ4_NL_LEVELS
from app.schemes.grids import Grid
from app.schemes.k_quants import SuperBlockScheme, entry_of
from app.schemes.k_quants_layout import LAYOUTS
from app.schemes.k_quants_symmetric import SymmetricSearch

_ENDS = (-140.0, -134.0, -130.0, -126.0, -122.0, -118.0, -110.0, -104.0, 92.0, 110.0, 116.0, 122.0)


@cache
def iq4_xs() -> SuperBlockScheme:
    """The only scheme of its kind."""
    grid = Grid("iq4_xs", 4, tuple(map(float, IQ4_NL_LEVELS)), tuple(range(len(IQ4_NL_LEVELS))), ties_to_even=True)
    search = SymmetricSearch(grid, -32, _ENDS, (-32, -31, -30, -29, -28, -27), 2)
    return SuperBlockScheme(LAYOUTS["iq4_xs"], search)


ENTRIES = (entry_of("iq4_xs", iq4_xs),)

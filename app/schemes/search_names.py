"""The name of the fixed search that finds a scheme's scales: reports tell it, so that equal names mean equal bytes.

There are two ways to each search, which agree within 0.01 dB and each give the same bytes on every machine: `plain`
(torch; pages, JSON and CUDA) and `compiled` (numba; files and long tensors on a CPU).
"""

from app.schemes.affine import AffineScheme
from app.schemes.gguf_affine import GgufAffineScheme
from app.schemes.gguf_blocks import GgufBlockScheme
from app.schemes.grid_scheme import GridScheme
from app.schemes.k_quants import SuperBlockScheme
from app.schemes.lloyd_max import LloydMaxScheme
from app.schemes.scheme import Choices, ScaleRule, Scheme
from app.schemes.sweep import LARGEST_GRID

VERSION = 1
"""Raised with every change that lets a search of that name find other scales."""


def search_name(scheme: Scheme, choices: Choices, *, is_compiled: bool) -> str | None:
    """Such as `mse sweep-1 plain`; `absmax` and `percentile=99.9`, which leave no room, have no version.

    None where the scheme has no scale to find.
    """
    rule = getattr(scheme, "rule", None)
    if rule not in {None, "mse"}:
        return str(rule)
    search = _search(scheme)
    if search is None:
        return None
    if choices.scale is ScaleRule.PERCENTILE:
        return f"{choices.scale}={choices.percentile:g}"
    if choices.scale is ScaleRule.ABSMAX:
        return str(choices.scale)
    return f"{choices.scale} {search}-{VERSION} {'compiled' if is_compiled else 'plain'}"


def _search(scheme: Scheme) -> str | None:
    match scheme:
        case SuperBlockScheme():
            return "super-blocks"
        case AffineScheme() | GgufAffineScheme():
            return "pairs"
        case LloydMaxScheme():
            return "lloyd-max"
        case GridScheme() | GgufBlockScheme():
            if scheme.scale_format.are_few:
                return "every-scale"
            return "sweep" if len(scheme.grid.levels) <= LARGEST_GRID else "ladder"
        case _:
            return None

"""The searches of K-quants and IQ4_XS held to a long one: what tests/schemes tries on a few super-blocks, on many.

Run as `python tests/campaigns/super_block_search.py [--blocks N] [SCHEME ...]`: a line for each scheme and kind of
numbers, with the decibels between the error that was found and that of the long search. Ends with 1 where normal,
Laplace or Student numbers are further from it than 0.05 dB. 100 super-blocks of all schemes take some minutes.
"""

import argparse
import sys
from pathlib import Path

import torch

from app.schemes.fast import quantize_fast
from app.schemes.k_quants import SuperBlockScheme
from app.schemes.k_quants_affine import AffineSearch
from app.schemes.k_quants_layout import BLOCK, LAYOUTS
from app.schemes.registry import find_scheme
from app.schemes.scheme import Choices

sys.path.append(str(Path(__file__).parents[1] / "schemes"))

from scale_oracle import blocks_of
from super_block_oracle import least_affine, least_symmetric

LIMIT = 0.05
"""Decibels over all super-blocks of a kind."""
KINDS, MORE_KINDS = ("gaussian", "laplace", "student"), ("outliers",)


def gap(name: str, kind: str, count: int) -> float:
    """Decibels over all super-blocks; below zero where the short search found less error."""
    scheme = find_scheme(name)
    assert isinstance(scheme, SuperBlockScheme), name
    values = blocks_of(kind, count, BLOCK)
    back = scheme.dequantize(quantize_fast(scheme, values, Choices()))
    found = (values.double() - back.double()).square().sum()
    blocks, search = values.double().view(count, LAYOUTS[name].sub_blocks, -1), scheme.search
    if isinstance(search, AffineSearch):
        least = least_affine(blocks, search.top, search.limit)
    else:
        least = least_symmetric(blocks, search.grid, search.lowest, divisors=24)
    return float(10 * torch.log10(found / least.sum()))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("schemes", nargs="*", metavar="SCHEME", help=", ".join(LAYOUTS))
    parser.add_argument("--blocks", type=int, default=100)
    options = parser.parse_args()
    worst = 0.0
    for name in options.schemes or LAYOUTS:
        for kind in (*KINDS, *MORE_KINDS):
            found = gap(name, kind, options.blocks)
            print(f"{name:8} {kind:10} {found:+.4f} dB", flush=True)
            worst = max(worst, found if kind in KINDS else 0.0)
    print(f"furthest: {worst:.4f} dB")
    return int(worst > LIMIT)


if __name__ == "__main__":
    sys.exit(main())

"""The table of schemes in GGUF blocks of the simple kind; K-quants and IQ4_XS are elsewhere."""

from collections.abc import Callable, Iterable
from functools import cache

import torch
from torch import Tensor

from app.schemes.entries import SchemeEntry, SchemeOptions
from app.schemes.gguf_affine import GgufAffineScheme
from app.schemes.gguf_blocks import GgufBlockScheme, counted_grid
from app.schemes.gguf_layouts import LAYOUTS
from app.schemes.gguf_nvfp4 import GgufNvfp4Scheme
from app.schemes.grids import Grid, format_grid
from app.schemes.scheme import Scheme

IQ4_NL_LEVELS = (-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113)
"""ggml-common.h, `kvalues_iq4nl`."""
_E2M1 = "float4_e2m1fn"
_E2M1_EXPONENT = 2
"""Of the largest level, 6 = 1.5 * 2^2."""
_EXPONENT_BITS = 0x7F800000
"""Of float32."""
_OPTIONS = frozenset({"scale", "percentile", "seed", "importance"})


def _extreme_over(level: float) -> Callable[[Tensor], Tensor]:
    """The number of largest magnitude goes to that level, whatever sign the scale gets."""
    return lambda extremes: extremes / level


def _magnitude_over(level: float) -> Callable[[Tensor], Tensor]:
    return lambda extremes: extremes.abs() / level


def _floor_exponent(extremes: Tensor) -> Tensor:
    """OCP MX v1.0, 6.3: the exponent of the largest magnitude less that of the largest level."""
    words = extremes.abs().view(torch.int32) & _EXPONENT_BITS
    return words.view(torch.float32) * 2.0**-_E2M1_EXPONENT


def _grid(name: str, levels: Iterable[int]) -> Grid:
    return counted_grid(LAYOUTS[name].coding.bits, tuple(levels))


def _bytes_grid() -> Grid:
    levels = range(-128, 128)
    return Grid("q8_0", 8, tuple(map(float, levels)), tuple(level & 255 for level in levels), ties_to_even=True)


@cache
def _schemes() -> dict[str, Scheme]:
    found: tuple[Scheme, ...] = (
        GgufBlockScheme("q8_0", LAYOUTS["q8_0"], _bytes_grid(), _magnitude_over(127)),
        GgufBlockScheme("q4_0", LAYOUTS["q4_0"], _grid("q4_0", range(-8, 8)), _extreme_over(-8)),
        GgufAffineScheme("q4_1", LAYOUTS["q4_1"]),
        GgufBlockScheme("q5_0", LAYOUTS["q5_0"], _grid("q5_0", range(-16, 16)), _extreme_over(-16)),
        GgufAffineScheme("q5_1", LAYOUTS["q5_1"]),
        GgufBlockScheme("iq4_nl", LAYOUTS["iq4_nl"], _grid("iq4_nl", IQ4_NL_LEVELS), _extreme_over(-127)),
        GgufBlockScheme("tq1_0", LAYOUTS["tq1_0"], _grid("tq1_0", (-1, 0, 1)), _magnitude_over(1)),
        GgufBlockScheme("tq2_0", LAYOUTS["tq2_0"], _grid("tq2_0", (-1, 0, 1)), _magnitude_over(1), ((3, 2.0),)),
        GgufBlockScheme("gguf_mxfp4", LAYOUTS["mxfp4"], format_grid(_E2M1), _floor_exponent),
        GgufNvfp4Scheme("gguf_nvfp4", LAYOUTS["nvfp4"], format_grid(_E2M1), _magnitude_over(6)),
    )
    return {scheme.name: scheme for scheme in found}


def _entry(name: str, element: str = "") -> SchemeEntry:
    def build(options: SchemeOptions) -> Scheme:
        del options
        return _schemes()[name]

    return SchemeEntry(name, "gguf", element, "gguf", _OPTIONS, build)


ENTRIES: tuple[SchemeEntry, ...] = (
    _entry("q8_0", "int8"),
    *(_entry(name) for name in ("q4_0", "q4_1", "q5_0", "q5_1", "iq4_nl", "tq1_0", "tq2_0")),
    _entry("gguf_mxfp4", _E2M1),
    _entry("gguf_nvfp4", _E2M1),
)

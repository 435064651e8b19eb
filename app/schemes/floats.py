"""Scaled floats of 8, 6 and 4 bits: value = element * scale; FP8 E4M3 in compressed-tensors' naive-quantized layout."""

from functools import partial

from app.schemes.entries import SchemeEntry, SchemeOptions
from app.schemes.grid_scheme import GridScheme, Packing, byte_packing, dense_packing
from app.schemes.grids import format_grid
from app.schemes.partitions import parse_partition
from app.schemes.scale_formats import parse_scale_format

_OPTIONS = frozenset({"granularity", "scale_format", "scale", "percentile", "seed", "importance"})
_WIDE = ("channel", "tensor", "group=128", "column", "block=128x128")
_NARROW = ("group=128", "group=32", "channel", "tensor", "column", "block=128x128")

ELEMENTS = {
    "fp8": "float8_e4m3fn",
    "fp8_e5m2": "float8_e5m2",
    "fp6_e2m3": "float6_e2m3fn",
    "fp6_e3m2": "float6_e3m2fn",
    "fp4_e2m1": "float4_e2m1fn",
}
"""The format of a code, by the name of the scheme."""


def code_packing(bits: int) -> Packing:
    """Bytes, or a little-endian stream: four codes of six bits in three bytes, two of four bits in one, low first."""
    return byte_packing() if bits == 8 else dense_packing(bits)


def scaled_floats(name: str, options: SchemeOptions) -> GridScheme:
    """No scale is smaller than 2^-126, so that its inverse is finite: values far below that are lost."""
    grid = format_grid(ELEMENTS[name])
    return GridScheme(
        name,
        grid,
        parse_partition(options.granularity or _granularities(name)[0]),
        parse_scale_format(options.scale_format),
        code_packing(grid.bits),
    )


def _granularities(name: str) -> tuple[str, ...]:
    return _WIDE if name.startswith("fp8") else _NARROW


ENTRIES = tuple(
    SchemeEntry(
        name=name,
        family="float",
        element=element,
        layout="compressed-tensors" if name == "fp8" else "bitlens",
        options=_OPTIONS,
        build=partial(scaled_floats, name),
        granularities=_granularities(name),
    )
    for name, element in ELEMENTS.items()
)

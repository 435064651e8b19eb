"""Integers of 2 to 8 bits, symmetric (value = integer * scale) or not, in compressed-tensors' pack-quantized layout."""

from functools import partial

from app.errors import InvalidInput
from app.schemes.affine import asymmetric_integers
from app.schemes.entries import SchemeEntry, SchemeOptions
from app.schemes.grid_scheme import GridScheme, dense_packing
from app.schemes.grids import integer_grid
from app.schemes.partitions import parse_partition
from app.schemes.scale_formats import parse_scale_format
from app.schemes.scheme import Scheme

_WORD_BYTES = 4
_GROUPS = ("group=128", "group=64", "group=32", "channel", "column", "tensor", "block=128x128")
_OPTIONS = frozenset(
    {
        *("granularity", "symmetric", "zero_point", "scale_format"),
        *("scale", "percentile", "signed_scales", "seed", "importance"),
    }
)


def integers(bits: int, options: SchemeOptions) -> Scheme:
    """Symmetric unless that is declined or a kind of zero point is asked for.

    Raises:
        InvalidInput: `scheme.option`, a zero point for symmetric ones.
    """
    if options.symmetric and options.zero_point is not None:
        raise InvalidInput("scheme.option", name=f"int{bits}", option="zero_point")
    if options.symmetric is False or options.zero_point is not None:
        return asymmetric_integers(bits, options, _granularities(bits)[0])
    return symmetric_integers(bits, options)


def symmetric_integers(bits: int, options: SchemeOptions) -> GridScheme:
    """Codes are stored as integer + 2^(bits - 1), rows filled up to whole 32-bit words; 8 bits default to channels."""
    return GridScheme(
        f"int{bits}",
        integer_grid(bits),
        parse_partition(options.granularity or _granularities(bits)[0]),
        parse_scale_format(options.scale_format),
        dense_packing(bits, _WORD_BYTES),
        code_offset=1 << (bits - 1),
    )


def _granularities(bits: int) -> tuple[str, ...]:
    return ("channel", *(each for each in _GROUPS if each != "channel")) if bits == 8 else _GROUPS


ENTRIES = tuple(
    SchemeEntry(
        name=f"int{bits}",
        family="integer",
        element=f"int{bits}",
        layout="compressed-tensors",
        options=_OPTIONS,
        build=partial(integers, bits),
        granularities=_granularities(bits),
    )
    for bits in range(2, 9)
)

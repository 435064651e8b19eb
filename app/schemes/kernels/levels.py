"""From sixteen scaled numbers to the nearest levels of a grid and their codes: `Grid.nearest` in vectors."""

# mypy: disable-error-code="untyped-decorator"

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from app.formats import FloatFormat, Format, find_format
from app.schemes.grids import Grid, format_grid
from app.schemes.kernels.vectors import (
    LANES,
    bits_of,
    floats_of,
    larger,
    larger_word,
    load_codes,
    load_floats,
    pick,
    place_of,
    smaller,
    smaller_word,
    spread,
    spread_word,
    to_floats,
    word_above,
)

f32, u32 = np.float32, np.uint32

WHOLE, STEPS, FLOAT = 0, 1, 2
"""Kinds of grids: whole numbers in steps of 1; up to sixteen levels of any size; a float format with a sign."""
MAGIC = f32(12582912.0)
"""1.5 * 2^23: adding it rounds a float32 of fewer than 22 bits to a whole number, ties to even."""
MAGNITUDE, SIGN = u32(0x7FFFFFFF), u32(0x80000000)


class GridTable(NamedTuple):
    """A grid as kernels are given it: tables by their addresses."""

    kind: np.int64
    low: np.float32
    high: np.float32
    offset: np.uint32
    """Added to the codes of whole numbers."""
    mask: np.uint32
    address: np.int64
    """Of sixteen thresholds, ascending, infinity where there are fewer; sixteen levels; and sixteen codes as words."""
    mantissa_bits: np.uint32
    least_exponent: np.uint32
    """That of the smallest normal number, as float32 has it."""
    last_code: np.uint32
    sign_bit: np.uint32


class Levels(NamedTuple):
    """A grid as vectors, inside kernels."""

    kind: Any
    low: Any
    high: Any
    offset: Any
    mask: Any
    thresholds: Any
    levels: Any
    codes: Any
    mantissa_bits: Any
    least_exponent: Any
    last_code: Any
    sign_bit: Any


@dataclass(frozen=True, slots=True)
class HeldGrid:
    """A grid for kernels, and the memory of its tables."""

    table: GridTable
    memory: Any


@lru_cache(maxsize=64)
def grid_table(grid: Grid, code_offset: int) -> HeldGrid | None:
    """The grid for kernels; None for one that they do not know."""
    kind = kind_of(grid)
    if kind is None or (code_offset and kind != WHOLE):
        return None
    offset = (grid.codes[0] - int(grid.levels[0]) if kind == WHOLE else 0) + code_offset
    thresholds, levels = np.full(LANES, np.inf, f32), np.zeros(LANES, f32)
    codes = np.zeros(LANES, u32)
    if len(grid.levels) <= LANES:
        thresholds[: len(grid.levels) - 1] = grid.thresholds().numpy()
        levels[: len(grid.levels)], codes[: len(grid.levels)] = grid.levels, grid.codes
    mantissa_bits, least_exponent, last_code = (kind == FLOAT and _float_parameters(grid)) or (0, 1, 0)
    memory = np.concatenate([thresholds, levels, codes.view(f32)])
    table = GridTable(
        np.int64(kind),
        f32(grid.smallest),
        f32(grid.largest),
        u32(offset & 0xFFFFFFFF),
        u32((1 << grid.bits) - 1),
        np.int64(memory.ctypes.data),
        u32(mantissa_bits),
        u32(least_exponent),
        u32(last_code),
        u32(32 - grid.bits),
    )
    return HeldGrid(table, memory)


@njit(nogil=True, forceinline=True)
def levels_of(table: Any) -> Any:
    """The tables read."""
    return Levels(
        table.kind,
        table.low,
        table.high,
        table.offset,
        table.mask,
        load_floats(table.address, 0),
        load_floats(table.address, LANES),
        load_codes(table.address, 2 * LANES),
        table.mantissa_bits,
        table.least_exponent,
        table.last_code,
        table.sign_bit,
    )


def kind_of(grid: Grid) -> int | None:
    """How kernels encode on a grid."""
    if grid.is_uniform:
        mask, first = (1 << grid.bits) - 1, grid.codes[0]
        return WHOLE if all(code == (first + place) & mask for place, code in enumerate(grid.codes)) else None
    if len(grid.levels) <= LANES:
        return STEPS
    return FLOAT if _float_parameters(grid) else None


def _float_parameters(grid: Grid) -> tuple[int, int, int] | None:
    known = _known_format(grid.name)
    if not isinstance(known, FloatFormat) or not known.signed or grid != format_grid(grid.name):
        return None
    exponent = int(np.log2(float(known.min_normal))) + 127
    return known.mantissa_bits, exponent, grid.codes[-1]


def _known_format(name: str) -> Format | None:
    return find_format(name) if name.startswith("float") else None


@njit(nogil=True, error_model="numpy", forceinline=True)
def whole_codes(scaled: Any, table: Any) -> Any:
    """The codes of whole numbers."""
    held = smaller(larger(scaled, spread(table.low)), spread(table.high))
    return (bits_of(held + spread(MAGIC)) + spread_word(table.offset)) & spread_word(table.mask)


@njit(nogil=True, error_model="numpy", forceinline=True)
def step_codes(scaled: Any, table: Any) -> Any:
    """The codes of up to sixteen levels."""
    place = place_of(scaled, table.thresholds)
    return bits_of(pick(floats_of(table.codes), place))


@njit(nogil=True, error_model="numpy", forceinline=True)
def _significands(scaled: Any, table: Any) -> Any:
    """The rounded significand of each magnitude, and the exponent that it stands at."""
    magnitude = bits_of(scaled) & spread_word(MAGNITUDE)
    exponent, least = magnitude >> spread_word(u32(23)), spread_word(table.least_exponent)
    raised = larger_word(exponent, least)
    one = spread_word(u32(1))
    drop = smaller_word(raised - exponent, spread_word(u32(8))) + spread_word(u32(23) - table.mantissa_bits)
    drop = smaller_word(drop, spread_word(u32(31)))
    significand = (magnitude & spread_word(u32(0x7FFFFF))) | spread_word(u32(0x800000))
    odd = (significand >> drop) & one
    return (significand + (one << (drop - one)) - one + odd) >> drop, raised


@njit(nogil=True, error_model="numpy", forceinline=True)
def float_codes(scaled: Any, table: Any) -> Any:
    """The codes of a float format, ties to even; a zero has no sign."""
    rounded, exponent = _significands(scaled, table)
    code = rounded + ((exponent - spread_word(table.least_exponent)) << spread_word(table.mantissa_bits))
    code = smaller_word(code, spread_word(table.last_code))
    sign = (bits_of(scaled) & spread_word(SIGN)) >> spread_word(table.sign_bit)
    return code | (sign & word_above(code, spread_word(u32(0))))


@njit(nogil=True, error_model="numpy", forceinline=True)
def nearest_levels(scaled: Any, table: Any) -> Any:
    """The levels of any kind of grid."""
    if table.kind == WHOLE:
        held = smaller(larger(scaled, spread(table.low)), spread(table.high))
        return (held + spread(MAGIC)) - spread(MAGIC)
    if table.kind == STEPS:
        return pick(table.levels, place_of(scaled, table.thresholds))
    rounded, exponent = _significands(scaled, table)
    step = floats_of((exponent - spread_word(table.mantissa_bits)) << spread_word(u32(23)))
    size = smaller(to_floats(rounded) * step, spread(table.high))
    return floats_of(bits_of(size) | (bits_of(scaled) & spread_word(SIGN)))

"""What the kernels of `app.codec.kernels` need to know of a format: numbers and tables from the facts of `app.formats`.

Nothing here comes from the plain codec, so that comparing the two says something. Words are float32 bit patterns.
"""

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.formats import FixedPointFormat, FloatFormat, IntegerFormat, Notation, PositFormat, TakumFormat
from app.formats.bits import code_mask

_BIAS, _MANTISSA_BITS = 127, 23
_LOWEST, _HIGHEST = -126, 127
_INFINITY, _ALL_BITS = 0x7F800000, 0xFFFFFFFF
_NEVER = _ALL_BITS


class FloatParameters(NamedTuple):
    """Numbers of a float format, unsigned words all; what changes for negative numbers is xor-ed in."""

    drop: int
    """Bits of the 24 that are cut off a normal number."""
    lowest: int
    """float32's exponent field of the smallest normal number; two's complement."""
    base: int
    """The exponent field whose numbers have magnitudes from 2 * 2^mantissa_bits, less 1."""
    mantissa_bits: int
    limit: int
    over: int
    over_change: int
    nan: int
    sign: int
    first_signed: int
    """The smallest magnitude that shows its sign; in formats without signs, that cannot be negative."""


class FloatEdges(NamedTuple):
    """Magnitudes around the ends: below `gap_end` they are `first`, and `second` from the edge of their sign on."""

    infinity: int
    gap_end: int
    positive_edge: int
    edge_change: int
    first: int
    second: int
    zero: int


class WholeParameters(NamedTuple):
    """Numbers of an integer or fixed-point format; a negative one is (whole ^ inverted) + added, modulo 2^width."""

    unit: int
    limit: int
    limit_change: int
    inverted: int
    added: int
    code_mask: int


def is_common(number_format: FloatFormat) -> bool:
    """Whether every number is a float32, zero and subnormals included, so that the short kernel serves."""
    reaches = number_format.min_exponent >= _LOWEST and number_format.max_exponent <= _HIGHEST
    return reaches and number_format.has_zero and (number_format.has_subnormals or not number_format.mantissa_bits)


def is_plain(number_format: FloatFormat) -> bool:
    """Whether the kernel for nearest-even of common formats serves: all its constants must be normal float32s.

    Subnormal float32s are then so small that it does not matter if the processor takes them for zero.
    """
    lowest = number_format.min_exponent - number_format.mantissa_bits
    fits = lowest > _LOWEST and lowest + _MANTISSA_BITS <= _HIGHEST
    has_all = number_format.signed and number_format.has_subnormals and number_format.mantissa_bits > 0
    return has_all and fits and is_common(number_format)


def is_closed(number_format: FloatFormat, overflow: str) -> bool:
    """Whether the kernel for stochastic rounding serves: plain, with NaN, and nothing between the largest and beyond.

    Its shift gives no number for float32's subnormals only if the smallest normal number is 2^31 times as large.
    """
    over = beyond(number_format, "stochastic", overflow, negative=False)
    is_far = number_format.min_exponent - _LOWEST > 32
    return is_plain(number_format) and number_format.has_nan and is_far and over - number_format.max_magnitude in (0, 1)


def has_parameters(number_format: FloatFormat, rounding: str) -> bool:
    """Whether the kernels of floats hold the format; the plain codec does what is left."""
    if not number_format.signed and not number_format.has_nan:
        return False
    if not number_format.has_zero:
        return number_format.has_nan and not number_format.signed
    has_gap = not number_format.has_subnormals and number_format.mantissa_bits > 0
    return not (has_gap and rounding == "stochastic")


def float_parameters(number_format: FloatFormat, rounding: str, overflow: str) -> FloatParameters:
    """For the kernels of floats."""
    over = [beyond(number_format, rounding, overflow, negative=negative) for negative in (False, True)]
    shows_zero = number_format.has_negative_zero or not number_format.has_zero
    return FloatParameters(
        drop=_MANTISSA_BITS - number_format.mantissa_bits,
        lowest=(number_format.min_exponent + _BIAS) & _ALL_BITS,
        base=(1 - number_format.bias + _BIAS) & _ALL_BITS,
        mantissa_bits=number_format.mantissa_bits,
        limit=number_format.max_magnitude,
        over=over[0],
        over_change=over[0] ^ over[1],
        nan=number_format.nan_code or 0,
        sign=number_format.sign_mask,
        first_signed=int(not shows_zero),
    )


def beyond(number_format: FloatFormat, rounding: str, overflow: str, *, negative: bool) -> int:
    """What stands for finite numbers past the largest: IEEE 754-2019, 7.4."""
    largest = number_format.max_magnitude
    points_out = {
        "toward_zero": False,
        "toward_positive": not negative,
        "toward_negative": negative,
        "to_odd": largest % 2 == 0,
    }.get(rounding, True)
    return infinity_code(number_format, overflow) if points_out else largest


def infinity_code(number_format: FloatFormat, overflow: str) -> int:
    """What stands for infinity, without its sign."""
    if overflow == "saturate":
        return number_format.max_magnitude
    return number_format.infinity_magnitude or number_format.nan_code or number_format.max_magnitude


def float_edges(number_format: FloatFormat, rounding: str, overflow: str) -> FloatEdges:
    """For the kernels of floats."""
    infinity = infinity_code(number_format, overflow)
    nothing = FloatEdges(infinity, 0, 0, 0, 0, 0, 0)
    if not number_format.has_zero:
        end = word_from(number_format.min_positive)
        is_missing = rounding in ("toward_zero", "toward_negative") and overflow == "ieee"
        nan = number_format.nan_code or 0
        near = nan if is_missing else 0
        return nothing._replace(gap_end=end, first=near, second=near, zero=nan)
    if number_format.has_subnormals or not number_format.mantissa_bits:
        return nothing
    end = word_from(number_format.min_positive)
    half = number_format.min_positive / 2
    edges = {
        "nearest_even": (word_above(half), word_above(half)),
        "nearest_away": (word_from(half), word_from(half)),
        "toward_positive": (1, _NEVER),
        "toward_negative": (_NEVER, 1),
        "to_odd": (1, 1),
    }
    positive, negative = edges.get(rounding, (_NEVER, _NEVER))
    return nothing._replace(gap_end=end, positive_edge=positive, edge_change=positive ^ negative, second=1)


def whole_parameters(number_format: IntegerFormat | FixedPointFormat) -> WholeParameters:
    """For the kernels of integers and fixed point."""
    fraction_bits, notation = 0, Notation.TWOS_COMPLEMENT
    if isinstance(number_format, FixedPointFormat):
        fraction_bits = number_format.fraction_bits
    elif number_format.signed:
        notation = number_format.notation
    inverted, added = {
        Notation.TWOS_COMPLEMENT: (_ALL_BITS, 1),
        Notation.ONES_COMPLEMENT: (_ALL_BITS, 0),
        Notation.SIGN_MAGNITUDE: (0, 1 << (number_format.width - 1)),
    }[notation]
    last, first = number_format.last_ordinal, -number_format.first_ordinal
    unit = _BIAS + _MANTISSA_BITS - fraction_bits
    return WholeParameters(unit, last, last ^ first, inverted, added, code_mask(number_format))


_PADDED = 12
"""Bits from which takums are read as they stand."""

BINADES = 278
"""Exponent fields of float32 from -22 (2^-149, a subnormal with a leading one) to 255 (infinity and NaN)."""


@dataclass(frozen=True, slots=True)
class Binades:
    """For each binade of float32, how its numbers become codes of a posit or takum."""

    words: NDArray[np.uint64]
    """Three numbers in each: bits cut off (5), head (35), ordinal (24).

    The bits of a number behind the ordinal are the head, then float32's fraction.
    """
    powers: NDArray[np.float64]
    spans: NDArray[np.float64]
    """Where exponent bits are cut off, shares go by value: (significand * power - 1) / span; span is 0 elsewhere."""


@lru_cache(maxsize=64)
def binades_of(number_format: PositFormat | TakumFormat) -> Binades | None:
    """The table of a format; None where more than 31 bits would have to be cut off."""
    words, powers, spans = np.empty(BINADES, dtype=np.uint64), np.zeros(BINADES), np.zeros(BINADES)
    last = number_format.parts(number_format.last_ordinal).exponent
    first = number_format.parts(1).exponent
    for index in range(BINADES):
        exponent = index - 22 - _BIAS
        if exponent < first:
            drop, head, ordinal = 31, 0, 0
        elif exponent > last:
            drop, head, ordinal = 31, 0, number_format.last_ordinal
        else:
            found = _binade(number_format, exponent)
            if found is None:
                return None
            drop, head, ordinal = found
            if drop > _MANTISSA_BITS and 0 < ordinal < number_format.last_ordinal:
                low, high = (number_format.parts(code).exponent for code in (ordinal, ordinal + 1))
                powers[index], spans[index] = 2.0 ** (exponent - low - _MANTISSA_BITS), 2.0 ** (high - low) - 1
        words[index] = drop | head << 5 | ordinal << 40
    return Binades(words, powers, spans)


def _binade(number_format: PositFormat | TakumFormat, exponent: int) -> tuple[int, int, int] | None:
    """Read off the shortest longer format, of `more` bits more, that has 2^exponent."""
    first = max(0, _PADDED - number_format.width) if isinstance(number_format, TakumFormat) else 0
    for more in range(first, first + 20):
        longer = replace(number_format, width=number_format.width + more)
        code = _last_below(longer, exponent)
        parts = longer.parts(code)
        is_cut = code < longer.last_ordinal and longer.parts(code + 1).exponent > exponent + 1
        if parts.exponent != exponent or is_cut:
            continue
        start = code - parts.fraction
        drop = _MANTISSA_BITS - parts.fraction_bits + more
        if drop > 31:
            return None
        return drop, (start & ((1 << more) - 1)) << (_MANTISSA_BITS - parts.fraction_bits), start >> more
    return None


def _last_below(number_format: PositFormat | TakumFormat, exponent: int) -> int:
    """The last code of a binade, or of the last one before it that has codes."""
    low, high = 1, number_format.last_ordinal + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if number_format.parts(middle).exponent <= exponent else (low, middle)
    return low


@dataclass(frozen=True, slots=True)
class _Place:
    word: int
    is_exact: bool


def _place(value: Fraction) -> _Place:
    """The largest float32 at or below a number >= 0."""
    if value == 0:
        return _Place(0, is_exact=True)
    exponent = value.numerator.bit_length() - value.denominator.bit_length()
    exponent -= value < Fraction(2) ** exponent
    if exponent > _HIGHEST:
        return _Place(_INFINITY - 1, is_exact=False)
    field = max(exponent, _LOWEST)
    units = value / Fraction(2) ** (field - _MANTISSA_BITS)
    whole = units.numerator // units.denominator
    return _Place(whole + ((field - _LOWEST) << _MANTISSA_BITS), is_exact=units.denominator == 1)


def word_from(value: Fraction) -> int:
    """The smallest float32 at or above a number >= 0."""
    place = _place(value)
    return place.word + (not place.is_exact)


def word_above(value: Fraction) -> int:
    """The smallest float32 above a number >= 0."""
    return _place(value).word + 1

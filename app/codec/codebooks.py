"""Numbers into codebooks: the nearest value of the list, found by comparisons that nothing rounds.

A float64 lies above a rational number exactly if it lies above the largest float64 that does not, so thresholds rounded
in the right direction decide as the rational numbers themselves would; integers are compared with whole thresholds.
"""

import math
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise

import torch
from torch import Tensor

from app.codec.refusals import refuse_any
from app.codec.rounding import Mode, Rounding
from app.codec.significands import take_apart
from app.codec.stochastic import BITS
from app.codec.words import TOP_BIT
from app.formats import CodebookFormat

_INT64 = torch.iinfo(torch.int64)


@dataclass(frozen=True, slots=True)
class _Thresholds:
    """For each place in the order of values: tensors of float64, or of int64 for integers."""

    at_least: Tensor
    """The smallest number that is not below the value; infinity, or the list's end, where there is none."""
    value: Tensor
    value_is_exact: Tensor
    middle: Tensor
    """The largest number that is not above the middle between this value and the next."""
    middle_is_exact: Tensor


def encode_codebook(values: Tensor, number_format: CodebookFormat, mode: Mode) -> Tensor:
    """The codes as words; beyond both ends the last value stands for the number."""
    if values.dtype.is_floating_point:
        refuse_any(values.isnan(), "codec.nan", number_format)
    probes = _probes(values)
    table = _thresholds(number_format, is_float=values.dtype.is_floating_point)
    order = torch.tensor(number_format.codes_in_order, device=values.device)
    ordered = [number_format.values[code] for code in number_format.codes_in_order]
    last = len(order) - 1
    place = torch.searchsorted(table.at_least.to(values.device), probes, right=True) - 1
    low = place.clamp(0, last)
    rest = _rest(probes, low, table)
    inside = (place >= 0) & (place < last) & (rest != 0)
    if mode.rounding is Rounding.STOCHASTIC:
        rest = torch.where(rest != 0, _share(values, low, number_format), rest)
    # Rounding is decided on magnitudes: of a negative number, the value below is the larger one.
    is_negative = take_apart(values).is_negative
    rest = torch.where(is_negative, -rest, rest)
    is_odd = ((low + is_negative) & 1) == 1
    goes_up = mode.goes_up(rest, is_odd, is_negative) ^ is_negative
    if mode.rounding is Rounding.TOWARD_ZERO and number_format.min < 0 < number_format.max and 0 not in ordered:
        # With no zero between the two values beside it, a number keeps its sign.
        goes_up = torch.where(low == bisect_left(ordered, 0) - 1, ~is_negative, goes_up)
    code = order[(low + (goes_up & inside)).clamp(max=last)]
    if number_format.negative_zero is not None:
        zero = number_format.values.index(Fraction(0))
        code = torch.where(is_negative & (code == zero), number_format.negative_zero, code)
    return code


def _probes(values: Tensor) -> Tensor:
    if values.dtype.is_floating_point:
        return values.to(torch.float64)
    if values.dtype == torch.uint64:
        # No codebook that is met tells such numbers apart.
        return torch.where(values.view(torch.int64) < 0, _INT64.max, values.view(torch.int64))
    return values.to(torch.int64)


def _rest(probes: Tensor, low: Tensor, table: _Thresholds) -> Tensor:
    """0 on a value, 10...0 in the middle, else a word on the right side of that."""
    device = probes.device
    middle, is_exact = table.middle.to(device)[low], table.middle_is_exact.to(device)[low]
    half = torch.where((probes == middle) & is_exact, TOP_BIT, torch.where(probes > middle, TOP_BIT + 1, 1))
    is_value = (probes == table.value.to(device)[low]) & table.value_is_exact.to(device)[low]
    return torch.where(is_value, 0, half)


def _share(values: Tensor, low: Tensor, number_format: CodebookFormat) -> Tensor:
    """The way from the value below to the one above, as a word: within 2^-32."""
    near, error, factor, scale = share_rows(number_format).to(values.device)[:, low]
    share: Tensor = (values.to(torch.float64) * factor - near - error) * scale
    return share.nan_to_num(0).clamp(0, 2.0**BITS - 1).to(torch.int64) << BITS


@lru_cache(maxsize=32)
def share_rows(number_format: CodebookFormat) -> Tensor:
    """For each place in the order of values, near, error, factor and scale: (x * factor - near - error) * scale.

    That is the share of the way from a value to the next that lies behind x, times 2^32.
    """
    ordered = [number_format.values[code] for code in number_format.codes_in_order]
    spans = [high - each for each, high in pairwise(ordered)] + [abs(ordered[-1]) + 1]
    # Numbers of float64's ends are moved to its middle.
    powers = [600 if span < Fraction(1, 1 << 500) else -600 if span > 1 << 500 else 0 for span in spans]
    scaled = [each * Fraction(2) ** power for each, power in zip(ordered, powers, strict=True)]
    first = [rounded_float(each) for each in scaled]
    second = [rounded_float(each - Fraction(near)) for each, near in zip(scaled, first, strict=True)]
    scales = [rounded_float(2**BITS / (each * Fraction(2) ** power)) for each, power in zip(spans, powers, strict=True)]
    return torch.tensor([first, second, [2.0**power for power in powers], scales], dtype=torch.float64)


@lru_cache(maxsize=32)
def _thresholds(number_format: CodebookFormat, *, is_float: bool) -> _Thresholds:
    ordered = [number_format.values[code] for code in number_format.codes_in_order]
    middles = [(low + high) / 2 for low, high in pairwise(ordered)] + [ordered[-1]]
    floor: Callable[[Fraction], float | int] = _floor_float if is_float else _floor_int64
    values, cuts = [floor(each) for each in ordered], [floor(each) for each in middles]
    dtype = torch.float64 if is_float else torch.int64
    return _Thresholds(
        torch.tensor([-floor(-each) if is_float else -_floor_int64(-each, -1) for each in ordered], dtype=dtype),
        torch.tensor(values, dtype=dtype),
        torch.tensor([near == each for near, each in zip(values, ordered, strict=True)]),
        torch.tensor(cuts, dtype=dtype),
        torch.tensor([near == each for near, each in zip(cuts, middles, strict=True)]),
    )


def _floor_float(value: Fraction) -> float:
    """The largest float64 that is not above the value: perhaps -infinity."""
    near = rounded_float(value)
    return math.nextafter(near, -math.inf) if near > value else near


def _floor_int64(value: Fraction, sign: int = 1) -> int:
    """The largest int64 that is not above the value, or the end of the range (of -int64 where the sign is -1)."""
    lowest, highest = sorted((sign * _INT64.min, sign * _INT64.max))
    return min(max(math.floor(value), lowest), highest)


def rounded_float(value: Fraction) -> float:
    """The nearest float64; infinity beyond the largest."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def odd_float(value: Fraction) -> float:
    """The float64 at the value, or the odd one of the two beside it: rounding that to float32 is rounding once."""
    near = rounded_float(value)
    if near == value or math.isinf(near):
        return near
    other = math.nextafter(near, -math.inf if near > value else math.inf)
    return near if math.frexp(near)[0] * 2**53 % 2 else other

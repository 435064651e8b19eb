"""How the numbers of a format lie: for each power of two, how many there are up to the next, and how far apart.

Neighbouring binades with as many numbers are one run, so that a format with 32,767 binades costs no more than one
with ten: the binades themselves are made only for the page that shows them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache

from app.exact import Kind, decode
from app.formats import FloatFormat, Format, PositFormat, TakumFormat
from app.formats.bits import floor_log2
from app.tasks.code_text import format_hex


@dataclass(frozen=True, slots=True)
class BinadeRun:
    """Neighbouring binades from 2^exponent up, each with `numbers` positive numbers."""

    exponent: int
    binades: int
    numbers: int
    first_ordinal: int
    is_subnormal: bool

    @property
    def last_exponent(self) -> int:
        return self.exponent + self.binades - 1


@dataclass(frozen=True, slots=True)
class Binade:
    """The positive numbers from 2^exponent up to, but not including, 2^(exponent+1)."""

    exponent: int
    count: int
    first_code: int
    first_hex: str
    last_hex: str
    step: Fraction | None
    """The distance between neighbours; None for a single number."""
    is_subnormal: bool


@lru_cache(maxsize=64)
def binade_runs(number_format: Format) -> tuple[BinadeRun, ...]:
    """Of the positive numbers, by rising exponent; binades without a number are left out. For 9 to 16 bits."""
    runs: list[BinadeRun] = []
    for each in _runs(number_format):
        last = runs[-1] if runs else None
        if last is not None and _goes_on(last, each):
            runs[-1] = replace(last, binades=last.binades + each.binades)
        else:
            runs.append(each)
    return tuple(runs)


def count_binades(number_format: Format) -> int:
    """How many binades have a number."""
    return sum(run.binades for run in binade_runs(number_format))


def place_of_one(number_format: Format) -> int:
    """How many binades lie below that of 1; 0 where there is no such binade."""
    place = 0
    for run in binade_runs(number_format):
        if run.exponent <= 0 <= run.last_exponent:
            return place - run.exponent
        place += run.binades
    return 0


def binades(number_format: Format, start: int = 0, stop: int | None = None) -> tuple[Binade, ...]:
    """The binades from place `start` to before `stop`."""
    end = count_binades(number_format) if stop is None else stop
    found, place = [], 0
    for run in binade_runs(number_format):
        wanted = range(max(start - place, 0), min(end - place, run.binades))
        found += [_binade(number_format, run, index) for index in wanted]
        place += run.binades
    return tuple(found)


def _goes_on(run: BinadeRun, following: BinadeRun) -> bool:
    return (run.numbers, run.is_subnormal, run.last_exponent + 1) == (
        following.numbers,
        following.is_subnormal,
        following.exponent,
    )


def _runs(number_format: Format) -> Iterator[BinadeRun]:
    match number_format:
        case FloatFormat():
            return _float_runs(number_format)
        case PositFormat() | TakumFormat():
            return _tapered_runs(number_format)
        case _:
            return _whole_runs(number_format)


def _float_runs(number_format: FloatFormat) -> Iterator[BinadeRun]:
    mantissa_bits, top = number_format.mantissa_bits, number_format.max_magnitude
    size = 1 << mantissa_bits
    first_normal, exponent = int(number_format.has_zero), -number_format.bias
    if number_format.has_subnormals:
        lowest = number_format.min_exponent - mantissa_bits
        for bit in range(min(mantissa_bits, top.bit_length())):
            yield BinadeRun(lowest + bit, 1, min(1 << bit, top + 1 - (1 << bit)), 1 << bit, is_subnormal=True)
        first_normal, exponent = size, number_format.min_exponent
    elif number_format.has_zero:
        # Zero has taken the first code of the lowest binade; where that was its only one, the next begins.
        if mantissa_bits:
            yield BinadeRun(exponent, 1, min(size - 1, top), 1, is_subnormal=False)
        first_normal, exponent = size, exponent + 1
    whole, left = divmod(max(top + 1 - first_normal, 0), size)
    if whole:
        yield BinadeRun(exponent, whole, size, first_normal, is_subnormal=False)
    if left:
        yield BinadeRun(exponent + whole, 1, left, first_normal + whole * size, is_subnormal=False)


def _tapered_runs(number_format: PositFormat | TakumFormat) -> Iterator[BinadeRun]:
    """Codes that differ in the fraction alone are a binade."""
    ordinal = 1
    while ordinal <= number_format.last_ordinal:
        parts = number_format.parts(ordinal)
        end = ordinal | ((1 << dict(parts.fields).get("fraction", 0)) - 1)
        yield BinadeRun(parts.exponent, 1, end - ordinal + 1, ordinal, is_subnormal=False)
        ordinal = end + 1


def _whole_runs(number_format: Format) -> Iterator[BinadeRun]:
    """Integers and fixed point: the ordinals are the numbers in units."""
    unit = number_format.value_of(number_format.code_at(1))
    assert unit is not None
    lowest, last = floor_log2(*unit.as_integer_ratio()), number_format.last_ordinal
    for bit in range(last.bit_length()):
        yield BinadeRun(lowest + bit, 1, min(1 << bit, last + 1 - (1 << bit)), 1 << bit, is_subnormal=False)


def _binade(number_format: Format, run: BinadeRun, index: int) -> Binade:
    first = run.first_ordinal + index * run.numbers
    code = number_format.code_at(first)
    return Binade(
        exponent=run.exponent + index,
        count=run.numbers,
        first_code=code,
        first_hex=format_hex(code, number_format),
        last_hex=format_hex(number_format.code_at(first + run.numbers - 1), number_format),
        step=_step(number_format, first) if run.numbers > 1 else None,
        is_subnormal=decode(code, number_format).kind is Kind.SUBNORMAL,
    )


def _step(number_format: Format, first: int) -> Fraction:
    low, high = (number_format.value_of(number_format.code_at(ordinal)) for ordinal in (first, first + 1))
    assert low is not None
    assert high is not None
    return high - low

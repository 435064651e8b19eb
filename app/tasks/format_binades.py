"""How the numbers of a format lie: for each power of two, how many there are up to the next, and how far apart."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from app.exact import Kind, decode
from app.formats import Format
from app.formats.bits import power_of_two
from app.tasks.code_text import format_hex
from app.tasks.format_map import floor_log2


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
def binades(number_format: Format) -> tuple[Binade, ...]:
    """Of the positive numbers, by rising exponent; binades without a number are left out. For up to 16 bits."""

    def value(ordinal: int) -> Fraction:
        found = number_format.value_of(number_format.code_at(ordinal))
        assert found is not None
        return found

    ordinal = int(value(0) == 0) if number_format.first_ordinal <= 0 else number_format.first_ordinal
    found = []
    while ordinal <= number_format.last_ordinal:
        exponent = floor_log2(value(ordinal))
        end = _last_below(power_of_two(exponent + 1), ordinal, number_format.last_ordinal, value)
        found.append(_binade(number_format, exponent, ordinal, end, value))
        ordinal = end + 1
    return tuple(found)


def _binade(number_format: Format, exponent: int, first: int, last: int, value: Callable[[int], Fraction]) -> Binade:
    code = number_format.code_at(first)
    return Binade(
        exponent=exponent,
        count=last - first + 1,
        first_code=code,
        first_hex=format_hex(code, number_format),
        last_hex=format_hex(number_format.code_at(last), number_format),
        step=value(first + 1) - value(first) if last > first else None,
        is_subnormal=decode(code, number_format).kind is Kind.SUBNORMAL,
    )


def _last_below(limit: Fraction, low: int, high: int, value: Callable[[int], Fraction]) -> int:
    """The last ordinal from `low` to `high` whose number is below the limit; that of `low` is."""
    while low < high:
        middle = (low + high + 1) // 2
        if value(middle) < limit:
            low = middle
        else:
            high = middle - 1
    return low

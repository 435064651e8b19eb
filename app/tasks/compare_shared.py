"""How many numbers two formats share, counted exactly binade by binade, with examples of those that only one has."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import islice

from app.exact.text import exact_text
from app.formats import Format
from app.formats.bits import floor_log2, power_of_two
from app.tasks.compare_grids import Grid, NumberSet, Side, numbers_of

MOST_EXAMPLES = 3
LONGEST_DECIMAL = 32


@dataclass(frozen=True, slots=True)
class SharedNumbers:
    """Different finite numbers of two formats; -0 and 0 are one number."""

    first: Format
    second: Format
    both: int
    only_first: int
    only_second: int
    first_examples: tuple[str, ...]
    """Numbers that only the first has, as text that reads back exactly: decimals, `2^-149`, hex floats."""
    second_examples: tuple[str, ...]


def shared_numbers(first: Format, second: Format) -> SharedNumbers:
    """The two formats against each other."""
    both = count_shared(first, second)
    only_first, only_second = count_numbers(first) - both, count_numbers(second) - both
    return SharedNumbers(
        first,
        second,
        both,
        only_first,
        only_second,
        examples_of(first, second) if only_first else (),
        examples_of(second, first) if only_second else (),
    )


def count_numbers(number_format: Format) -> int:
    """The different finite numbers of a format."""
    return number_format.last_ordinal - number_format.first_ordinal + 1


def count_shared(first: Format, second: Format) -> int:
    """The numbers that both formats have."""
    if first == second:
        return count_numbers(first)
    return _count_shared(first, second) if first.name <= second.name else _count_shared(second, first)


@lru_cache(maxsize=1024)
def _count_shared(first: Format, second: Format) -> int:
    one, other = numbers_of(first), numbers_of(second)
    if one.listed is not None:
        return sum(map(other.contains, one.listed))
    if other.listed is not None:
        return sum(map(one.contains, other.listed))
    positive = _count_common(one.positive, other.positive)
    is_mirrored = one.negative is one.positive and other.negative is other.positive
    negative = positive if is_mirrored else _count_common(one.negative, other.negative)
    return positive + negative + (one.has_zero and other.has_zero)


def examples_of(owner: Format, other: Format) -> tuple[str, ...]:
    """A few numbers of `owner` that `other` has not: a finer one, one beyond its range, one below it, a sign."""
    mine, its = numbers_of(owner), numbers_of(other)
    found: list[Fraction] = []
    for value in _candidates(mine, its):
        if mine.contains(value) and not its.contains(value) and value not in found:
            found.append(value)
            if len(found) == MOST_EXAMPLES:
                break
    return tuple(map(short_text, found))


def short_text(value: Fraction) -> str:
    """A text that reads back as the value: a decimal where that is short, else a power of two or a hex float."""
    exponent = floor_log2(*abs(value).as_integer_ratio()) if value else 0
    if abs(exponent) < 3 * LONGEST_DECIMAL:
        text = exact_text(value)
        if len(text) <= LONGEST_DECIMAL or value.denominator & (value.denominator - 1):
            return text
    sign = "-" if value < 0 else ""
    scaled = abs(value) * power_of_two(-exponent)
    if scaled == 1:
        return f"{sign}2^{exponent}"
    nibbles = -(-(scaled.denominator.bit_length() - 1) // 4)
    digits = int((scaled - 1) * 16**nibbles)
    return f"{sign}0x1.{digits:0{nibbles}x}p{exponent}"


def _count_common(mine: Side | None, its: Side | None) -> int:
    """Whole binades by a sum; those that the smallest or the largest number cuts, apart."""
    if mine is None or its is None:
        return 0
    low, high = max(mine.low, its.low), min(mine.high, its.high)
    if low > high:
        return 0
    common = tuple(_meetings(mine, its))
    bottom, top = floor_log2(*low.as_integer_ratio()), floor_log2(*high.as_integer_ratio())
    whole = sum(_count_binades(each, max(each.first, bottom + 1), min(each.last, top - 1)) for each in common)
    cut = [(each, end) for each in common for end in {bottom, top} if each.first <= end <= each.last]
    return whole + sum(_count_in_binade(each, end, low, high) for each, end in cut)


def _meetings(mine: Side, its: Side) -> Iterator[Grid]:
    """What two sides have in common where their binades overlap: the fewer bits and the larger unit."""
    ours, theirs = iter(mine.grids), iter(its.grids)
    one, other = next(ours, None), next(theirs, None)
    while one is not None and other is not None:
        first, last = max(one.first, other.first), min(one.last, other.last)
        if first <= last:
            fractions = [each.fraction_bits for each in (one, other) if each.fraction_bits is not None]
            units = [each.unit for each in (one, other) if each.unit is not None]
            yield Grid(first, last, min(fractions, default=None), max(units, default=None))
        if one.last <= other.last:
            one = next(ours, None)
        else:
            other = next(theirs, None)


def _count_in_binade(grid: Grid, exponent: int, low: Fraction, high: Fraction) -> int:
    step = grid.step(exponent)
    if step > exponent:
        return 0
    scale = power_of_two(-step)
    lowest, highest = low * scale, high * scale
    first = max(-(-lowest.numerator // lowest.denominator), 1 << (exponent - step))
    last = min(highest.numerator // highest.denominator, (2 << (exponent - step)) - 1)
    return max(last - first + 1, 0)


def _count_binades(grid: Grid, first: int, last: int) -> int:
    """Of whole binades: 2^fraction_bits numbers in each, fewer where the unit leaves no room for so many."""
    if grid.unit is None:
        assert grid.fraction_bits is not None
        return max(last - first + 1, 0) << grid.fraction_bits
    first = max(first, grid.unit)
    turn = last + 1 if grid.turn is None else grid.turn
    growing_end = min(last + 1, turn)
    growing = (1 << growing_end - grid.unit) - (1 << first - grid.unit) if growing_end > first else 0
    steady = max(last + 1 - max(first, turn), 0)
    return growing + (steady << (grid.fraction_bits or 0))


def _candidates(mine: NumberSet, its: NumberSet) -> Iterator[Fraction]:
    """Numbers that may tell two formats apart, the plainest first."""
    if mine.listed is not None:
        yield from sorted(mine.listed, key=lambda value: (abs(value), value < 0))
        return
    if mine.positive is not None:
        yield from islice(_finer(mine.positive, 0), 1)
        yield from _beyond(mine.positive, its.positive)
    yield Fraction(0)
    if mine.negative is not None:
        yield from (-value for value in _beyond(mine.negative, its.negative))
        yield Fraction(-1)
    for own, other in ((mine.positive, its.positive), (mine.negative, its.negative)):
        sign = 1 if own is mine.positive and other is its.positive else -1
        if own is not None:
            yield from (sign * value for value in _at_turns(own, other))


def _finer(side: Side, exponent: int) -> Iterator[Fraction]:
    """The number after the start of a binade, the start, and the last one."""
    grid = side.grid_at(exponent)
    if grid is not None:
        start, step = power_of_two(exponent), power_of_two(grid.step(exponent))
        yield from (start + step, start, 2 * start - step)


def _beyond(side: Side, other: Side | None) -> Iterator[Fraction]:
    """Numbers outside of what the other reaches: just above, just below, the ends."""
    if other is not None:
        yield from _next_above(side, other.high)
        exponent = floor_log2(*other.low.as_integer_ratio())
        yield from (power_of_two(exponent - 1), power_of_two(exponent))
    yield from (side.high, side.low)


def _next_above(side: Side, value: Fraction) -> Iterator[Fraction]:
    exponent = floor_log2(*value.as_integer_ratio())
    grid = side.grid_at(exponent)
    if grid is not None:
        step = power_of_two(grid.step(exponent))
        yield (value // step + 1) * step
    yield power_of_two(exponent + 1)


def _at_turns(side: Side, other: Side | None) -> Iterator[Fraction]:
    """At the binades where either format changes: between them, the one with the smaller step stays the same."""
    exponents: dict[int, None] = {}
    for grid in (*side.grids, *(other.grids if other is not None else ())):
        for each in (grid.first, grid.last, grid.turn):
            if each is not None:
                exponents |= dict.fromkeys((each, each - 1, each + 1))
    for exponent in sorted(exponents, key=abs):
        if _is_finer(side, other, exponent):
            yield from _finer(side, exponent)


def _is_finer(side: Side, other: Side | None, exponent: int) -> bool:
    """Whether the side has numbers in a binade that the other cannot have: told by exponents alone."""
    grid = side.grid_at(exponent)
    if grid is None:
        return False
    facing = None if other is None else other.grid_at(exponent)
    return facing is None or facing.step(exponent) > grid.step(exponent)

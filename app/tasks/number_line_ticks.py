"""Round numbers along an interval of the number line, and what is written at them, exactly."""

from dataclasses import dataclass
from fractions import Fraction

from app.exact.text import exact_text
from app.formats.bits import floor_log2, power_of_two
from app.tasks.number_line_scale import Interval, decade_of, scientific_text, short_text

MOST_TICKS = 9
FEWEST_OCTAVES = 4
"""Below so many octaves a logarithmic scale has round decimals at its ticks, else powers of two."""
LONGEST_LABEL = 9
PLAIN_OCTAVES = range(-2, 8)
LABEL_ROOM = 0.06
"""Share of the width that the label of zero needs on either side."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark of the axis. `text` is the number as plain text, or its distance from `Axis.base`."""

    at: float
    text: str
    is_base: bool = False


@dataclass(frozen=True, slots=True)
class Axis:
    """The ticks; where full numbers would be too long, they tell distances from `base`, which is written in full."""

    ticks: tuple[Tick, ...]
    base: str | None = None


def axis_of(interval: Interval) -> Axis:
    """The axis of an interval."""
    if not interval.is_linear:
        powers = _powers_of_two(interval)
        if powers is not None:
            return Axis(tuple(Tick(interval.share_of(number), text) for number, text in powers))
    numbers = _round_numbers(interval)
    texts = [label(number) for number in numbers]
    if all(len(text) <= LONGEST_LABEL for text in texts):
        return Axis(tuple(Tick(interval.share_of(number), text) for number, text in zip(numbers, texts, strict=True)))
    base = min(numbers, key=lambda number: (len(short_text(number)), abs(number)))
    ticks = (
        Tick(interval.share_of(number), label(number if number == base else number - base), number == base)
        for number in numbers
    )
    return Axis(tuple(ticks), base=label(base))


def label(number: Fraction) -> str:
    """A number as plain text, with a power of ten where zeros would fill it."""
    plain = exact_text(number)
    return plain if len(plain) <= LONGEST_LABEL else min(plain, scientific_text(plain), key=len)


def _round_numbers(interval: Interval) -> list[Fraction]:
    """Multiples of 1, 2 or 5 times a power of ten."""
    decade = decade_of(interval.width / MOST_TICKS)
    unit = Fraction(10) ** decade
    step = next(unit * factor for factor in (1, 2, 5, 10) if unit * factor * MOST_TICKS >= interval.width)
    first, last = -(-interval.low // step), interval.high // step
    return [index * step for index in range(first, last + 1)]


def _powers_of_two(interval: Interval) -> list[tuple[Fraction, str]] | None:
    """Powers of two at equal distances, and zero; None where too few octaves are in view."""
    low, high = interval.low, interval.high
    if interval.spans_zero:
        lowest = _exponent(interval.unit)
        below, above = (range(lowest, _exponent(end) + 1) if abs(end) >= interval.unit else () for end in (low, high))
    else:
        near, far = sorted((abs(low), abs(high)))
        octaves = range(_exponent(near) + (near != power_of_two(_exponent(near))), _exponent(far) + 1)
        below, above = (octaves, ()) if high < 0 else ((), octaves)
    count = len(below) + len(above) + interval.spans_zero
    if count <= FEWEST_OCTAVES:
        return None
    step = next(step for power in range(16) for step in (2**power, 3 * 2**power) if count <= step * MOST_TICKS)
    numbers = [(-power_of_two(each), f"-{_power_text(each)}") for each in reversed(below) if each % step == 0]
    numbers += [(Fraction(0), "0")] if interval.spans_zero else []
    numbers += [(power_of_two(each), _power_text(each)) for each in above if each % step == 0]
    if not interval.spans_zero:
        return numbers
    zero_at = interval.share_of(Fraction(0))
    return [each for each in numbers if not each[0] or abs(interval.share_of(each[0]) - zero_at) > LABEL_ROOM]


def _exponent(number: Fraction) -> int:
    return floor_log2(*abs(number).as_integer_ratio())


def _power_text(exponent: int) -> str:
    return exact_text(power_of_two(exponent)) if exponent in PLAIN_OCTAVES else f"2^{exponent}"

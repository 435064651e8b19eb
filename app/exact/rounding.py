"""The rounding and overflow modes by name, and the one decision that rounding is: up or not."""

from enum import IntEnum, StrEnum

from app.errors import InvalidInput
from app.formats import (
    FixedPointFormat,
    FloatFormat,
    Format,
    IntegerFormat,
    Notation,
    PositFormat,
    TakumFormat,
)


class Rounding(StrEnum):
    """IEEE 754-2019, 4.3, and round-to-odd, which keeps a later second rounding right."""

    NEAREST_EVEN = "nearest_even"
    NEAREST_AWAY = "nearest_away"
    TOWARD_ZERO = "toward_zero"
    TOWARD_POSITIVE = "toward_positive"
    TOWARD_NEGATIVE = "toward_negative"
    TO_ODD = "to_odd"


class Overflow(StrEnum):
    """What becomes of a number beyond the largest one."""

    IEEE = "ieee"
    """Infinity where the format has one, else NaN, else the largest number; NaR for infinities. Not for integers."""
    SATURATE = "saturate"
    """The largest number of that sign, also for infinities."""
    WRAP = "wrap"
    """Modulo 2^width. Two's-complement and unsigned integers and fixed point only."""


class Tail(IntEnum):
    """How what lies beyond the last kept bit compares with half of that bit."""

    NOTHING = 0
    BELOW_HALF = 1
    HALF = 2
    ABOVE_HALF = 3


def find_rounding(name: str) -> Rounding:
    """The rounding mode of that name.

    Raises:
        InvalidInput: `rounding.unknown`, or `rounding.stochastic`, which one number cannot have.
    """
    if name == "stochastic":
        raise InvalidInput("rounding.stochastic")
    try:
        return Rounding(name)
    except ValueError:
        raise InvalidInput("rounding.unknown", name=name[:40], known=", ".join(Rounding)) from None


def overflows_of(number_format: Format) -> tuple[Overflow, ...]:
    """What a format can do beyond its range, its default first."""
    match number_format:
        case FloatFormat() | PositFormat() | TakumFormat():
            return Overflow.IEEE, Overflow.SATURATE
        case FixedPointFormat() | IntegerFormat(notation=Notation.TWOS_COMPLEMENT):
            return Overflow.SATURATE, Overflow.WRAP
        case _:
            return (Overflow.SATURATE,)


def find_overflow(name: str | None, number_format: Format) -> Overflow:
    """The overflow mode of that name, or the format's default: `ieee` for floats, `saturate` for integers.

    Raises:
        InvalidInput: `overflow.unknown`, or `overflow.not-for-format`.
    """
    allowed = overflows_of(number_format)
    if name is None:
        return allowed[0]
    try:
        overflow = Overflow(name)
    except ValueError:
        raise InvalidInput("overflow.unknown", name=name[:40], known=", ".join(Overflow)) from None
    if overflow not in allowed:
        raise InvalidInput(
            "overflow.not-for-format", name=overflow.value, format=number_format.name, known=", ".join(allowed)
        )
    return overflow


def tail_of(remainder: int, divisor: int) -> Tail:
    """Where remainder/divisor, from [0, 1), stands against a half."""
    if remainder == 0:
        return Tail.NOTHING
    doubled = remainder << 1
    if doubled == divisor:
        return Tail.HALF
    return Tail.BELOW_HALF if doubled < divisor else Tail.ABOVE_HALF


def rounds_up(rounding: Rounding, tail: Tail, *, is_odd: bool, negative: bool) -> bool:
    """Whether the magnitude goes to the next larger one; `is_odd` is the parity of the one below."""
    if tail is Tail.NOTHING:
        return False
    match rounding:
        case Rounding.NEAREST_EVEN:
            return tail > Tail.HALF or (tail == Tail.HALF and is_odd)
        case Rounding.NEAREST_AWAY:
            return tail >= Tail.HALF
        case Rounding.TOWARD_ZERO:
            return False
        case Rounding.TOWARD_POSITIVE:
            return not negative
        case Rounding.TOWARD_NEGATIVE:
            return negative
        case Rounding.TO_ODD:
            return not is_odd

"""The result of putting a number into a format, with what a reader needs to follow how it came about."""

from dataclasses import dataclass
from enum import StrEnum

from app.exact.number import Number
from app.exact.rounding import Overflow, Rounding, Tail
from app.formats import Format


class Outcome(StrEnum):
    """What happened on the way into the format."""

    EXACT = "exact"
    ROUNDED = "rounded"
    OVERFLOW = "overflow"
    """Beyond the largest number, before or by rounding."""
    UNDERFLOW = "underflow"
    """Not zero, but rounded to zero, or up or down to where a zero is missing."""
    SPECIAL = "special"
    """Infinity or NaN was asked for, or the format has no code near the number (E8M0: zero and negatives)."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Where the binary digits of a magnitude are cut: kept * 2^quantum, then the bits that do not fit."""

    exponent: int
    """2^exponent <= magnitude < 2^(exponent + 1)."""
    quantum: int
    """The weight of the last kept bit is 2^quantum."""
    kept: int
    guard: int
    round: int
    sticky: int
    """Guard and round: the first two bits behind the cut. Sticky: whether any bit after them is set."""
    tail: Tail
    up: bool
    """The magnitude was rounded up, to (kept + 1) * 2^quantum."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """A number, the format it was put into, and its code there."""

    format: Format
    number: Number
    code: int
    rounding: Rounding
    overflow: Overflow
    outcome: Outcome
    cut: Cut | None = None
    """None for zeros and specials, and for numbers so far out of range that no digit matters."""
    payload_dropped: bool = False
    """The NaN asked for has no code of its own; the canonical one stands for it."""

"""The one decision that rounding is, on tensors: what is cut off, and whether the magnitude goes up for it.

Bit strings are 64-bit words with the first bit at the top; the rest behind a cut is such a word too, so that half of
the last kept bit is the word 10...0. Whatever lies too deep for the word sets its last bit.
"""

from dataclasses import dataclass
from enum import StrEnum

import torch
from torch import Tensor

from app.codec.stochastic import BITS, random_bits
from app.codec.words import TOP_BIT, shift_left, shift_right
from app.errors import InvalidInput
from app.formats import FixedPointFormat, FloatFormat, Format, IntegerFormat, Notation, PositFormat, TakumFormat


class Rounding(StrEnum):
    """IEEE 754-2019, 4.3, round-to-odd, and stochastic rounding."""

    NEAREST_EVEN = "nearest_even"
    NEAREST_AWAY = "nearest_away"
    TOWARD_ZERO = "toward_zero"
    TOWARD_POSITIVE = "toward_positive"
    TOWARD_NEGATIVE = "toward_negative"
    TO_ODD = "to_odd"
    STOCHASTIC = "stochastic"


class Overflow(StrEnum):
    """What becomes of a number beyond the largest one."""

    IEEE = "ieee"
    SATURATE = "saturate"
    WRAP = "wrap"


@dataclass(frozen=True, slots=True)
class Mode:
    """How to round: for stochastic rounding with the 32 random bits of each element."""

    rounding: Rounding
    overflow: Overflow
    random: Tensor | None = None

    def goes_up(self, rest: Tensor, is_odd: Tensor, is_negative: Tensor) -> Tensor:
        """Whether the magnitude becomes the next larger one; `is_odd` is the parity of the one below."""
        if self.random is not None:
            return self.random < shift_right(rest, torch.full_like(rest, 64 - BITS))
        match self.rounding:
            case Rounding.NEAREST_EVEN:
                return (rest < 0) & ((rest != TOP_BIT) | is_odd)
            case Rounding.NEAREST_AWAY:
                return rest < 0
            case Rounding.TOWARD_POSITIVE:
                return (rest != 0) & ~is_negative
            case Rounding.TOWARD_NEGATIVE:
                return (rest != 0) & is_negative
            case Rounding.TO_ODD:
                return (rest != 0) & ~is_odd
            case _:
                return torch.zeros_like(is_odd)


def find_mode(
    values: Tensor, number_format: Format, rounding: str, overflow: str | None, seed: int | None, offset: int
) -> Mode:
    """The modes of those names, checked against the format.

    Raises:
        InvalidInput: `rounding.unknown`, `overflow.unknown`, `overflow.not-for-format`, or `codec.seed-missing`.
    """
    try:
        mode = Rounding(rounding)
    except ValueError:
        raise InvalidInput("rounding.unknown", name=rounding[:40], known=", ".join(Rounding)) from None
    limit = find_overflow(overflow, number_format)
    if mode is not Rounding.STOCHASTIC:
        return Mode(mode, limit)
    if seed is None:
        raise InvalidInput("codec.seed-missing")
    return Mode(mode, limit, random_bits(seed, offset, values.numel(), values.device).view(values.shape))


def find_overflow(name: str | None, number_format: Format) -> Overflow:
    """The overflow mode of that name, or the format's default."""
    allowed = overflows_of(number_format)
    if name is None:
        return allowed[0]
    if name not in set(Overflow):
        raise InvalidInput("overflow.unknown", name=name[:40], known=", ".join(Overflow))
    if name not in allowed:
        raise InvalidInput("overflow.not-for-format", name=name, format=number_format.name, known=", ".join(allowed))
    return Overflow(name)


def overflows_of(number_format: Format) -> tuple[Overflow, ...]:
    """What a format can do beyond its range, its default first."""
    match number_format:
        case FloatFormat() | PositFormat() | TakumFormat():
            return Overflow.IEEE, Overflow.SATURATE
        case FixedPointFormat() | IntegerFormat(notation=Notation.TWOS_COMPLEMENT):
            return Overflow.SATURATE, Overflow.WRAP
        case _:
            return (Overflow.SATURATE,)


def cut(string: Tensor, keep: Tensor) -> tuple[Tensor, Tensor]:
    """The first `keep` bits as a number, and the rest; below 0, zeros stand before the string."""
    kept = torch.where(keep > 0, shift_right(string, 64 - keep), 0)
    before = torch.where(keep > 0, 0, -keep)
    rest = torch.where(keep > 0, shift_left(string, keep.clamp(min=0)), shift_right(string, before))
    return kept, rest | ((before > 0) & (string != 0))


def cut_behind(head: Tensor, head_bits: Tensor, string: Tensor, keep: Tensor | int) -> tuple[Tensor, Tensor]:
    """The same for `head`, a number of `head_bits` bits, followed by the string."""
    room = keep - head_bits
    kept, rest = cut(string, room.clamp(min=0))
    missing = (-room).clamp(min=0)
    behind = shift_left(head, 64 - missing) | shift_right(string, missing)
    behind = behind | (shift_left(string, 64 - missing) != 0) & (missing > 0)
    whole = shift_left(head, room.clamp(min=0)) | kept
    return torch.where(room >= 0, whole, shift_right(head, missing)), torch.where(room >= 0, rest, behind)

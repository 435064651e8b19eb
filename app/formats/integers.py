"""Whole numbers, in the three notations for their sign, and bool."""

from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction

from app.formats.bits import signed
from app.formats.origin import Family, Origin


class Notation(StrEnum):
    """How a signed integer says that it is negative."""

    TWOS_COMPLEMENT = "twos-complement"
    """The top bit weighs -2^(width-1)."""
    ONES_COMPLEMENT = "ones-complement"
    """All bits of the positive number are inverted; the top bit weighs -(2^(width-1) - 1), and zero has two codes."""
    SIGN_MAGNITUDE = "sign-magnitude"
    """A sign bit, then the magnitude; zero has two codes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegerFormat:
    """A whole number of `width` bits; unsigned ones have no use for `notation`."""

    name: str
    width: int
    signed: bool
    notation: Notation = Notation.TWOS_COMPLEMENT
    origin: Origin = field(repr=False, compare=False)

    @property
    def family(self) -> Family:
        return Family.INTEGER

    @property
    def field_widths(self) -> tuple[tuple[str, int], ...]:
        if self.signed and self.notation is Notation.SIGN_MAGNITUDE:
            return (("sign", 1), ("magnitude", self.width - 1)) if self.width > 1 else (("sign", 1),)
        return (("integer", self.width),)

    @property
    def has_negative_zero(self) -> bool:
        return self.signed and self.notation is not Notation.TWOS_COMPLEMENT

    @property
    def min(self) -> int:
        if not self.signed:
            return 0
        return -(1 << (self.width - 1)) + int(self.notation is not Notation.TWOS_COMPLEMENT)

    @property
    def max(self) -> int:
        return (1 << (self.width - 1)) - 1 if self.signed else (1 << self.width) - 1

    @property
    def negative_zero(self) -> int | None:
        """The code of minus zero."""
        if not self.has_negative_zero:
            return None
        top = 1 << (self.width - 1)
        return top if self.notation is Notation.SIGN_MAGNITUDE else 2 * top - 1

    def is_negative(self, code: int) -> bool:
        """Whether the sign is minus."""
        return self.signed and bool(code >> (self.width - 1))

    def whole_of(self, code: int) -> int:
        """The integer that a code stands for (0 for minus zero)."""
        if not self.is_negative(code):
            return code
        match self.notation:
            case Notation.TWOS_COMPLEMENT:
                return signed(code, self.width)
            case Notation.ONES_COMPLEMENT:
                return signed(code, self.width) + 1
            case Notation.SIGN_MAGNITUDE:
                return -(code - (1 << (self.width - 1)))

    def code_of(self, whole: int) -> int:
        """The code of an integer in range."""
        if whole >= 0:
            return whole
        match self.notation:
            case Notation.TWOS_COMPLEMENT:
                return whole + (1 << self.width)
            case Notation.ONES_COMPLEMENT:
                return whole + (1 << self.width) - 1
            case Notation.SIGN_MAGNITUDE:
                return -whole | 1 << (self.width - 1)

    def value_of(self, code: int) -> Fraction | None:
        """The number that a code stands for."""
        return Fraction(self.whole_of(code))

    @property
    def first_ordinal(self) -> int:
        """Ordinals are the numbers themselves."""
        return self.min

    @property
    def last_ordinal(self) -> int:
        return self.max

    def ordinal_of(self, code: int) -> int | None:
        """The number itself."""
        return self.whole_of(code)

    def code_at(self, ordinal: int) -> int:
        """The code of that number."""
        return self.code_of(ordinal)


@dataclass(frozen=True, slots=True, kw_only=True)
class BooleanFormat:
    """One bit of meaning (torch stores it in a byte): 0 is false, every other number becomes 1."""

    name: str
    origin: Origin = field(repr=False, compare=False)

    @property
    def family(self) -> Family:
        return Family.BOOLEAN

    @property
    def field_widths(self) -> tuple[tuple[str, int], ...]:
        return (("integer", 1),)

    @property
    def width(self) -> int:
        return 1

    @property
    def signed(self) -> bool:
        return False

    @property
    def has_negative_zero(self) -> bool:
        return False

    @property
    def min(self) -> int:
        return 0

    @property
    def max(self) -> int:
        return 1

    def value_of(self, code: int) -> Fraction | None:
        """0 or 1."""
        return Fraction(code)

    @property
    def first_ordinal(self) -> int:
        return 0

    @property
    def last_ordinal(self) -> int:
        return 1

    def ordinal_of(self, code: int) -> int | None:
        """The code itself."""
        return code

    def code_at(self, ordinal: int) -> int:
        """The ordinal itself."""
        return ordinal

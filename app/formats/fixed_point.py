"""Fixed point: a whole number of units of 2^-fraction_bits."""

from dataclasses import dataclass, field
from fractions import Fraction

from app.formats.bits import power_of_two, signed
from app.formats.origin import Family, Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedPointFormat:
    """Two's complement or unsigned, `integer_bits` before and `fraction_bits` behind the point.

    The sign bit of a signed format is not one of the integer bits: q7.8 has 16 bits in all.
    """

    name: str
    integer_bits: int
    fraction_bits: int
    signed: bool
    origin: Origin = field(repr=False, compare=False)

    @property
    def family(self) -> Family:
        return Family.FIXED_POINT

    @property
    def width(self) -> int:
        return int(self.signed) + self.integer_bits + self.fraction_bits

    @property
    def field_widths(self) -> tuple[tuple[str, int], ...]:
        """`integer` (with the sign bit) and `fraction`; fields of no bits are left out."""
        widths = (("integer", int(self.signed) + self.integer_bits), ("fraction", self.fraction_bits))
        return tuple((name, bits) for name, bits in widths if bits)

    @property
    def has_negative_zero(self) -> bool:
        return False

    @property
    def unit(self) -> Fraction:
        """The distance between neighbours."""
        return power_of_two(-self.fraction_bits)

    @property
    def first_ordinal(self) -> int:
        """Ordinals count units."""
        return -(1 << (self.width - 1)) if self.signed else 0

    @property
    def last_ordinal(self) -> int:
        return (1 << (self.width - 1)) - 1 if self.signed else (1 << self.width) - 1

    @property
    def min(self) -> Fraction:
        return self.first_ordinal * self.unit

    @property
    def max(self) -> Fraction:
        return self.last_ordinal * self.unit

    def value_of(self, code: int) -> Fraction | None:
        """The number that a code stands for."""
        return self.ordinal_of(code) * self.unit

    def ordinal_of(self, code: int) -> int:
        """How many units the number is."""
        return signed(code, self.width) if self.signed else code

    def code_at(self, ordinal: int) -> int:
        """The code of so many units."""
        return ordinal & ((1 << self.width) - 1)

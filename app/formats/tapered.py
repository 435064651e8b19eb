"""Posits and linear takums: codes in two's complement whose exponent takes as many bits as it needs.

One bit pattern, 10...0, is NaR ("not a real"); codes in two's complement order are numbers in order. A code with a bit
appended lies between its neighbours, so rounding cuts the endless bit string of a number (Posit Standard 2022, 4.1).
"""

from dataclasses import dataclass, field
from fractions import Fraction

from app.formats.bits import power_of_two, signed
from app.formats.origin import Family, Origin


@dataclass(frozen=True, slots=True)
class TaperedParts:
    """A positive code taken apart: value = 2^exponent * (1 + fraction / 2^fraction_bits)."""

    fields: tuple[tuple[str, int], ...]
    """Names and bits of the fields below the sign, most significant first; they sum to width - 1."""
    exponent: int
    fraction: int
    fraction_bits: int

    @property
    def value(self) -> Fraction:
        return ((1 << self.fraction_bits) + self.fraction) * power_of_two(self.exponent - self.fraction_bits)


class _Tapered:
    """What posits and takums share; each says how a positive code is taken apart."""

    __slots__ = ()

    width: int

    def parts(self, code: int) -> TaperedParts:
        """A positive code (below 2^(width-1), not 0) taken apart."""
        raise NotImplementedError

    @property
    def signed(self) -> bool:
        return True

    @property
    def has_negative_zero(self) -> bool:
        return False

    @property
    def nar_code(self) -> int:
        """The code of NaR, the one that is no number."""
        return 1 << (self.width - 1)

    @property
    def first_ordinal(self) -> int:
        """Ordinals are the codes read as two's-complement integers."""
        return 1 - (1 << (self.width - 1))

    @property
    def last_ordinal(self) -> int:
        return (1 << (self.width - 1)) - 1

    @property
    def max(self) -> Fraction:
        return self.parts(self.last_ordinal).value

    @property
    def min(self) -> Fraction:
        """The most negative number."""
        return -self.max

    @property
    def min_positive(self) -> Fraction:
        return self.parts(1).value

    def value_of(self, code: int) -> Fraction | None:
        """The number that a code stands for; None for NaR."""
        ordinal = self.ordinal_of(code)
        if ordinal is None:
            return None
        if ordinal == 0:
            return Fraction(0)
        value = self.parts(abs(ordinal)).value
        return value if ordinal > 0 else -value

    def ordinal_of(self, code: int) -> int | None:
        """The code as a two's-complement integer; None for NaR."""
        return None if code == self.nar_code else signed(code, self.width)

    def code_at(self, ordinal: int) -> int:
        """The code of that two's-complement integer."""
        return ordinal & ((1 << self.width) - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class PositFormat(_Tapered):
    """Sign, regime, `exponent_size` exponent bits, fraction (Posit Standard 2022, 3.4; es = 2 there at every width)."""

    name: str
    width: int
    exponent_size: int = 2
    origin: Origin = field(repr=False, compare=False)

    @property
    def family(self) -> Family:
        return Family.POSIT

    @property
    def field_widths(self) -> tuple[tuple[str, int], ...]:
        """Of 1 and its neighbours: the shortest regime. Other codes have longer ones; see `parts`."""
        return ("sign", 1), *self.parts(1 << max(self.width - 2, 0)).fields

    def parts(self, code: int) -> TaperedParts:
        """A positive code taken apart; exponent bits cut off at the end are zeros."""
        body = self.width - 1
        first = code >> (body - 1) & 1
        # The bits in front that are like the first: those before the highest one that differs.
        run = body - (code ^ -first & ((1 << body) - 1)).bit_length()
        regime = min(run + 1, body)
        left = body - regime
        exponent_bits = min(self.exponent_size, left)
        fraction_bits = left - exponent_bits
        k = run - 1 if first else -run
        exponent = (code >> fraction_bits & ((1 << exponent_bits) - 1)) << (self.exponent_size - exponent_bits)
        fields = (("regime", regime), ("exponent", exponent_bits), ("fraction", fraction_bits))
        return TaperedParts(
            fields=tuple((name, bits) for name, bits in fields if bits),
            exponent=k * (1 << self.exponent_size) + exponent,
            fraction=code & ((1 << fraction_bits) - 1),
            fraction_bits=fraction_bits,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TakumFormat(_Tapered):
    """Linear takum: sign, direction, three regime bits, characteristic, fraction.

    Hunhold, Beating Posits at Their Own Game: Takum Arithmetic, 2024 (arXiv:2404.18603), with the linear value
    (1 + f) * 2^c of arXiv:2408.10594. Codes of fewer than 12 bits are read as if zeros followed.
    """

    name: str
    width: int
    origin: Origin = field(repr=False, compare=False)

    @property
    def family(self) -> Family:
        return Family.TAKUM

    @property
    def field_widths(self) -> tuple[tuple[str, int], ...]:
        """Of 1 and its neighbours: the shortest characteristic. Other codes have longer ones; see `parts`."""
        return ("sign", 1), *self.parts(1 << max(self.width - 2, 0)).fields

    def parts(self, code: int) -> TaperedParts:
        """A positive code taken apart; bits cut off at the end are zeros."""
        padding = max(12 - self.width, 0)
        body, padded = self.width - 1 + padding, code << padding
        direction = padded >> (body - 1) & 1
        regime_field = padded >> (body - 4) & 7
        regime = regime_field if direction else 7 - regime_field
        fraction_bits = body - 4 - regime
        characteristic = padded >> fraction_bits & ((1 << regime) - 1)
        exponent = (1 << regime) - 1 if direction else 1 - (1 << (regime + 1))
        return TaperedParts(
            fields=self._fields(regime),
            exponent=exponent + characteristic,
            fraction=padded & ((1 << fraction_bits) - 1),
            fraction_bits=fraction_bits,
        )

    def _fields(self, regime: int) -> tuple[tuple[str, int], ...]:
        left, fields = self.width - 1, []
        for name, bits in (("direction", 1), ("regime", 3), ("characteristic", regime), ("fraction", left)):
            taken = min(bits, left)
            left -= taken
            if taken:
                fields.append((name, taken))
        return tuple(fields)

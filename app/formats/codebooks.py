"""Codebooks: a list of numbers, a code being the place in the list."""

from dataclasses import dataclass, field
from fractions import Fraction

from app.formats.origin import Family, Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class CodebookFormat:
    """`values[code]`. A zero that comes second in the list is minus zero; codes behind the last value mean nothing."""

    name: str
    values: tuple[Fraction, ...]
    origin: Origin = field(repr=False, compare=False)
    codes_in_order: tuple[int, ...] = field(init=False, repr=False, compare=False)
    """The codes by rising value, minus zero left out."""
    _ordinals: dict[Fraction, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        assert len(self.values) > 1, "one value needs no code"
        doubled = len(self.values) - len(set(self.values))
        assert doubled == 0 or (doubled == 1 and self.values.count(Fraction(0)) == 2), "only zero may have two codes"
        # Sorted once: a number line asks for hundreds of ordinals.
        codes = (code for code in range(len(self.values)) if code != self.negative_zero)
        object.__setattr__(self, "codes_in_order", tuple(sorted(codes, key=self.values.__getitem__)))
        ordinals = {self.values[code]: ordinal for ordinal, code in enumerate(self.codes_in_order)}
        object.__setattr__(self, "_ordinals", ordinals)

    @property
    def family(self) -> Family:
        return Family.CODEBOOK

    @property
    def width(self) -> int:
        return (len(self.values) - 1).bit_length()

    @property
    def field_widths(self) -> tuple[tuple[str, int], ...]:
        return (("index", self.width),)

    @property
    def signed(self) -> bool:
        return min(self.values) < 0

    @property
    def negative_zero(self) -> int | None:
        """The code of minus zero."""
        zeros = [code for code, value in enumerate(self.values) if value == 0]
        return zeros[1] if len(zeros) > 1 else None

    @property
    def has_negative_zero(self) -> bool:
        return self.negative_zero is not None

    @property
    def min(self) -> Fraction:
        return min(self.values)

    @property
    def max(self) -> Fraction:
        return max(self.values)

    def value_of(self, code: int) -> Fraction | None:
        """The number that a code stands for; None for a code behind the last value."""
        return self.values[code] if code < len(self.values) else None

    @property
    def first_ordinal(self) -> int:
        """Ordinals are places in the order of values, from 0."""
        return 0

    @property
    def last_ordinal(self) -> int:
        return len(self.values) - 1 - self.has_negative_zero

    def ordinal_of(self, code: int) -> int | None:
        """How many smaller values there are; None for a code behind the last value."""
        return self._ordinals[self.values[code]] if code < len(self.values) else None

    def code_at(self, ordinal: int) -> int:
        """The code of the value at that place."""
        return self.codes_in_order[ordinal]

"""One typed number in any chosen formats: the bits, the stored value and the rounding error in each."""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from app import exact
from app.errors import AppError
from app.exact.distance import Direction, Distance, distance
from app.exact.rounding import find_rounding
from app.exact.text import value_text
from app.explain import Step
from app.formats import Format, PositFormat, TakumFormat
from app.tasks.code_text import format_hex
from app.tasks.inspection import RoundingError


@dataclass(frozen=True, slots=True)
class BitField:
    """A run of neighbouring bits, most significant first."""

    name: str
    bits: str


@dataclass(frozen=True, slots=True)
class StoredNumber:
    """What a format keeps of the number."""

    hex: str
    fields: tuple[BitField, ...]
    kind: str
    value: str
    """Exact: a finite decimal, else `p/q`; `inf`, `-inf`, `nan` (also for NaR)."""
    error: RoundingError | None
    """None where the number or what is stored is no number."""
    is_exact: bool


@dataclass(frozen=True, slots=True)
class ComparedFormat:
    """A row of the comparison; `refusal` says why there is nothing stored."""

    format: Format
    stored: StoredNumber | None
    refusal: Step | None
    rank: tuple[int, Fraction]
    """Sorts by the size of the error: exact, finite, far away, infinite, no number, refused."""


def compare_number(text: str, formats: Iterable[Format], rounding: str) -> tuple[ComparedFormat, ...]:
    """A row for each format, in the order given; a number that a format refuses is told in its row.

    Raises:
        InvalidInput: a text that is no number, or an unknown rounding mode.
    """
    number = exact.parse(text)
    find_rounding(rounding)
    return tuple(_row(number, each, rounding) for each in formats)


def by_error(rows: Iterable[ComparedFormat]) -> tuple[ComparedFormat, ...]:
    """The same rows, the smallest error first; equal ones stay in order, narrow formats before wide ones."""
    return tuple(sorted(rows, key=lambda row: (*row.rank, row.format.width)))


def bit_fields(code: int, number_format: Format) -> tuple[BitField, ...]:
    """The fields of a code; those of posits and takums are as long as the number makes them."""
    bits, fields, start = f"{code:0{number_format.width}b}", [], 0
    for name, width in _widths(code, number_format):
        fields.append(BitField(name, bits[start : start + width]))
        start += width
    return tuple(fields)


def _widths(code: int, number_format: Format) -> tuple[tuple[str, int], ...]:
    if not isinstance(number_format, PositFormat | TakumFormat):
        return number_format.field_widths
    ordinal = number_format.ordinal_of(code)
    if not ordinal:  # zero and NaR are patterns, not numbers taken apart
        return (("sign", 1), ("regime", number_format.width - 1))
    return ("sign", 1), *number_format.parts(abs(ordinal)).fields


def _row(number: exact.Number, number_format: Format, rounding: str) -> ComparedFormat:
    try:
        encoding = exact.encode(number, number_format, rounding)
    except AppError as refused:
        return ComparedFormat(number_format, None, Step(refused.code, refused.figures), (5, Fraction(0)))
    decoded = exact.decode(encoding.code, number_format)
    found = distance(number, decoded)
    if found is None:
        is_exact, error = isinstance(number, exact.NaN) and not encoding.payload_dropped, None
    else:
        is_exact = found.direction is Direction.EXACT
        error = RoundingError(found.absolute(), found.relative, found.ulps(), found.direction.value)
    stored = StoredNumber(
        hex=format_hex(encoding.code, number_format),
        fields=bit_fields(encoding.code, number_format),
        kind=decoded.kind.value,
        value="nan" if decoded.kind in (exact.Kind.NAR, exact.Kind.INVALID) else value_text(decoded),
        error=error,
        is_exact=is_exact,
    )
    return ComparedFormat(number_format, stored, None, _rank(found, is_exact=is_exact))


def _rank(found: Distance | None, *, is_exact: bool) -> tuple[int, Fraction]:
    nothing = Fraction(0)
    if is_exact:
        return 0, nothing
    if found is None:
        return 4, nothing
    if found.difference is not None:
        return 1, Fraction(*found.difference)
    is_infinite = found.relative == "inf" or not isinstance(found.number, exact.Finite)
    return (3 if is_infinite else 2), nothing

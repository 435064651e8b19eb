"""The view of the Compare page: the number in each format, with links, fields and rounded errors."""

from dataclasses import dataclass

from app.formats import FixedPointFormat, Format
from app.tasks.compare_number import ComparedFormat, StoredNumber
from app.web.pages.addresses import inspect_address
from app.web.pages.compare_figures import Approximate, near
from app.web.pages.compare_form import Asked, CompareForm
from app.web.pages.compare_tables import FormatsAnswer
from app.web.typography import proportion
from app.wording import Language, SentencePart, say_in_parts

ROLES = {
    "sign": "sign",
    **dict.fromkeys(("exponent", "regime", "direction", "characteristic"), "exponent"),
    **dict.fromkeys(("mantissa", "fraction"), "mantissa"),
}
"""Which of the three colours a field has; what is no part of a float is drawn in the text colour."""


@dataclass(frozen=True, slots=True)
class FieldBits:
    """The bits of one field; `role` is sign, exponent, mantissa or plain."""

    role: str
    bits: str


@dataclass(frozen=True, slots=True)
class NumberRow:
    """The number in one format; `refusal` stands where the format has none for it."""

    name: str
    width: int
    href: str
    fields: tuple[FieldBits, ...]
    stored: StoredNumber | None
    absolute: Approximate | None
    relative: str | None
    ulps: Approximate | None
    refusal: tuple[SentencePart, ...]


@dataclass(frozen=True, slots=True)
class ComparePage:
    """The view of `compare.html` and its partials."""

    form: CompareForm
    rows: tuple[NumberRow, ...]
    answer: FormatsAnswer | None
    json_href: str


def number_rows(language: Language, asked: Asked, rows: tuple[ComparedFormat, ...]) -> tuple[NumberRow, ...]:
    """The rows of the first table."""
    return tuple(_number_row(language, asked, row) for row in rows)


def _number_row(language: Language, asked: Asked, row: ComparedFormat) -> NumberRow:
    name, stored = row.format.name, row.stored
    error = stored.error if stored is not None else None
    refusal = row.refusal
    return NumberRow(
        name=name,
        width=row.format.width,
        href=inspect_address(language, value=asked.value, format=name, rounding=asked.rounding),
        fields=() if stored is None else _fields(row.format, stored),
        stored=stored,
        absolute=None if error is None else near(error.absolute),
        relative=None if error is None or error.relative is None else proportion(error.relative),
        ulps=None if error is None or error.ulps is None else near(error.ulps),
        refusal=() if refusal is None else say_in_parts(refusal.id, refusal.figures, {}, language),
    )


def _fields(number_format: Format, stored: StoredNumber) -> tuple[FieldBits, ...]:
    is_fixed = isinstance(number_format, FixedPointFormat)
    return tuple(
        FieldBits("plain" if is_fixed else ROLES.get(field.name, "plain"), field.bits) for field in stored.fields
    )

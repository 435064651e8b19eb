"""The view of the Compare page: rows, charts and tables with their links and rounded figures."""

from dataclasses import dataclass
from fractions import Fraction

from app.exact.text import rounded_text
from app.formats import FixedPointFormat, Format
from app.tasks.compare_formats import FormatComparison, FormatRange
from app.tasks.compare_number import ComparedFormat, StoredNumber
from app.tasks.compare_precision import bits_at
from app.tasks.compare_shared import SharedNumbers
from app.web.pages.addresses import inspect_address
from app.web.pages.compare_chart import LOG2_10, PrecisionChart, Window, precision_charts
from app.web.pages.compare_form import Asked, CompareForm
from app.web.typography import approximately, proportion
from app.wording import Language, SentencePart, say_in_parts

ROLES = {
    "sign": "sign",
    **dict.fromkeys(("exponent", "regime", "direction", "characteristic"), "exponent"),
    **dict.fromkeys(("mantissa", "fraction"), "mantissa"),
}
"""Which of the three colours a field has; what is no part of a float is drawn in the text colour."""
MOST_COUNTED = 10**13


@dataclass(frozen=True, slots=True)
class Approximate:
    """A figure rounded for reading."""

    text: str
    is_rounded: bool


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
class RangeRow:
    """What one format reaches."""

    name: str
    width: int
    numbers: Approximate
    min_positive: Approximate | None
    min_normal: Approximate | None
    max: Approximate
    most_bits: str
    most_digits: str


@dataclass(frozen=True, slots=True)
class PrecisionRow:
    """The significant bits of every format at one magnitude."""

    power: str
    bits: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ExampleLink:
    """A number that one format has, and its page."""

    text: str
    href: str


@dataclass(frozen=True, slots=True)
class PairRow:
    """The first format beside another."""

    name: str
    both: Approximate
    only_first: Approximate
    only_second: Approximate
    first_examples: tuple[ExampleLink, ...]
    second_examples: tuple[ExampleLink, ...]
    relation: str
    """`same`, `first-in-second`, `second-in-first`, or empty."""


@dataclass(frozen=True, slots=True)
class MatrixCell:
    """The share of the row's numbers that the column has too."""

    share: str
    count: Approximate
    is_all: bool


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """One format against each."""

    name: str
    cells: tuple[MatrixCell, ...]


@dataclass(frozen=True, slots=True)
class WindowLinks:
    """Other stretches of magnitudes; empty where that is what is shown."""

    whole: str
    wider: str
    narrower: str
    is_cut: bool


@dataclass(frozen=True, slots=True)
class FormatsAnswer:
    """Everything that is known of the formats without a number."""

    charts: tuple[PrecisionChart, ...]
    ranges: tuple[RangeRow, ...]
    precision: tuple[PrecisionRow, ...]
    links: WindowLinks
    pairs: tuple[PairRow, ...]
    matrix: tuple[MatrixRow, ...]


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


def formats_answer(
    language: Language, comparison: FormatComparison, window: Window, links: WindowLinks
) -> FormatsAnswer:
    """Chart, ranges and common numbers of the chosen formats."""
    charts = precision_charts(tuple(each.format for each in comparison.ranges), window)
    return FormatsAnswer(
        charts=charts,
        ranges=tuple(map(_range_row, comparison.ranges)),
        precision=tuple(_precision_row(tick.text, comparison.ranges) for tick in charts[-1].powers),
        links=links,
        pairs=tuple(_pair_row(language, each) for each in comparison.pairs),
        matrix=tuple(
            MatrixRow(each.format.name, tuple(_cell(count, row[index]) for count in row))
            for index, (each, row) in enumerate(zip(comparison.ranges, comparison.matrix, strict=False))
        ),
    )


def counted(count: int) -> Approximate:
    """A count in full, unless it is longer than anyone reads."""
    return rounded(Fraction(count)) if count >= MOST_COUNTED else Approximate(str(count), is_rounded=False)


def rounded(value: Fraction) -> Approximate:
    """A number to five digits, whatever its size."""
    sign = "-" if value < 0 else ""
    text = approximately(rounded_text(abs(value.numerator), value.denominator), 5)
    return Approximate(sign + text, is_rounded=len(text) > 40 or abs(value) != _read_back(text, value))


def _read_back(text: str, value: Fraction) -> Fraction:
    """The text as a number; far away ones are never written out, and are rounded anyway."""
    exponent = int(text.partition("e")[2] or 0)
    return Fraction(text) if abs(exponent) < 400 else value + 1


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
        absolute=None if error is None else _near(error.absolute),
        relative=None if error is None or error.relative is None else proportion(error.relative),
        ulps=None if error is None or error.ulps is None else _near(error.ulps),
        refusal=() if refusal is None else say_in_parts(refusal.id, refusal.figures, {}, language),
    )


def _fields(number_format: Format, stored: StoredNumber) -> tuple[FieldBits, ...]:
    is_fixed = isinstance(number_format, FixedPointFormat)
    return tuple(
        FieldBits("plain" if is_fixed else ROLES.get(field.name, "plain"), field.bits) for field in stored.fields
    )


def _near(text: str) -> Approximate:
    """An exact text to four digits; the hex float of a number far away stays as it is."""
    if "x" in text or text == "inf":
        return Approximate(text, is_rounded=False)
    near = approximately(text, 4)
    return Approximate(near, is_rounded="/" in text or near != approximately(text, 40))


def _range_row(each: FormatRange) -> RangeRow:
    bits = each.most_bits
    return RangeRow(
        name=each.format.name,
        width=each.format.width,
        numbers=counted(each.numbers),
        min_positive=None if each.min_positive is None else rounded(each.min_positive),
        min_normal=None if each.min_normal is None else rounded(each.min_normal),
        max=rounded(each.max),
        most_bits=_bits_text(bits),
        most_digits="—" if bits is None else f"{max(bits, 0) / LOG2_10:.1f}",
    )


def _precision_row(power: str, ranges: tuple[FormatRange, ...]) -> PrecisionRow:
    log2 = int(power) * LOG2_10
    return PrecisionRow(power, tuple(_bits_text(bits_at(each.precision, log2)) for each in ranges))


def _bits_text(bits: float | None) -> str:
    if bits is None:
        return "—"
    return f"{max(bits, 0):.1f}".removesuffix(".0")


def _pair_row(language: Language, pair: SharedNumbers) -> PairRow:
    def links(texts: tuple[str, ...], owner: Format) -> tuple[ExampleLink, ...]:
        return tuple(
            ExampleLink(text, inspect_address(language, value=_as_hex_float(text), format=owner.name)) for text in texts
        )

    relations = {
        "same": not pair.only_first and not pair.only_second,
        "first-in-second": not pair.only_first,
        "second-in-first": not pair.only_second,
    }
    return PairRow(
        name=pair.second.name,
        both=counted(pair.both),
        only_first=counted(pair.only_first),
        only_second=counted(pair.only_second),
        first_examples=links(pair.first_examples, pair.first),
        second_examples=links(pair.second_examples, pair.second),
        relation=next((name for name, is_so in relations.items() if is_so), ""),
    )


def _as_hex_float(text: str) -> str:
    """`2^-149` in C's notation: one number, where the other is a calculation."""
    return text.replace("2^", "0x1p")


def _cell(count: int, own: int) -> MatrixCell:
    return MatrixCell(_percent(count, own), counted(count), is_all=count == own)


def _percent(count: int, own: int) -> str:
    """In percent, never 0 where there is one nor 100 where one is missing."""
    if count in (0, own):
        return f"{100 if count else 0}\u202f%"
    hundredths = min(max((count * 20_000 + own) // (2 * own), 1), 9_999)
    if count * 10_000 < own:
        return "<\u202f0.01\u202f%"
    is_plain = 1000 <= hundredths <= 9900
    text = str((hundredths + 50) // 100) if is_plain else f"{hundredths // 100}.{hundredths % 100:02d}"
    return f"{text}\u202f%"

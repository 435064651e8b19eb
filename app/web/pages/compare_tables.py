"""The formats against each other on the Compare page: charts, ranges and common numbers, rounded for reading."""

from dataclasses import dataclass

from app.formats import Format
from app.tasks.compare_formats import FormatComparison, FormatRange
from app.tasks.compare_precision import bits_at
from app.tasks.compare_shared import SharedNumbers
from app.web.pages.addresses import inspect_address
from app.web.pages.compare_chart import LOG2_10, PrecisionChart, Window, precision_charts
from app.web.pages.compare_figures import Approximate, counted, rounded
from app.wording import Language


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

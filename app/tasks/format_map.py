"""Every value of a narrow format on one page: a row a binade, drawn to scale, or rows of sixteen codes."""

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from app.exact import Kind, decode
from app.exact.text import value_text
from app.formats import FloatFormat, Format, PositFormat, TakumFormat
from app.formats.bits import floor_log2, power_of_two
from app.tasks.code_text import format_hex

WIDEST_MAP = 8
"""Bits up to which every value has a cell."""
MOST_COLUMNS = 16
LONGEST_IN_NARROW_CELL = 7
"""Characters of a value up to which sixteen cells stand side by side."""
MOST_NARROW_ROWS = 40
"""Binades of one or two values are drawn one below the other up to this many; then they share rows."""


@dataclass(frozen=True, slots=True)
class MapCell:
    """A code, or a gap where the format has none; `span`: how many columns wide it is drawn."""

    span: int
    code: int | None = None
    hex: str = ""
    text: str = ""
    """The exact value as `value_text` writes it."""
    value: Fraction | None = None
    kind: str = ""


@dataclass(frozen=True, slots=True)
class MapRow:
    """`role`: `zero`, `subnormal`, `binade`, `sparse`, `special`, or `codes`."""

    role: str
    exponent: int | None
    """The row holds numbers from 2^exponent up; None where it goes on with the row above."""
    last_exponent: int | None
    """Of a `sparse` row, binades of one number each side by side: that of the last."""
    prefix: str
    """Of a `codes` row: the digits that its codes begin with, or its first code."""
    cells: tuple[MapCell, ...]


@dataclass(frozen=True, slots=True)
class MapPart:
    """`name`: `positive`, `negative`, `neither`, or `codes` where rows go by code."""

    name: str
    rows: tuple[MapRow, ...]


@dataclass(frozen=True, slots=True)
class FormatMap:
    """The whole format."""

    format: Format
    columns: int
    by_binade: bool
    parts: tuple[MapPart, ...]


@lru_cache(maxsize=16)
def format_map(number_format: Format) -> FormatMap:
    """The map of a format of 8 bits or fewer."""
    assert number_format.width <= WIDEST_MAP, "wider formats are summed up by binade"
    if isinstance(number_format, FloatFormat | PositFormat | TakumFormat):
        found = _by_binade(number_format)
        if found is not None:
            return found
    return _by_code(number_format)


def _by_code(number_format: Format) -> FormatMap:
    texts = [value_text(decode(code, number_format)) for code in range(1 << number_format.width)]
    widest = MOST_COLUMNS if max(map(len, texts)) <= LONGEST_IN_NARROW_CELL else MOST_COLUMNS // 2
    columns = min(widest, 1 << number_format.width)
    cells = tuple(_cell(code, number_format, 1) for code in range(1 << number_format.width))
    rows = tuple(
        MapRow("codes", None, None, _common_start(cells[start : start + columns]), cells[start : start + columns])
        for start in range(0, len(cells), columns)
    )
    return FormatMap(number_format, columns, by_binade=False, parts=(MapPart("codes", rows),))


def _common_start(cells: tuple[MapCell, ...]) -> str:
    """The hexadecimal digits that the codes of a row share; the whole first code where they share half a digit."""
    return cells[0].hex[:-1] if len(cells) == MOST_COLUMNS else cells[0].hex


def _by_binade(number_format: Format) -> FormatMap | None:
    """None where it would be a tower: many binades of one or two values."""
    halves: dict[str, dict[int, list[int]]] = {"positive": {}, "negative": {}}
    zeros, specials = [], []
    for code in range(1 << number_format.width):
        value = number_format.value_of(code)
        if value is None:
            specials.append(code)
        elif value == 0:
            zeros.append(code)
        else:
            half = halves["positive" if value > 0 else "negative"]
            half.setdefault(floor_log2(*abs(value).as_integer_ratio()), []).append(code)
    fullest = max(
        (_places(codes, exponent, number_format) for half in halves.values() for exponent, codes in half.items()),
        default=1,
    )
    if fullest <= 2 and len(halves["positive"]) > MOST_NARROW_ROWS:
        return None
    columns = min(MOST_COLUMNS, 1 << (fullest - 1).bit_length())
    parts = [MapPart(name, tuple(_half_rows(half, columns, number_format))) for name, half in halves.items() if half]
    neither = [*_runs("zero", zeros, columns, number_format), *_runs("special", specials, columns, number_format)]
    return FormatMap(number_format, columns, by_binade=True, parts=(MapPart("neither", tuple(neither)), *parts))


def _places(codes: list[int], exponent: int, number_format: Format) -> int:
    """How many numbers a binade has room for: one that infinity and NaN cut short has fewer."""
    beginning = sorted(abs(number_format.value_of(code) or Fraction(0)) for code in codes)[:2]
    if len(beginning) < 2:
        return 1
    return max(len(codes), int(power_of_two(exponent) / (beginning[1] - beginning[0])))


def _half_rows(half: dict[int, list[int]], columns: int, number_format: Format) -> list[MapRow]:
    """The binades of one sign; where there are too many, neighbours of a single number share rows."""
    rows: list[MapRow] = []
    singles: list[int] = []
    for exponent in sorted(half):
        if len(half) > MOST_NARROW_ROWS and len(half[exponent]) == 1:
            singles.append(exponent)
            if len(singles) == columns:
                rows.append(_sparse(singles, half, columns, number_format))
                singles = []
            continue
        if singles:
            rows.append(_sparse(singles, half, columns, number_format))
            singles = []
        rows += _rows(half[exponent], exponent, columns, number_format)
    if singles:
        rows.append(_sparse(singles, half, columns, number_format))
    return rows


def _sparse(exponents: list[int], half: dict[int, list[int]], columns: int, number_format: Format) -> MapRow:
    (row,) = _runs("sparse", [half[exponent][0] for exponent in exponents], columns, number_format)
    return MapRow("sparse", exponents[0], exponents[-1], "", row.cells)


def _rows(codes: list[int], exponent: int, columns: int, number_format: Format) -> list[MapRow]:
    """One binade: each value as wide as the distance to the next, in as many rows as it needs."""
    whole = max(columns, 1 << (_places(codes, exponent, number_format) - 1).bit_length())
    cells: list[MapCell] = []
    filled = 0
    base = power_of_two(exponent)
    for code in sorted(codes, key=lambda each: abs(number_format.value_of(each) or Fraction(0))):
        magnitude = abs(number_format.value_of(code) or Fraction(0))
        place = int((magnitude / base - 1) * whole)
        if place > filled:
            cells.append(MapCell(place - filled))
        span = min(max(int(_distance(code, magnitude, number_format) / base * whole), 1), whole - place)
        cells.append(_cell(code, number_format, span))
        filled = place + span
    if filled < whole:
        cells.append(MapCell(whole - filled))
    role = "subnormal" if any(cell.kind == Kind.SUBNORMAL for cell in cells) else "binade"
    if whole == columns:
        return [MapRow(role, exponent, None, "", tuple(cells))]
    return [
        MapRow(role, exponent if start == 0 else None, None, "", tuple(cells[start : start + columns]))
        for start in range(0, len(cells), columns)
    ]


def _distance(code: int, magnitude: Fraction, number_format: Format) -> Fraction:
    """To the next number away from zero; of the last one, to the one before it."""
    ordinal = number_format.ordinal_of(code)
    assert ordinal is not None
    away = 1 if number_format.value_of(code) == magnitude else -1
    is_last = not number_format.first_ordinal <= ordinal + away <= number_format.last_ordinal
    beside = number_format.value_of(number_format.code_at(ordinal - away if is_last else ordinal + away))
    return abs(magnitude - abs(beside or Fraction(0)))


def _runs(role: str, codes: list[int], columns: int, number_format: Format) -> list[MapRow]:
    """Codes side by side, the row filled up."""
    rows = []
    for start in range(0, len(codes), columns):
        cells = [_cell(code, number_format, 1) for code in codes[start : start + columns]]
        if len(cells) < columns:
            cells.append(MapCell(columns - len(cells)))
        rows.append(MapRow(role, None, None, "", tuple(cells)))
    return rows


def _cell(code: int, number_format: Format, span: int) -> MapCell:
    decoded = decode(code, number_format)
    return MapCell(
        span=span,
        code=code,
        hex=format_hex(code, number_format),
        text=value_text(decoded),
        value=decoded.value,
        kind=decoded.kind.value,
    )

"""The codes of a format as a table, a page at a time, and the search for one of them."""

from dataclasses import dataclass
from fractions import Fraction

from app.errors import InvalidInput
from app.exact import decode, encode, parse
from app.exact.text import value_text
from app.formats import Format
from app.tasks.code_text import format_hex
from app.tasks.format_fields import FieldBits, field_bits

PAGE_CODES = 256
WIDEST_TABLE = 16
"""Bits up to which a format has a code table."""
LONGEST_SEARCH = 200
_PREFIXES = {"0x": 16, "0b": 2}


@dataclass(frozen=True, slots=True)
class CodeRow:
    """One code: its fields, its class, and the number that it stands for (None for infinities and NaNs)."""

    code: int
    hex: str
    fields: tuple[FieldBits, ...]
    kind: str
    text: str
    """The exact number as `value_text` writes it; `nan` also for codes of no meaning, told apart by `kind`."""
    value: Fraction | None


@dataclass(frozen=True, slots=True)
class CodePage:
    """Up to 256 codes in order; pages count from 1."""

    format: Format
    rows: tuple[CodeRow, ...]
    page: int
    pages: int


def has_code_table(number_format: Format) -> bool:
    """Whether a format is narrow enough for its codes to be listed."""
    return number_format.width <= WIDEST_TABLE


def page_count(number_format: Format) -> int:
    """How many pages the table has."""
    return max(1, (1 << number_format.width) // PAGE_CODES)


def read_page(text: str, number_format: Format) -> int:
    """The page number typed.

    Raises:
        InvalidInput: `codes.page`, naming how many there are.
    """
    pages = page_count(number_format)
    if not (text.isascii() and text.isdigit() and len(text) <= 6 and 1 <= int(text) <= pages):
        raise InvalidInput("codes.page", page=text[:20], pages=pages, format=number_format.name[:40])
    return int(text)


def code_page(number_format: Format, page: int = 1) -> CodePage:
    """One page of the table.

    Raises:
        InvalidInput: `codes.too-wide` for a format of more than 16 bits.
    """
    refuse_wide(number_format)
    first = (page - 1) * PAGE_CODES
    codes = range(first, min(first + PAGE_CODES, 1 << number_format.width))
    return CodePage(number_format, tuple(_row(code, number_format) for code in codes), page, page_count(number_format))


def refuse_wide(number_format: Format) -> None:
    """Refuse a format whose codes are too many to be listed.

    Raises:
        InvalidInput: `codes.too-wide`.
    """
    if not has_code_table(number_format):
        raise InvalidInput(
            "codes.too-wide", format=number_format.name[:40], width=number_format.width, widest=WIDEST_TABLE
        )


def find_code(text: str, number_format: Format) -> int:
    """The code typed (`0x3c00`, `0x3c`, `0b1100`), or that of the number typed, rounded to nearest, ties to even.

    Raises:
        InvalidInput: `codes.at-too-long`, `code.out-of-range`, or what `parse` and `encode` say of a number.
    """
    word = text.strip(" ")
    if len(word) > LONGEST_SEARCH:
        raise InvalidInput("codes.at-too-long", most=LONGEST_SEARCH)
    base = _PREFIXES.get(word[:2].lower())
    digits = "0123456789abcdef"[:base] if base else ""
    if base and word[2:] and all(each in digits for each in word[2:].lower()):
        code = int(word, base)
        if code >> number_format.width:
            raise InvalidInput("code.out-of-range", format=number_format.name[:40], width=number_format.width)
        return code
    return encode(parse(word), number_format).code


def page_of(code: int) -> int:
    """The page that a code stands on."""
    return code // PAGE_CODES + 1


def _row(code: int, number_format: Format) -> CodeRow:
    decoded = decode(code, number_format)
    return CodeRow(
        code=code,
        hex=format_hex(code, number_format),
        fields=field_bits(code, number_format),
        kind=decoded.kind.value,
        text=value_text(decoded),
        value=decoded.value,
    )

"""The table of known formats, and look-up by any name: listed, alias, or spelled out."""

from collections.abc import Iterable
from functools import lru_cache

from app.errors import InvalidInput
from app.formats.blocks import BlockFormat
from app.formats.catalog.floats import FLOAT8, NARROW_FLOATS, WIDE_FLOATS
from app.formats.catalog.others import BLOCKS, BOOL, CODEBOOKS, FIXED_POINT, INTEGERS, P3109, POSITS, TAKUMS
from app.formats.codebooks import CodebookFormat
from app.formats.fixed_point import FixedPointFormat
from app.formats.floats import FloatFormat
from app.formats.integers import BooleanFormat, IntegerFormat
from app.formats.names import spelled_format
from app.formats.tapered import PositFormat, TakumFormat

Format = FloatFormat | IntegerFormat | BooleanFormat | FixedPointFormat | PositFormat | TakumFormat | CodebookFormat
"""A format of single numbers."""
AnyFormat = Format | BlockFormat

LONGEST_NAME = 4096
LONGEST_QUOTE = 40

CATALOG: tuple[Format, ...] = (
    *WIDE_FLOATS,
    *FLOAT8,
    *NARROW_FLOATS,
    *P3109,
    *POSITS,
    *TAKUMS,
    *INTEGERS,
    BOOL,
    *FIXED_POINT,
    *CODEBOOKS,
)
"""The listed formats of single numbers, in the order in which pages show them."""


def _index(formats: Iterable[AnyFormat]) -> dict[str, AnyFormat]:
    table: dict[str, AnyFormat] = {}
    for number_format in formats:
        for name in (number_format.name, *number_format.origin.aliases):
            assert name not in table, f"{name} names two formats"
            table[name] = number_format
    return table


_BY_NAME = _index((*CATALOG, *BLOCKS))
_NAMES = tuple(number_format.name for number_format in CATALOG)
_TAKEN = frozenset(_BY_NAME)

COMMON: tuple[Format, ...] = tuple(
    each
    for each in CATALOG
    if each.name
    in {
        *("float64", "float32", "tfloat32", "bfloat16", "float16"),
        *("float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e8m0fnu"),
        *("float6_e2m3fn", "float6_e3m2fn", "float4_e2m1fn", "posit16", "posit8", "nf4"),
        *("int4", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "bool"),
    }
)
"""The formats that most readers know: what a page offers where the whole table would bury the answer."""


def format_names() -> tuple[str, ...]:
    """The names of the table, without aliases, in its order."""
    return _NAMES


def find_format(name: str) -> Format:
    """The format of single numbers with that name or alias, in any case.

    Raises:
        InvalidInput: `format.unknown`, with the name as it was given (cut to 40 characters); `format.is-block` for a
            block format; another code where a name is of a known kind and yet names nothing (`uint0`, `e20m3`).
    """
    found = find_any_format(name)
    if isinstance(found, BlockFormat):
        raise InvalidInput("format.is-block", name=found.name, element=found.element.name, scale=found.scale.name)
    return found


def find_any_format(name: str) -> AnyFormat:
    """The same, block formats included."""
    text = name.strip(" ").lower() if len(name) <= LONGEST_NAME else ""
    found = _BY_NAME.get(text) or _spelled(text)
    if found is None:
        raise InvalidInput("format.unknown", name=name[:LONGEST_QUOTE])
    return found


@lru_cache(maxsize=256)
def _spelled(text: str) -> AnyFormat | None:
    found = spelled_format(text, _TAKEN)
    return None if found is None else _BY_NAME.get(found.name, found)

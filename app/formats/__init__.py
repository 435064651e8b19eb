"""What a number format is: data and what follows from it, with the standard library only."""

from app.formats.blocks import BlockFormat
from app.formats.catalog import CATALOG, COMMON, AnyFormat, Format, find_any_format, find_format, format_names
from app.formats.catalog.others import BLOCKS
from app.formats.codebooks import CodebookFormat
from app.formats.fixed_point import FixedPointFormat
from app.formats.floats import FloatFormat, Specials
from app.formats.integers import BooleanFormat, IntegerFormat, Notation
from app.formats.origin import Family, Origin
from app.formats.tapered import PositFormat, TakumFormat, TaperedParts

__all__ = [
    "BLOCKS",
    "CATALOG",
    "COMMON",
    "AnyFormat",
    "BlockFormat",
    "BooleanFormat",
    "CodebookFormat",
    "Family",
    "FixedPointFormat",
    "FloatFormat",
    "Format",
    "IntegerFormat",
    "Notation",
    "Origin",
    "PositFormat",
    "Specials",
    "TakumFormat",
    "TaperedParts",
    "find_any_format",
    "find_format",
    "format_names",
]

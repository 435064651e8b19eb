"""What a number format is: data and what follows from it, with the standard library only."""

from app.formats.catalog import CATALOG, find_format, format_names
from app.formats.model import BooleanFormat, FloatFormat, Format, IntegerFormat, Specials

__all__ = [
    "CATALOG",
    "BooleanFormat",
    "FloatFormat",
    "Format",
    "IntegerFormat",
    "Specials",
    "find_format",
    "format_names",
]

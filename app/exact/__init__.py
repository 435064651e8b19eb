"""The truth about one number: text -> exact number -> one rounding -> code, and code -> exact value."""

from app.exact.decode import Decoded, FloatParts, Kind, decode, float_parts, neighbours, to_number, ulp
from app.exact.encode import encode
from app.exact.encoding import Cut, Encoding, Outcome
from app.exact.number import Finite, Infinity, NaN, Number, from_fraction
from app.exact.parse import LONGEST_TEXT, parse
from app.exact.rounding import Overflow, Rounding, Tail, overflows_of

__all__ = [
    "LONGEST_TEXT",
    "Cut",
    "Decoded",
    "Encoding",
    "Finite",
    "FloatParts",
    "Infinity",
    "Kind",
    "NaN",
    "Number",
    "Outcome",
    "Overflow",
    "Rounding",
    "Tail",
    "decode",
    "encode",
    "float_parts",
    "from_fraction",
    "neighbours",
    "overflows_of",
    "parse",
    "to_number",
    "ulp",
]

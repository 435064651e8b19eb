"""The truth about one number: text -> exact number -> one rounding -> code, and code -> exact value."""

from app.exact.blocks import BlockEncoding, ScaleRule, decode_block, default_tensor_scale, encode_block
from app.exact.decode import (
    Decoded,
    FloatParts,
    InvalidKind,
    Kind,
    decode,
    float_parts,
    invalid_kind,
    neighbours,
    to_number,
    ulp,
)
from app.exact.encode import encode
from app.exact.encoding import Cut, Encoding, Outcome
from app.exact.number import Finite, Infinity, NaN, Number, from_fraction
from app.exact.parse import LONGEST_TEXT, parse
from app.exact.rounding import Overflow, Rounding, Tail, overflows_of

__all__ = [
    "LONGEST_TEXT",
    "BlockEncoding",
    "Cut",
    "Decoded",
    "Encoding",
    "Finite",
    "FloatParts",
    "Infinity",
    "InvalidKind",
    "Kind",
    "NaN",
    "Number",
    "Outcome",
    "Overflow",
    "Rounding",
    "ScaleRule",
    "Tail",
    "decode",
    "decode_block",
    "default_tensor_scale",
    "encode",
    "encode_block",
    "float_parts",
    "from_fraction",
    "invalid_kind",
    "neighbours",
    "overflows_of",
    "parse",
    "to_number",
    "ulp",
]

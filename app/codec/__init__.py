"""Tensors to codes and back, by own arithmetic; what one number is exactly is told by `app.exact`."""

from app.codec.blocks import BlockCodes, ScaleRule, decode_blocks, encode_blocks
from app.codec.cast import cast
from app.codec.decode import decode
from app.codec.encode import encode
from app.codec.fields import FieldTensor, split_fields
from app.codec.rounding import Overflow, Rounding, overflows_of
from app.codec.storage_types import (
    as_int64,
    code_dtype,
    from_codes,
    has_torch_dtype,
    narrow_codes,
    to_codes,
    torch_dtype,
)
from app.codec.tapered import TaperedFields, tapered_fields

__all__ = [
    "BlockCodes",
    "FieldTensor",
    "Overflow",
    "Rounding",
    "ScaleRule",
    "TaperedFields",
    "as_int64",
    "cast",
    "code_dtype",
    "decode",
    "decode_blocks",
    "encode",
    "encode_blocks",
    "from_codes",
    "has_torch_dtype",
    "narrow_codes",
    "overflows_of",
    "split_fields",
    "tapered_fields",
    "to_codes",
    "torch_dtype",
]

"""The element types of ONNX tensors (onnx.proto, TensorProto.DataType) and which typed field holds each.

Elements below a byte are packed from the low bits up, without gaps, and the last byte is filled with zeros.
"""

from app.weightfiles.storage_types import StorageType

STRING = 8
SIX_BITS = 6
FLOAT_DATA, INT32_DATA, INT64_DATA, DOUBLE_DATA, UINT64_DATA = 4, 5, 7, 10, 11
"""The numbers of the typed fields of a TensorProto."""

# Number in the file, name there, bits of an element, name in the format table.
_TYPES = (
    (1, "FLOAT", 32, "float32"),
    (2, "UINT8", 8, "uint8"),
    (3, "INT8", 8, "int8"),
    (4, "UINT16", 16, "uint16"),
    (5, "INT16", 16, "int16"),
    (6, "INT32", 32, "int32"),
    (7, "INT64", 64, "int64"),
    (9, "BOOL", 8, "bool"),
    (10, "FLOAT16", 16, "float16"),
    (11, "DOUBLE", 64, "float64"),
    (12, "UINT32", 32, "uint32"),
    (13, "UINT64", 64, "uint64"),
    (14, "COMPLEX64", 64, "complex64"),
    (15, "COMPLEX128", 128, "complex128"),
    (16, "BFLOAT16", 16, "bfloat16"),
    (17, "FLOAT8E4M3FN", 8, "float8_e4m3fn"),
    (18, "FLOAT8E4M3FNUZ", 8, "float8_e4m3fnuz"),
    (19, "FLOAT8E5M2", 8, "float8_e5m2"),
    (20, "FLOAT8E5M2FNUZ", 8, "float8_e5m2fnuz"),
    (21, "UINT4", 4, "uint4"),
    (22, "INT4", 4, "int4"),
    (23, "FLOAT4E2M1", 4, "float4_e2m1fn"),
    (24, "FLOAT8E8M0", 8, "float8_e8m0fnu"),
    (25, "UINT2", 2, "uint2"),
    (26, "INT2", 2, "int2"),
    (27, "FLOAT6E2M3", 6, "float6_e2m3fn"),
    (28, "FLOAT6E3M2", 6, "float6_e3m2fn"),
)
_ELSEWHERE = {
    "FLOAT": FLOAT_DATA,
    "COMPLEX64": FLOAT_DATA,
    "DOUBLE": DOUBLE_DATA,
    "COMPLEX128": DOUBLE_DATA,
    "INT64": INT64_DATA,
    "UINT32": UINT64_DATA,
    "UINT64": UINT64_DATA,
}

ONNX_TYPES = {
    number: StorageType(name, bits, format_name, is_readable=bits >= 8 and not name.startswith("COMPLEX"))
    for number, name, bits, format_name in _TYPES
}
TYPED_FIELD = {number: _ELSEWHERE.get(name, INT32_DATA) for number, name, _, _ in _TYPES}
"""Where a tensor of that type keeps its numbers if not in raw_data; small and sub-byte ones in int32_data."""

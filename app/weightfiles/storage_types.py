"""The element types that a safetensors header may name: bits per element, and our name for each."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StorageType:
    """One dtype of the container. `format` is the name in our format table; `bits` may be less than a byte."""

    name: str
    bits: int
    format: str
    is_readable: bool = True
    """Whether its elements are read as numbers; the others are only copied."""

    @property
    def alignment(self) -> int:
        """Bytes that an element should be aligned to in the file, for readers that map it."""
        return max(self.bits // 8, 1)


_TYPES = (
    StorageType("F64", 64, "float64"),
    StorageType("F32", 32, "float32"),
    StorageType("F16", 16, "float16"),
    StorageType("BF16", 16, "bfloat16"),
    StorageType("F8_E4M3", 8, "float8_e4m3fn"),
    StorageType("F8_E5M2", 8, "float8_e5m2"),
    StorageType("F8_E4M3FNUZ", 8, "float8_e4m3fnuz"),
    StorageType("F8_E5M2FNUZ", 8, "float8_e5m2fnuz"),
    StorageType("F8_E8M0", 8, "float8_e8m0fnu"),
    StorageType("I64", 64, "int64"),
    StorageType("I32", 32, "int32"),
    StorageType("I16", 16, "int16"),
    StorageType("I8", 8, "int8"),
    StorageType("U64", 64, "uint64"),
    StorageType("U32", 32, "uint32"),
    StorageType("U16", 16, "uint16"),
    StorageType("U8", 8, "uint8"),
    StorageType("BOOL", 8, "bool"),
    StorageType("C64", 64, "complex64", is_readable=False),
    StorageType("F6_E2M3", 6, "float6_e2m3fn", is_readable=False),
    StorageType("F6_E3M2", 6, "float6_e3m2fn", is_readable=False),
    StorageType("F4", 4, "float4_e2m1fn", is_readable=False),
)

BY_NAME = {kind.name: kind for kind in _TYPES}
BY_FORMAT = {kind.format: kind for kind in _TYPES}

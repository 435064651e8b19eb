"""The element types that containers may name: bits of each, and our name for it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StorageType:
    """One dtype of a container. `format` is the name in our format table, or that of a block's scheme (`q4_k`)."""

    name: str
    bits: int
    """Of one element, which may be less than a byte; of a whole block where elements are stored in blocks."""
    format: str
    is_readable: bool = True
    """Whether its elements are read as numbers without any scale; the others are copied, or decoded by their layout."""
    block_elements: int = 1
    """How many elements a block holds, along the innermost dimension; 1 for plain elements."""

    @property
    def alignment(self) -> int:
        """Bytes that an element should be aligned to in the file, for readers that map it."""
        return max(self.bits // 8, 1) if self.block_elements == 1 else 1

    def bits_of(self, elements: int) -> int:
        """The bits of so many elements; of whole blocks, which the caller has made sure of."""
        return elements // self.block_elements * self.bits


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

"""The element and block types of ggml by their numbers in a GGUF file: bits, elements of a block, our names."""

from app.weightfiles.storage_types import StorageType


def _plain(name: str, bits: int, number_format: str) -> StorageType:
    return StorageType(name, bits, number_format)


def _block(name: str, elements: int, size: int, scheme: str = "") -> StorageType:
    return StorageType(name, size * 8, scheme or name.lower(), is_readable=False, block_elements=elements)


TYPES: dict[int, StorageType] = {
    0: _plain("F32", 32, "float32"),
    1: _plain("F16", 16, "float16"),
    2: _block("Q4_0", 32, 18),
    3: _block("Q4_1", 32, 20),
    6: _block("Q5_0", 32, 22),
    7: _block("Q5_1", 32, 24),
    8: _block("Q8_0", 32, 34),
    9: _block("Q8_1", 32, 36),
    10: _block("Q2_K", 256, 84),
    11: _block("Q3_K", 256, 110),
    12: _block("Q4_K", 256, 144),
    13: _block("Q5_K", 256, 176),
    14: _block("Q6_K", 256, 210),
    15: _block("Q8_K", 256, 292),
    16: _block("IQ2_XXS", 256, 66),
    17: _block("IQ2_XS", 256, 74),
    18: _block("IQ3_XXS", 256, 98),
    19: _block("IQ1_S", 256, 50),
    20: _block("IQ4_NL", 32, 18),
    21: _block("IQ3_S", 256, 110),
    22: _block("IQ2_S", 256, 82),
    23: _block("IQ4_XS", 256, 136),
    24: _plain("I8", 8, "int8"),
    25: _plain("I16", 16, "int16"),
    26: _plain("I32", 32, "int32"),
    27: _plain("I64", 64, "int64"),
    28: _plain("F64", 64, "float64"),
    29: _block("IQ1_M", 256, 56),
    30: _plain("BF16", 16, "bfloat16"),
    34: _block("TQ1_0", 256, 54),
    35: _block("TQ2_0", 256, 66),
    39: _block("MXFP4", 32, 17, "gguf_mxfp4"),
    40: _block("NVFP4", 64, 36, "gguf_nvfp4"),
    41: _block("Q1_0", 128, 18),
}
"""ggml.h, `enum ggml_type`; sizes of blocks by ggml-common.h."""

REMOVED_TYPES = frozenset({4, 5, 31, 32, 33, 36, 37, 38})
"""Numbers that ggml once used and gave up: Q4_2, Q4_3, and blocks repacked for one processor."""

TYPE_NUMBERS: dict[str, int] = {kind.name: number for number, kind in TYPES.items()}
"""By ggml's name in capitals."""

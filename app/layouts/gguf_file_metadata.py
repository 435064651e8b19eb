"""The key-value section of a GGUF file to be written: a source's own, copied byte for byte, or a new one.

Two keys follow from how the tensors are stored, as in llama.cpp's own quantizer (llama.h, `enum llama_ftype`).
"""

from collections import Counter
from collections.abc import Sequence

from app.errors import WeightFileError
from app.weightfiles.file_header import element_count
from app.weightfiles.file_layout import StoredTensor
from app.weightfiles.gguf_layout import ALIGNMENT, KeyValue, Metadata, ValueType
from app.weightfiles.range_reader import WeightFile

FILE_TYPE, QUANTIZATION_VERSION = "general.file_type", "general.quantization_version"
MAX_COPIED_BYTES = 64 << 20
_SPLIT = ("split.no", "split.count", "split.tensors.count")
"""What told pieces of one model apart: what is written is one file."""
_VERSION = 2
"""GGML_QNT_VERSION."""
_FILE_TYPES = {
    "F32": 0,
    "F16": 1,
    "Q4_0": 2,
    "Q4_1": 3,
    "Q8_0": 7,
    "Q5_0": 8,
    "Q5_1": 9,
    "Q2_K": 10,
    "Q3_K": 11,
    "Q4_K": 14,
    "Q5_K": 16,
    "Q6_K": 18,
    "IQ2_XXS": 19,
    "IQ2_XS": 20,
    "IQ3_XXS": 23,
    "IQ1_S": 24,
    "IQ4_NL": 25,
    "IQ3_S": 26,
    "IQ2_S": 28,
    "IQ4_XS": 30,
    "IQ1_M": 31,
    "BF16": 32,
    "TQ1_0": 36,
    "TQ2_0": 37,
    "MXFP4": 38,
    "NVFP4": 39,
    "Q1_0": 40,
}
_MIXED = 1024
"""Not said: the tensors tell."""


def file_type_pairs(stored: Sequence[StoredTensor]) -> tuple[KeyValue, KeyValue]:
    """What most numbers in blocks are stored in, or most of all where none are; and the version of the block types."""
    matrices = [tensor for tensor in stored if len(tensor.shape) > 1]
    in_blocks = [tensor for tensor in matrices if tensor.type.block_elements > 1]
    counts = Counter[str]()
    for tensor in in_blocks or matrices:
        counts[tensor.type.name] += element_count(tensor.shape)
    usual = max(sorted(counts), key=lambda name: counts[name], default="F32")
    return (
        KeyValue(FILE_TYPE, ValueType.UINT32, _FILE_TYPES.get(usual, _MIXED)),
        KeyValue(QUANTIZATION_VERSION, ValueType.UINT32, _VERSION),
    )


def copied_metadata(file: WeightFile, stored: Sequence[StoredTensor]) -> tuple[Metadata, int]:
    """A GGUF source's own section with those two keys set, and the alignment that it names.

    Raises:
        WeightFileError: `gguf.metadata-to-write`, it is too long to be held in memory.
    """
    details = file.header.details
    begin, end, count = details["metadata_begin"], details["metadata_end"], details["metadata_count"]
    if end - begin > MAX_COPIED_BYTES:
        raise WeightFileError("gguf.metadata-to-write", bytes=end - begin, limit=MAX_COPIED_BYTES)
    section = bytearray(end - begin)
    file.read_into(memoryview(section), begin)
    spans: dict[str, tuple[int, int]] = dict(details["spans"])
    replaced = {pair.key: pair for pair in file_type_pairs(stored)}
    parts: list[bytes] = []
    reached = begin
    for key, (first, last) in sorted(spans.items(), key=lambda item: item[1]):
        if key not in replaced and key not in _SPLIT:
            continue
        parts.append(bytes(section[reached - begin : first - begin]))
        if key in _SPLIT:
            count -= 1
        else:
            parts.append(replaced.pop(key).encoded())
        reached = last
    parts.append(bytes(section[reached - begin :]))
    parts += [pair.encoded() for pair in replaced.values()]
    return Metadata(count + len(replaced), b"".join(parts)), int(details.get("alignment", ALIGNMENT))

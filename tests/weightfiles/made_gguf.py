"""GGUF files made byte by byte, right ones and wrong ones."""

import struct

UINT8, BOOL, STRING, ARRAY, UINT32, FLOAT32 = 0, 7, 8, 9, 4, 6
F32, F16, Q4_0, Q8_0, Q4_K = 0, 1, 2, 8, 12


def number(value: int) -> bytes:
    return struct.pack("<Q", value)


def text(content: bytes | str, length: int | None = None) -> bytes:
    content = content.encode() if isinstance(content, str) else content
    return number(len(content) if length is None else length) + content


def entry(key: bytes | str, value_type: int, value: bytes) -> bytes:
    return text(key) + struct.pack("<I", value_type) + value


def word(key: bytes | str, value: int) -> bytes:
    return entry(key, UINT32, struct.pack("<I", value))


def array(element_type: int, count: int, elements: bytes = b"") -> bytes:
    return struct.pack("<I", element_type) + number(count) + elements


def tensor(
    name: bytes | str = "w", dimensions: tuple[int, ...] = (4,), type_number: int = F32, offset: int = 0
) -> bytes:
    found = b"".join(map(number, dimensions))
    return text(name) + struct.pack("<I", len(dimensions)) + found + struct.pack("<IQ", type_number, offset)


def made(
    entries: tuple[bytes, ...] = (),
    tensors: tuple[bytes, ...] = (),
    data: bytes = b"",
    *,
    version: int = 3,
    entry_count: int | None = None,
    tensor_count: int | None = None,
    alignment: int = 32,
) -> bytes:
    counts = (
        len(tensors) if tensor_count is None else tensor_count,
        len(entries) if entry_count is None else entry_count,
    )
    header = b"GGUF" + struct.pack("<IQQ", version, *counts) + b"".join(entries) + b"".join(tensors)
    return header + (b"\0" * (-len(header) % alignment) + data if data or tensors else b"")

"""Numbers that ONNX keeps as varints (int32_data, int64_data, uint64_data), as the little-endian bytes of raw_data."""

MAX_SLOW_NUMBERS = 500_000
"""Varints of one file that are taken apart byte by byte; numbers from 0 to 127 have one byte each and cost nothing."""
MAX_DECODED_BYTES = 16 << 20
"""Of one file, decoded: tensors of a size that matters are in raw_data in every file that a program has written."""


def is_one_byte_each(data: bytes, count: int) -> bool:
    """Whether the packed numbers are all below 128."""
    return len(data) == count and max(data, default=0) < 0x80


def decode_varints(data: bytes, count: int, width: int) -> bytes | None:
    """Exactly `count` packed varints, each cut to `width` bytes; None if they are fewer, more, or broken."""
    decoded = bytearray(count * width)
    if is_one_byte_each(data, count):
        decoded[::width] = data
        return bytes(decoded)
    mask = (1 << 8 * width) - 1
    number = value = shift = 0
    for byte in data:
        value |= (byte & 0x7F) << shift
        if byte >= 0x80:
            shift += 7
            if shift > 63:
                return None
            continue
        if number == count:
            return None
        decoded[number * width : (number + 1) * width] = (value & mask).to_bytes(width, "little")
        number += 1
        value = shift = 0
    return bytes(decoded) if number == count and shift == 0 else None


def pack_six_bits(codes: bytes) -> bytes:
    """Codes of six bits, one a byte, as raw_data has them: four in three bytes, the first in the lowest bits."""
    padded = codes + bytes(-len(codes) % 4)
    packed = bytearray()
    for at in range(0, len(padded), 4):
        a, b, c, d = padded[at : at + 4]
        packed += (a & 63 | (b & 63) << 6 | (c & 63) << 12 | (d & 63) << 18).to_bytes(3, "little")
    return bytes(packed[: (len(codes) * 6 + 7) // 8])

"""A picture of grey levels as PNG (W3C PNG, third edition): one byte a pixel, no other library needed."""

import struct
import zlib

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GREY = 0


def grey_png(pixels: bytes, width: int, height: int) -> bytes:
    """Rows from the top, 0 black and 255 white."""
    assert len(pixels) == width * height > 0, "one byte a pixel"
    lines = b"".join(b"\x00" + pixels[row * width : (row + 1) * width] for row in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, _GREY, 0, 0, 0)
    return _SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(lines, 6)) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

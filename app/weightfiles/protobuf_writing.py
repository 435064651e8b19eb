"""Fields of protobuf messages as bytes: numbers, texts and messages, each written in the shortest way."""


def varint(value: int) -> bytes:
    """A number of up to 64 bits, negative ones in two's complement: seven bits a byte, the lowest first."""
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def number_field(number: int, value: int) -> bytes:
    """A field of an integer type."""
    return varint(number << 3) + varint(value)


def opening(number: int, length: int) -> bytes:
    """What stands before so many bytes of a field that has a length."""
    return varint(number << 3 | 2) + varint(length)


def bytes_field(number: int, content: bytes) -> bytes:
    """A field of bytes, or of a message."""
    return opening(number, len(content)) + content


def text_field(number: int, text: str) -> bytes:
    """A field of text."""
    return bytes_field(number, text.encode("utf-8"))

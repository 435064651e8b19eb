"""Codes as people type them: `0x3dcd`, `0b0011...`, or bare binary digits, and nothing shorter or longer."""

from app.errors import InvalidInput
from app.formats import Format
from app.formats.bits import hex_digits

_BINARY, _HEXADECIMAL = frozenset("01"), frozenset("0123456789abcdefABCDEF")


def parse_bits(text: str, number_format: Format) -> int:
    """The code that the text spells in full.

    Raises:
        InvalidInput: `code.hex` or `code.binary`, naming how many digits the format has; `code.too-large`.
    """
    word = text.strip(" ")
    width, digits = number_format.width, hex_digits(number_format)
    if word[:2] in ("0x", "0X"):
        if len(word) != digits + 2 or not _HEXADECIMAL.issuperset(word[2:]):
            raise InvalidInput("code.hex", format=number_format.name, digits=digits, width=width)
        code = int(word, 0)
        if code >> width:
            raise InvalidInput("code.out-of-range", format=number_format.name, width=width)
        return code
    binary = word[2:] if word[:2] in ("0b", "0B") else word
    if len(binary) != width or not _BINARY.issuperset(binary):
        raise InvalidInput("code.binary", format=number_format.name, digits=digits, width=width)
    return int(binary, 2)


def format_hex(code: int, number_format: Format) -> str:
    """`0x` and as many lower-case digits as the format has nibbles."""
    return f"0x{code:0{hex_digits(number_format)}x}"

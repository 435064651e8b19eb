"""The fields of one code of any family, without torch: a posit's borders move from code to code."""

from app.formats import Format, PositFormat, TakumFormat

FieldBits = tuple[str, str]
"""The name of a field and its bits."""


def field_widths_of(code: int, number_format: Format) -> tuple[tuple[str, int], ...]:
    """Names and widths for this very code, most significant first; in posits and takums they depend on the code.

    Those of a negative posit or takum are the fields of its magnitude, which is how it is read; zero and NaR have
    nothing behind the sign bit but zeros, which are cut like those of any code.
    """
    if not isinstance(number_format, PositFormat | TakumFormat):
        return number_format.field_widths
    return ("sign", 1), *number_format.parts(abs(number_format.ordinal_of(code) or 0)).fields


def field_bits(code: int, number_format: Format) -> tuple[FieldBits, ...]:
    """The code cut into its fields."""
    bits, start, parts = f"{code:0{number_format.width}b}", 0, []
    for name, width in field_widths_of(code, number_format):
        parts.append((name, bits[start : start + width]))
        start += width
    return tuple(parts)
